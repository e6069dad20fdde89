"""The wallet's own statement: its rows, what we expect of it, and books that closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RowState(StrEnum):
    """What a row of the statement is to us."""

    RECEIPT = "receipt"
    UNCLAIMED = "unclaimed"
    CLAIMED = "claimed"
    EXTRA = "extra"
    """A debit that no payout of ours explains."""
    BEFORE = "before"
    """A debit from before we began to read the statement."""


class DebitState(StrEnum):
    """Whether an attempt's debit still has to be found in the statement."""

    OPEN = "open"
    CLAIMED = "claimed"
    DROPPED = "dropped"
    """The attempt is dead: nothing was debited."""


# How far a balance and the sum of its rows may be apart: a hundredth of a cent.
TOLERANCE_NANOUSD = 100_000


class BookState(StrEnum):
    """How a comparison of the balance with the rows came out."""

    CLOSED = "closed"
    """It agrees, and nothing was open: later books start from here."""
    AGREES = "agrees"
    """It agrees, though some outcome was unknown: so that did not leave."""
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One row of the statement as we keep it; `amount_nanousd` is below zero for a debit."""

    store_id: str
    flash_wallet_id: str
    id: str
    state: RowState
    amount_nanousd: int | None
    fee_nanousd: int | None
    is_completed: bool | None
    attempt_id: str | None
    at: datetime
    seen_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Debit:
    """What an attempt is expected to cost, and what its row of the statement said it did."""

    attempt_id: str
    store_id: str
    payout_id: str
    flash_wallet_id: str
    state: DebitState
    expected_nanousd: int
    msat_per_cent: int
    row_id: str | None
    amount_nanousd: int | None
    fee_nanousd: int | None
    logged_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClosedBook:
    """One comparison of the balance with the last closed book and the rows since."""

    id: str
    store_id: str
    flash_wallet_id: str
    state: BookState
    base_id: str | None
    balance_nanousd: int
    sent_nanousd: int
    fees_nanousd: int
    received_nanousd: int
    difference_nanousd: int
    rows: int
    unknown: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """That an unknown payout did not leave, as two agreeing books say (rule B)."""

    payout_id: str
    store_id: str
    attempt_id: str
    agreed_first_at: datetime
    agreed_twice_at: datetime | None
    book_id: str
    decided_at: datetime | None
