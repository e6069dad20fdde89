"""Pull payments."""

from __future__ import annotations

from datetime import datetime

from app.http.shapes.shape import Shape
from models.pull_payment import PullPaymentPhase


class PullPaymentShape(Shape):
    """A budget; its links are null to whoever may not draw."""

    id: str
    store_id: str
    name: str
    currency: str
    amount: int
    min_sats: int
    max_sats: int | None
    starts_at: datetime
    expires_at: datetime | None
    auto_approve: bool
    archived: bool
    status: PullPaymentPhase
    remaining: int
    reserved: int
    paid: int
    claim_url: str | None
    lnurl: str | None
    lnurlw: str | None
    created_at: datetime


class PullPaymentsShape(Shape):
    """A page of pull payments."""

    items: list[PullPaymentShape]
    next_cursor: str | None
