"""The words of a memo by which a payout can be searched."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w{3,40}")
WORD_LIMIT = 12


def search_words(memo: str | None) -> frozenset[str]:
    """Return the first dozen words of three letters or more, folded."""
    return frozenset(_WORD.findall((memo or "").casefold())[:WORD_LIMIT])
