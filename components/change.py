"""How a figure changed against the period before: an arrow, a number, and words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.sheet import Piece

Better = Literal["more", "less"]
Mood = Literal["good", "bad", "even"]
# Beyond this a percentage says no more than that there was little before.
MOST_PERCENT = 999
PERIOD = "the period before"


@dataclass(frozen=True, slots=True)
class Change:
    """What is seen, what is read aloud, and whether it is welcome."""

    text: str
    words: str
    mood: Mood


def change_of(
    now: int, before: int, better: Better | None = None, *, than: str = PERIOD
) -> Change | None:
    """Return a change in per cent; nothing where there was nothing to compare with."""
    if before <= 0:
        return None
    if now == before:
        return Change("±0%", f"as in {than}", "even")
    percent = (abs(now - before) * 200 + before) // (2 * before)
    size = f">{MOST_PERCENT}%" if percent > MOST_PERCENT else f"{percent}%" if percent else "<1%"
    return _change(size, now > before, better, than)


def points_of(now: int | None, before: int | None) -> Change | None:
    """Return how a rate in per mille changed, in percentage points; more is better."""
    if now is None or before is None:
        return None
    if now == before:
        return Change("±0", f"as in {PERIOD}", "even")
    whole, tenth = divmod(abs(now - before), 10)
    return _change(f"{whole}.{tenth} pt", now > before, "more", PERIOD)


def percent_of(per_mille: int) -> str:
    """Write a rate: `98.7%`, and `100%` for all."""
    whole, tenth = divmod(per_mille, 10)
    return f"{whole}%" if whole == 100 else f"{whole}.{tenth}%"  # noqa: PLR2004  # all of them


def _change(size: str, is_up: bool, better: Better | None, than: str) -> Change:
    arrow, word = ("↑", "up") if is_up else ("↓", "down")
    mood: Mood = "even"
    if better is not None:
        mood = "good" if is_up == (better == "more") else "bad"
    return Change(f"{arrow} {size}", f"{word} {size} on {than}", mood)


class ChangeMark:
    """Shows a change where it stands; only what is different is sent."""

    def __init__(self, into: Piece) -> None:
        self._shown: Change | None = None
        self._mark = into.add("span", "fp-change even")
        self._text = self._mark.add("span", aria_hidden="true")
        self._words = self._mark.add("span", "fp-sr")

    def show(self, change: Change | None) -> None:
        """Show a change, or nothing."""
        if change == self._shown:
            return
        self._shown = change
        self._text.set_text("" if change is None else change.text)
        self._words.set_text("" if change is None else f", {change.words}")
        self._mark.look(["fp-change", "even" if change is None else change.mood])
