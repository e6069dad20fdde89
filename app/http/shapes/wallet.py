"""The wallet: how it stands, its books, and the rates it pays at."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.http.shapes.shape import RateShape, Shape
from models.audit_run import Scope
from models.flash import SocketState
from models.invariant import Invariant
from models.reconciliation import Span
from models.statement import BookState
from models.wallet import Gate


class WalletShape(Shape):
    """A wallet, its gate, and its connection."""

    id: str
    store_id: str
    currency: str | None
    balance_nanousd: int | None
    balance_at: datetime | None
    gate: Gate
    gate_reason: str | None
    stopped: bool
    stopped_at: datetime | None
    short_since: datetime | None
    connected: bool
    socket: SocketState
    account_events: str | None


class OwedShape(Shape):
    """Payouts that have not ended; some may have no amount in sats yet."""

    count: int
    amount_msat: int
    unquoted: int


class BudgetShape(Shape):
    """What is left of one pull payment, in minor units of its currency."""

    pull_payment_id: str
    name: str
    currency: str
    budget: int
    paid: int
    reserved: int
    expires_at: datetime | None
    remaining: int


class StandingShape(Shape):
    """What the wallet covers; what a missing rate hides is null."""

    as_of: datetime
    balance_nanousd: int | None
    balance_at: datetime | None
    waiting: OwedShape
    unsettled: OwedShape
    committed_nanousd: int | None
    free_nanousd: int | None
    short_nanousd: int
    cover_tenths_of_a_day: int | None
    paid_sats_in_14_days: int
    rate_at: datetime | None
    budgets: list[BudgetShape]


class BookShape(Shape):
    """One comparison of balance and statement."""

    id: str
    state: BookState
    at: datetime
    balance_nanousd: int
    sent_nanousd: int
    fees_nanousd: int
    received_nanousd: int
    difference_nanousd: int
    rows: int
    unknown: int


class BooksShape(Shape):
    """The newest comparisons."""

    items: list[BookShape]
    next_cursor: None


class ExtraShape(Shape):
    """A debit that no payout explains."""

    id: str
    at: datetime
    seen_at: datetime
    amount_nanousd: int | None
    fee_nanousd: int | None


class ExtrasShape(Shape):
    """Debits that no payout explains."""

    items: list[ExtraShape]
    next_cursor: None


class ProposalShape(Shape):
    """That an unknown payout did not leave, as two books agree."""

    payout_id: str
    outcome: Literal["not_paid"]
    agreed_first_at: datetime
    agreed_twice_at: datetime | None


class ProposalsShape(Shape):
    """What is proposed to whoever resolves payouts."""

    items: list[ProposalShape]
    next_cursor: None


class AuditShape(Shape):
    """One walk through a store's books."""

    scope: Scope
    started_at: datetime
    ended_at: datetime | None
    payouts: int
    found: int


class FindingShape(Shape):
    """Something that must hold and does not, and what to do about it."""

    invariant: Invariant
    properties: str
    says: str
    subject: str
    detail: str
    next_step: str


class ComparisonWithFlashShape(Shape):
    """One comparison of our ledger with Flash's list."""

    span: Span
    at: datetime
    since: datetime
    until: datetime
    is_whole: bool
    matched: int
    waiting: int
    differences: int
    balance_difference_nanousd: int | None


class DifferenceShape(Shape):
    """A debit that is missing, extra or different; `seen_because` once an owner said why."""

    kind: str
    payout_id: str | None
    row_id: str | None
    expected_nanousd: int | None
    found_nanousd: int | None
    at: datetime
    seen_at: datetime | None
    seen_because: str | None


class CheckShape(Shape):
    """What audits and comparisons found that holds now; `is_clean` is null before the first."""

    is_clean: bool | None
    audits: list[AuditShape]
    findings: list[FindingShape]
    comparisons: list[ComparisonWithFlashShape]
    differences: list[DifferenceShape]


class VerdictShape(Shape):
    """The rate of one currency, or why there is none, and every price that was weighed."""

    currency: str
    rate: RateShape | None
    reason: str | None
    known: list[RateShape]


class RatesShape(Shape):
    """What converts at this moment."""

    as_of: datetime
    items: list[VerdictShape]


class CurrencyShape(Shape):
    """A currency that a store may count in."""

    code: str
    name: str
    symbol: str
    digits: int


class CurrenciesShape(Shape):
    """What may be chosen; `asked_at` is null while Flash could not be asked."""

    asked_at: datetime | None
    items: list[CurrencyShape]
    next_cursor: None
