"""Boltcards, their taps, and the links and keys for programming them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.http.shapes.shape import Shape
from models.card_link import LinkAction
from models.states import PayoutStatus


class CardShape(Shape):
    """A card; its UID is masked to whoever may not see it whole."""

    id: str
    store_id: str
    alias: str
    pull_payment_id: str
    uid: str | None
    active: bool
    lnurlw_base: str
    created_at: datetime
    last_used_at: datetime | None


class CardsShape(Shape):
    """A page of cards."""

    items: list[CardShape]
    next_cursor: str | None


class TapShape(Shape):
    """An accepted read of a card, and what came of it."""

    at: datetime
    key_version: int
    counter: int
    payout_id: str | None
    status: PayoutStatus | None
    amount_sats: int | None


class TapsShape(Shape):
    """The newest taps of a card."""

    items: list[TapShape]


class LinkShape(Shape):
    """A link that hands a card's keys out once."""

    id: str
    action: LinkAction
    url: str
    deeplink: str
    scan_url: str | None
    expires_at: datetime


class WipeShape(Shape):
    """The keys of a card, as the programmer app takes them to reset it."""

    version: Literal[1]
    action: Literal["wipe"]
    k0: str
    k1: str
    k2: str
    k3: str
    k4: str
