"""Payouts and all that was done for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.money import MAX_MINOR, MAX_SATS
from models.payout import (
    AttemptState,
    DestinationKind,
    EvidenceGrade,
    PayeeHome,
    PayoutKind,
    SendAnswer,
    SightingSource,
)
from models.states import PayoutState, PayoutStatus
from models.store import ActorKind
from models.tables import base  # noqa: F401
from models.tables.columns import Prefixed, UtcDateTime, Word, one_of, whole

_NOT_NULL_CARD = text("card_id IS NOT NULL")
_NOT_NULL_PULL = text("pull_payment_id IS NOT NULL")
_HAS_AMOUNT = text("amount_msat IS NOT NULL")
_CARD_HAS_AMOUNT = text("card_id IS NOT NULL AND amount_msat IS NOT NULL")
_IS_REVERSED = text("state = 'reversed'")
_IS_COMPLETED = text("completed_at IS NOT NULL")
_CARD_IS_COMPLETED = text("card_id IS NOT NULL AND completed_at IS NOT NULL")
# What the worker and housekeeping look at.
_OPEN = text("state IN ('awaiting_approval', 'approved', 'processing', 'in_flight')")


class PayoutRow(SQLModel, table=True):
    """One payout; `state` moves only by conditional updates, `status` follows it."""

    __tablename__ = "payouts"
    __table_args__ = (
        one_of("kind", PayoutKind),
        one_of("state", PayoutState),
        one_of("status", PayoutStatus),
        one_of("destination_kind", DestinationKind),
        one_of("evidence", EvidenceGrade),
        *whole("revision", least=1),
        *whole("original_amount", least=1, most=MAX_MINOR),
        *whole("amount_msat", least=1),
        *whole("amount_sats", least=1, most=MAX_SATS),
        *whole("value_cents", most=MAX_MINOR),
        *whole("rate_numerator", least=1),
        *whole("rate_denominator", least=1),
        *whole("fee_msat"),
        *whole("debited_nanousd"),
        *whole("attempts", most=1000),
        *whole("fence"),
        CheckConstraint(
            "(state IN ('completed', 'reversed')) = (evidence IS NOT NULL)", name="evidence_settles"
        ),
        Index("ix_payouts_store_created", "store_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_payouts_store_status_created",
            "store_id",
            "status",
            text("created_at DESC"),
            text("id DESC"),
        ),
        Index(
            "ix_payouts_card_created",
            "card_id",
            text("created_at DESC"),
            text("id DESC"),
            sqlite_where=_NOT_NULL_CARD,
            postgresql_where=_NOT_NULL_CARD,
        ),
        Index(
            "ix_payouts_pull_payment_created",
            "pull_payment_id",
            text("created_at DESC"),
            text("id DESC"),
            sqlite_where=_NOT_NULL_PULL,
            postgresql_where=_NOT_NULL_PULL,
        ),
        Index(
            "ix_payouts_open",
            "state",
            "store_id",
            "created_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        # By amount: one walk for each status, merged; a range of time is judged in the index.
        Index(
            "ix_payouts_store_status_amount",
            "store_id",
            "status",
            text("amount_msat DESC"),
            text("id DESC"),
            "created_at",
            sqlite_where=_HAS_AMOUNT,
            postgresql_where=_HAS_AMOUNT,
        ),
        Index(
            "ix_payouts_card_amount",
            "card_id",
            text("amount_msat DESC"),
            text("id DESC"),
            sqlite_where=_CARD_HAS_AMOUNT,
            postgresql_where=_CARD_HAS_AMOUNT,
        ),
        Index(
            "ix_payouts_store_completed",
            "store_id",
            text("completed_at DESC"),
            text("id DESC"),
            "created_at",
            sqlite_where=_IS_COMPLETED,
            postgresql_where=_IS_COMPLETED,
        ),
        Index(
            "ix_payouts_card_completed",
            "card_id",
            text("completed_at DESC"),
            text("id DESC"),
            sqlite_where=_CARD_IS_COMPLETED,
            postgresql_where=_CARD_IS_COMPLETED,
        ),
        # The only state that is rare among those that share its status.
        Index(
            "ix_payouts_reversed",
            "store_id",
            text("created_at DESC"),
            text("id DESC"),
            sqlite_where=_IS_REVERSED,
            postgresql_where=_IS_REVERSED,
        ),
        Index("ix_payouts_store_hash", "store_id", "payment_hash"),
        Index("ix_payouts_store_destination", "store_id", "destination_start"),
    )

    id: str = Field(primary_key=True, sa_type=Prefixed)
    store_id: str = Field(foreign_key="stores.id")
    kind: PayoutKind = Field(sa_type=Word(PayoutKind))
    state: PayoutState = Field(sa_type=Word(PayoutState))
    status: PayoutStatus = Field(sa_type=Word(PayoutStatus))
    revision: int = Field(sa_type=BigInteger)
    pull_payment_id: str | None = Field(foreign_key="pull_payments.id")
    card_id: str | None = Field(foreign_key="cards.id")
    card_verified: bool
    card_hint: str | None
    tap_id: str | None
    original_amount: int = Field(sa_type=BigInteger)
    currency: str
    amount_msat: int | None = Field(sa_type=BigInteger)
    amount_sats: int | None = Field(sa_type=BigInteger)
    value_cents: int | None = Field(sa_type=BigInteger)
    rate_numerator: int | None = Field(sa_type=BigInteger)
    rate_denominator: int | None = Field(sa_type=BigInteger)
    rate_source: str | None
    rate_at: datetime | None = Field(sa_type=UtcDateTime)
    fee_msat: int | None = Field(sa_type=BigInteger)
    debited_nanousd: int | None = Field(sa_type=BigInteger)
    destination_kind: DestinationKind = Field(sa_type=Word(DestinationKind))
    # The first 64 characters, lower case: what a search may start with.
    destination_start: str = Field(sa_type=Prefixed)
    destination_sealed: bytes
    payment_hash: str | None = Field(sa_type=Prefixed)
    attempts: int = Field(sa_type=BigInteger)
    evidence: EvidenceGrade | None = Field(sa_type=Word(EvidenceGrade))
    memo: str | None
    metadata_json: str
    error_code: str | None
    error_message: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    eligible_at: datetime | None = Field(sa_type=UtcDateTime)
    approved_at: datetime | None = Field(sa_type=UtcDateTime)
    submitted_at: datetime | None = Field(sa_type=UtcDateTime)
    unknown_since: datetime | None = Field(sa_type=UtcDateTime)
    review_at: datetime | None = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    next_try_at: datetime | None = Field(sa_type=UtcDateTime)
    # SHA-256 of the k1 (or of the caller's key) that asked for it: one payout each.
    claim_key: str | None = Field(unique=True)
    wallet_id: str | None = Field(foreign_key="wallets.id")
    fence: int = Field(sa_type=BigInteger)


class PayoutWordRow(SQLModel, table=True):
    """A word of a payout's memo, for search by its start."""

    __tablename__ = "payout_words"

    store_id: str = Field(primary_key=True)
    word: str = Field(primary_key=True, sa_type=Prefixed)
    payout_id: str = Field(primary_key=True, foreign_key="payouts.id")


class AttemptRow(SQLModel, table=True):
    """One invoice for a payout; a payout has at most one live attempt."""

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("state", AttemptState),
        one_of("home", PayeeHome),
        *whole("number", least=1, most=1000),
        *whole("amount_msat", least=1),
        Index(
            "ux_attempts_live",
            "payout_id",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_attempts_payout", "payout_id", "number"),
        Index("ix_attempts_store_created", "store_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    number: int = Field(sa_type=BigInteger)
    state: AttemptState = Field(sa_type=Word(AttemptState))
    payment_hash: str = Field(unique=True)
    invoice_sealed: bytes
    amount_msat: int = Field(sa_type=BigInteger)
    invoice_expires_at: datetime = Field(sa_type=UtcDateTime)
    home: PayeeHome = Field(sa_type=Word(PayeeHome))
    verify_sealed: bytes | None
    expired_seen_at: datetime | None = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SendRow(SQLModel, table=True):
    """One request on the wire, logged before it went."""

    __tablename__ = "sends"
    __table_args__ = (
        one_of("answer", SendAnswer),
        *whole("number", least=1, most=100_000),
        *whole("fence"),
        Index("ix_sends_payout", "payout_id"),
    )

    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    attempt_id: str = Field(primary_key=True, foreign_key="attempts.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    # The key's scope at Flash is the wallet: through another wallet it would be a new payment.
    flash_wallet_id: str
    idempotency_key: str | None
    fence: int = Field(sa_type=BigInteger)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(sa_type=UtcDateTime)
    answer: SendAnswer | None = Field(sa_type=Word(SendAnswer))
    answer_code: str | None


class SightingRow(SQLModel, table=True):
    """One report about a payout, kept once per source and external id."""

    __tablename__ = "sightings"
    __table_args__ = (
        one_of("source", SightingSource),
        Index("ux_sightings_source", "source", "external_id", unique=True),
        Index("ix_sightings_payout", "payout_id"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    attempt_id: str | None
    source: SightingSource = Field(sa_type=Word(SightingSource))
    external_id: str
    says: str
    detail: str | None
    at: datetime = Field(sa_type=UtcDateTime)


class EvidenceRow(SQLModel, table=True):
    """What lets a payout be called settled; one row for each grade it has."""

    __tablename__ = "evidence"
    __table_args__ = (one_of("grade", EvidenceGrade),)

    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(primary_key=True, foreign_key="payouts.id")
    grade: EvidenceGrade = Field(primary_key=True, sa_type=Word(EvidenceGrade))
    preimage_sealed: bytes | None
    detail: str | None
    at: datetime = Field(sa_type=UtcDateTime)


class PayoutEventRow(SQLModel, table=True):
    """One row per transition, numbered by the revision it led to."""

    __tablename__ = "payout_events"
    __table_args__ = (
        one_of("target", PayoutState),
        one_of("actor_kind", ActorKind),
        *whole("number", least=1),
    )

    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(primary_key=True, foreign_key="payouts.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    source: PayoutState | None = Field(sa_type=Word(PayoutState))
    target: PayoutState = Field(sa_type=Word(PayoutState))
    at: datetime = Field(sa_type=UtcDateTime)
    actor_kind: ActorKind = Field(sa_type=Word(ActorKind))
    actor_id: str | None
    reason_code: str | None
    reason: str | None
    request_id: str | None
