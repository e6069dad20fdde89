"""What an audit of our own books walks through, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.invariant import RULES, Invariant


class Chapter(StrEnum):
    """What an audit walks through, one after the other, each in slices."""

    OPEN = "open"
    PAYOUTS = "payouts"
    LEDGER = "ledger"
    BUDGETS = "budgets"
    DAYS = "days"
    CARDS = "cards"
    RECORD = "record"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must hold and does not: of which payout, card, day or other thing."""

    invariant: Invariant
    subject: str
    detail: str

    @property
    def says(self) -> str:
        """Return what must hold, as a sentence."""
        return RULES[self.invariant].says

    @property
    def next_step(self) -> str:
        """Return what to do about it."""
        return RULES[self.invariant].next_step


@dataclass(frozen=True, slots=True)
class Slice:
    """One bounded look: how many things it looked at, what it found, where to go on."""

    looked: int
    findings: tuple[Finding, ...]
    after: str | None
