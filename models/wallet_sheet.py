"""What the wallet's page shows beside how the wallet stands: books, rows, prices, checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.checked import Checked
from models.money import Rate
from models.statement import ClosedBook, KeptRow, Proposal


@dataclass(frozen=True, slots=True)
class RateSign:
    """What converts a currency now, or why nothing does; `known` is every price weighed."""

    currency: str
    rate: Rate | None
    reason: str | None
    known: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class LateAlarm:
    """A payout that was paid after its money had been given free, and when that was seen."""

    payout_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WalletSheet:
    """Everything at one moment; books and rows are newest first."""

    books: tuple[ClosedBook, ...]
    extras: tuple[KeptRow, ...]
    proposals: tuple[Proposal, ...]
    rates: tuple[RateSign, ...]
    checked: Checked
    alarms: tuple[LateAlarm, ...]
    as_of: datetime
