"""A payout as people and programs see it: secrets opened for those who may, the card named."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from models.destination import is_amountless
from models.payout import EvidenceGrade, PayoutKind
from models.payout_order import Mark
from models.payout_request import AMOUNTLESS_RISK
from models.states import PayoutState, PayoutStatus

# What is longer and begins so is an invoice, not somebody's name.
_INVOICE = "lnbc"
_ADDRESS_MOST = 100


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

    @property
    def risk(self) -> str | None:
        """Name what the machine cannot protect: an invoice without an amount takes no key."""
        is_invoice = self.destination.startswith(_INVOICE) and len(self.destination) > _ADDRESS_MOST
        return AMOUNTLESS_RISK if is_invoice and is_amountless(self.destination) else None


@dataclass(frozen=True, slots=True)
class Page:
    """Payouts of one page, and where the next one begins."""

    items: list[PayoutView]
    next_before: Mark | None
