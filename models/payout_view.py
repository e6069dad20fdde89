"""A payout as people and programs see it: secrets opened for those who may, the card named."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from models.payout import EvidenceGrade, PayoutKind
from models.payout_order import Mark
from models.states import PayoutState, PayoutStatus


@dataclass(frozen=True, slots=True)
class RateView:
    """The rate a payout was valued with: minor units for one sat, as a ratio."""

    numerator: int
    denominator: int
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PayoutView:
    """What the API, the export and the screens show; nothing means not known."""

    id: str
    store_id: str
    kind: PayoutKind
    pull_payment_id: str | None
    pull_payment_name: str | None
    status: PayoutStatus
    state: PayoutState
    revision: int
    amount_sats: int | None
    amount_msat: int | None
    fee_msat: int | None
    debited_nanousd: int | None
    value_cents: int | None
    currency: str
    original_amount: int
    rate: RateView | None
    boltcard_id: str | None
    boltcard_alias: str | None
    boltcard_uid: str | None
    card_verified: bool
    destination: str
    payment_hash: str | None
    preimage: str | None = field(repr=False)
    evidence: EvidenceGrade | None
    attempts: int
    memo: str | None
    error_code: str | None
    error_message: str | None
    metadata: dict[str, object]
    created_at: datetime
    approved_at: datetime | None
    submitted_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Payouts of one page, and where the next one begins."""

    items: list[PayoutView]
    next_before: Mark | None
