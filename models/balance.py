"""What a wallet held over time, as Flash said it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Often enough to see a busy hour; 35 days of it are ten thousand rows at most.
LEAST_APART = timedelta(minutes=5)
KEPT = timedelta(days=35)


class BalanceSpan(StrEnum):
    """How far back a line of balances goes."""

    DAY = "24 h"
    WEEK = "7 days"
    MONTH = "30 days"

    @property
    def length(self) -> timedelta:
        """Return how long it is."""
        return _LENGTHS[self]

    @property
    def step(self) -> timedelta:
        """Return how long one slot of its line is."""
        return _STEPS[self]


_LENGTHS = {
    BalanceSpan.DAY: timedelta(days=1),
    BalanceSpan.WEEK: timedelta(days=7),
    BalanceSpan.MONTH: timedelta(days=30),
}
_STEPS = {
    BalanceSpan.DAY: timedelta(minutes=10),
    BalanceSpan.WEEK: timedelta(hours=1),
    BalanceSpan.MONTH: timedelta(hours=4),
}


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet held at a moment."""

    at: datetime
    balance_nanousd: int


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """The last balance of each slot, from the first slot in which one is known."""

    span: BalanceSpan
    starts_at: datetime
    balances_nanousd: tuple[int, ...]

    @property
    def change_nanousd(self) -> int:
        """Return by how much the last is more than the first."""
        return self.balances_nanousd[-1] - self.balances_nanousd[0] if self.balances_nanousd else 0

    def slot(self, number: int) -> datetime:
        """Return when a slot begins."""
        return self.starts_at + number * self.span.step


def line_of(found: list[Balance], span: BalanceSpan, now: datetime) -> BalanceLine:
    """Return the line through balances, oldest first; each holds until the next was seen."""
    start = now - span.length
    if found:
        # What was known before the span began holds at its beginning.
        start += max(0, (found[0].at - start) // span.step) * span.step
    balances: list[int] = []
    rest = list(found)
    held: int | None = None
    slots = (now - start) // span.step
    for number in range(slots + 1 if found else 0):
        end = start + (number + 1) * span.step
        while rest and rest[0].at < end:
            held = rest.pop(0).balance_nanousd
        assert held is not None, "the first slot holds the first balance"
        balances.append(held)
    return BalanceLine(span, start, tuple(balances))
