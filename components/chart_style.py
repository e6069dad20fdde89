"""What both charts share: how they are laid out, how they write numbers and strangers' text."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

from components.sheet import Piece
from components.unit import SATS, Unit

Figure = dict[str, Any]
Measure = Literal["count", "amount"]

HEIGHT_PX = 260
# Where titles and labels begin; the style sheet has axis labels begin there too, not end.
INSET_PX = 16
GRID_LINES = 4
MEASURES = {"count": "Count", "amount": "Amount"}
_THOUSANDS = ("", "k", "M", "B", "T", "Q")
_UNSEEN = ("Cc", "Cf", "Cs")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def layout(meta: Figure, margin: Figure, xaxis: Figure, yaxis: Figure, **more: Any) -> Figure:
    """Return a layout: transparent, quiet, fixed; colors are names that the browser resolves."""
    still = {"fixedrange": True, "zeroline": False, "showgrid": False, "automargin": False}
    return {
        "meta": meta,
        "margin": margin | {"pad": 0},
        "xaxis": still | xaxis,
        "yaxis": still | yaxis,
        "height": HEIGHT_PX,
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
        "font": {"family": "inherit", "size": 11, "color": "var(--ink-3)"},
        **more,
    }


def scale(peak: int) -> tuple[int, list[int]]:
    """Return where an axis ends and where its lines are: few, round, and whole."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if -(-peak // step) <= GRID_LINES)
    # The end moves by half steps, so that it neither wastes room nor moves with every payout.
    half = max(step // 2, 1) if step % 2 == 0 else step
    top = max(-(-peak // half), 1) * half
    return top, list(range(0, top + 1, step))


def compact(number: int, places: int = 0) -> str:
    """Write a round number in few characters, and exactly: 1500 is 1.5k.

    Of its digits, so many stand behind the decimal point.
    """
    number, cents = divmod(number, 10**places)
    if cents:
        return f"{number:,}.{cents:0{places}d}".rstrip("0")
    size = min((len(str(number)) - 1) // 3, len(_THOUSANDS) - 1)
    whole, rest = divmod(number, 1000**size)
    digits = f"{rest:0{3 * size}d}".rstrip("0") if rest else ""
    return f"{whole}{'.' if digits else ''}{digits}{_THOUSANDS[size]}"


def counted(number: int, measure: Measure, unit: Unit = SATS) -> str:
    """Write a number with what it counts, or an amount with its unit."""
    if measure == "amount":
        return unit.write(number)
    return f"{number:,} {'payout' if number == 1 else 'payouts'}"


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """Return strangers' text on one line, without control or direction characters."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    shown = "".join(char for char in spaced if unicodedata.category(char) not in _UNSEEN)
    return " ".join(shown.split()) or "–"


@lru_cache(maxsize=1024)
def label(text: str, width: int) -> str:
    """Return strangers' text for Plotly to show literally, cut to about so many characters.

    Plotly reads tags and entities in every text it draws.
    """
    shown = plain(text)
    ends = list(itertools.accumulate(map(_half_widths, shown)))
    if ends[-1] > 2 * width:
        shown = shown[: sum(end <= 2 * width - 2 for end in ends)].rstrip() + "…"
    return shown.translate(_ESCAPES)


def _half_widths(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF" or char in "MW@":
        return 4
    return 3 if char.isupper() or char in "mw%&" else 2


class Choice:
    """A few words side by side, one of them chosen; `on_choose` is told when another is."""

    def __init__(
        self,
        name: str,
        words: Mapping[str, str],
        chosen: str,
        on_choose: Callable[[str], object],
        into: Piece,
    ) -> None:
        self.chosen = chosen
        self._on_choose = on_choose
        self._buttons: dict[str, Piece] = {}
        group = into.add("div", "fp-choice", role="group", aria_label=name)
        for key, word in words.items():
            pressed = "true" if key == chosen else "false"
            button = group.add("button", "", word, type="button", aria_pressed=pressed)
            self._buttons[key] = button.on("click", lambda key=key: self._press(key))

    def choose(self, key: str) -> None:
        """Show that a word is chosen, and tell nobody."""
        if key == self.chosen:
            return
        self._buttons[self.chosen].set("aria-pressed", "false")
        self._buttons[key].set("aria-pressed", "true")
        self.chosen = key

    def _press(self, key: str) -> None:
        if key != self.chosen:
            self.choose(key)
            self._on_choose(key)
