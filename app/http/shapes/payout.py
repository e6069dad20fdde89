"""Payouts, their events and holds, and what a new one would come to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.http.shapes.shape import ActorShape, RateShape, Shape
from models.payout import DestinationKind, EvidenceGrade, PayoutKind
from models.states import PayoutState, PayoutStatus


class PayoutShape(Shape):
    """A payout; amounts are null until they are known."""

    id: str
    store_id: str
    pull_payment_id: str | None
    kind: PayoutKind
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
    rate: RateShape | None
    boltcard_id: str | None
    boltcard_alias: str | None
    boltcard_uid: str | None
    card_verified: bool
    destination: str
    payment_hash: str | None
    preimage: str | None
    evidence: EvidenceGrade | None
    attempts: int
    risk: str | None
    memo: str | None
    error_code: str | None
    error_message: str | None
    metadata: dict[str, Any]
    created_at: datetime
    approved_at: datetime | None
    submitted_at: datetime | None
    completed_at: datetime | None


class PayoutsShape(Shape):
    """A page of payouts."""

    items: list[PayoutShape]
    next_cursor: str | None


class EventShape(Shape):
    """One transition of a payout."""

    number: int
    from_: Annotated[PayoutState | None, Field(alias="from")]
    to: PayoutState
    at: datetime
    actor: ActorShape
    reason_code: str | None
    reason: str | None


class EventsShape(Shape):
    """All transitions of a payout, in order."""

    items: list[EventShape]
    next_cursor: None


class DecidedShape(Shape):
    """What came of one item of a batch."""

    id: str
    ok: Literal[True]


class UndecidedShape(Shape):
    """Why one item of a batch was not decided."""

    id: str
    ok: Literal[False]
    code: str


class BatchShape(Shape):
    """What came of each item, in the order asked."""

    items: list[DecidedShape | UndecidedShape]


class HoldShape(Shape):
    """A stop on one payout."""

    id: str
    reason: str
    release_at: datetime | None
    placed_at: datetime
    placed_by: ActorShape
    released_at: datetime | None
    released_by: str | None


class HoldsShape(Shape):
    """Every hold a payout has had, in order."""

    items: list[HoldShape]
    next_cursor: None


class PreviewShape(Shape):
    """What a payout would come to."""

    destination_kind: DestinationKind
    destination: str
    host: str | None
    callback_host: str | None
    description: str | None
    amount_msat: int
    amount_sats: int
    original_amount: int
    currency: str
    value_cents: int | None
    rate: RateShape | None
    locked_until: datetime | None
    invoice_expires_at: datetime | None
    risk: str | None
    needs_approval: bool


class SuccessActionShape(Shape):
    """What the recipient wants shown, once it is paid; all null where there is nothing."""

    kind: Literal["message", "url", "aes"] | None
    text: str | None
    url: str | None
    secret: str | None
