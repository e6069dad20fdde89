"""A payout and what was done for it: attempts, sends, sightings, evidence and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.money import to_sat_ceil
from models.states import PayoutState, PayoutStatus
from models.store import ActorKind


class PayoutKind(StrEnum):
    """How a payout came to be asked for."""

    CLAIM = "claim"
    TAP = "tap"
    MANUAL = "manual"


class DestinationKind(StrEnum):
    """What the money is sent to."""

    BOLT11 = "bolt11"
    LNURL = "lnurl"
    ADDRESS = "address"
    FLASH = "flash"


class PayeeHome(StrEnum):
    """Whether Flash itself issued an attempt's invoice, as it says when asked."""

    UNASKED = "unasked"
    HOME = "home"
    FOREIGN = "foreign"


class AttemptState(StrEnum):
    """Whether an attempt's invoice may still be paid, was, or never will be."""

    LIVE = "live"
    SETTLED = "settled"
    DEAD = "dead"


class SendAnswer(StrEnum):
    """What came back for one send."""

    SETTLED = "settled"
    REFUSED = "refused"
    NOT_EXECUTED = "not_executed"
    PENDING = "pending"
    UNKNOWN = "unknown"
    ERROR = "error"


class EvidenceGrade(StrEnum):
    """What lets a payout be called settled; only a preimage is proof."""

    PREIMAGE = "preimage"
    FLASH_SUCCESS = "flash_success"
    FLASH_INVOICE = "flash_invoice"
    STATEMENT = "statement"
    STRIPE_TRANSFER = "stripe_transfer"
    PERSON = "person"


class SightingSource(StrEnum):
    """Who reported something about a payout."""

    SEND = "send"
    STATUS = "status"
    SOCKET = "socket"
    VERIFY = "verify"
    STATEMENT = "statement"
    PERSON = "person"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that leaves, as it stands in the database."""

    id: str
    store_id: str
    kind: PayoutKind
    state: PayoutState
    status: PayoutStatus
    revision: int
    pull_payment_id: str | None
    card_id: str | None
    card_verified: bool
    card_hint: str | None
    tap_id: str | None
    original_amount: int
    currency: str
    amount_msat: int | None
    amount_sats: int | None
    value_cents: int | None
    rate_numerator: int | None
    rate_denominator: int | None
    rate_source: str | None
    rate_at: datetime | None
    fee_msat: int | None
    debited_nanousd: int | None
    destination_kind: DestinationKind
    destination_start: str
    destination_sealed: bytes = field(repr=False)
    payment_hash: str | None
    attempts: int
    evidence: EvidenceGrade | None
    memo: str | None
    metadata_json: str
    error_code: str | None
    error_message: str | None
    created_at: datetime
    eligible_at: datetime | None
    approved_at: datetime | None
    submitted_at: datetime | None
    unknown_since: datetime | None
    review_at: datetime | None
    completed_at: datetime | None
    closed_at: datetime | None
    next_try_at: datetime | None
    claim_key: str | None = field(repr=False)
    wallet_id: str | None
    fence: int

    def __post_init__(self) -> None:
        assert self.amount_msat is None or self.amount_sats == to_sat_ceil(self.amount_msat)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One invoice made or given for a payout; its payment hash is unique everywhere."""

    id: str
    store_id: str
    payout_id: str
    number: int
    state: AttemptState
    payment_hash: str
    invoice_sealed: bytes = field(repr=False)
    amount_msat: int
    invoice_expires_at: datetime
    home: PayeeHome
    verify_sealed: bytes | None = field(repr=False)
    expired_seen_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Send:
    """One time the request went on the wire, logged before it did."""

    store_id: str
    payout_id: str
    attempt_id: str
    number: int
    flash_wallet_id: str
    idempotency_key: str | None
    fence: int
    logged_at: datetime
    answered_at: datetime | None
    answer: SendAnswer | None
    answer_code: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One report about a payout, from anywhere; recorded once."""

    id: str
    store_id: str
    payout_id: str
    attempt_id: str | None
    source: SightingSource
    external_id: str
    says: str
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lets a payout be called settled, with its grade."""

    store_id: str
    payout_id: str
    grade: EvidenceGrade
    preimage_sealed: bytes | None = field(repr=False)
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PayoutEvent:
    """One transition of one payout; `number` is the revision it led to."""

    store_id: str
    payout_id: str
    number: int
    source: PayoutState | None
    target: PayoutState
    at: datetime
    actor_kind: ActorKind
    actor_id: str | None
    reason_code: str | None
    reason: str | None
    request_id: str | None
