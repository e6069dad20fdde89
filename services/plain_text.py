"""Turn a stranger's words into one plain line that cannot disturb what stands around it."""

from __future__ import annotations

import unicodedata

_BLANKS = frozenset({"Cc", "Zl", "Zp", "Zs"})
# Format characters, surrogates, private use and what Unicode does not know.
_UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn"})


def plain_text(text: str, limit: int) -> str:
    """Return one line of at most so many characters, without control and direction characters.

    Direction marks (Unicode category Cf) could make an amount or a name read backwards.
    """
    # Text beyond twice the limit would be cut anyway; this bounds the work on huge input.
    visible = "".join(map(_visible, text[: 2 * limit]))
    return " ".join(visible.split())[:limit].rstrip()


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BLANKS:
        return " "
    return "" if category in _UNSEEN else character
