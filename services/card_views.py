"""Boltcards as people look at them: how each is used, what it drew, and its past."""

from __future__ import annotations

from datetime import timedelta

from models.card import Card
from models.card_view import CardStory, CardUse, CardView
from models.errors import NotFoundError
from models.instants import Clock
from models.rollup import Figure
from services.boltcards import Boltcards
from services.database import Database
from services.payouts import mask_uid
from services.storage import card_view as storage
from services.storage.statement import Transaction

# All-time sums would cost more every year; the last days cost the same for ever.
DRAWN_WITHIN = timedelta(days=30)
NEWEST_TAPS = 30
NEWEST_VERSIONS = 20


class CardViews:
    """Reads cards for lists and for their own page."""

    def __init__(self, database: Database, clock: Clock, boltcards: Boltcards) -> None:
        self._database = database
        self._clock = clock
        self._boltcards = boltcards

    async def newest(self, store_id: str, limit: int, *, shows_uid: bool = False) -> list[CardView]:
        """Return the newest cards of a store."""
        return await self._database.read(self._newest, store_id, limit, shows_uid)

    async def one(self, store_id: str, card_id: str, *, shows_uid: bool = False) -> CardView:
        """Return one card.

        Raises:
            NotFoundError: This store has no such card.
        """
        return await self._database.read(self._one, store_id, card_id, shows_uid)

    async def story(self, store_id: str, card_id: str, *, shows_uid: bool = False) -> CardStory:
        """Return one card with its newest taps and the keys it had.

        Raises:
            NotFoundError: This store has no such card.
        """
        return await self._database.read(self._story, store_id, card_id, shows_uid)

    def _newest(
        self, tx: Transaction, store_id: str, limit: int, shows_uid: bool
    ) -> list[CardView]:
        drawn = self._drawn(tx, store_id)
        return [
            self._shown(card, use, drawn, shows_uid)
            for card, use in storage.read_cards(tx, store_id, limit)
        ]

    def _one(self, tx: Transaction, store_id: str, card_id: str, shows_uid: bool) -> CardView:
        found = storage.read_card_use(tx, store_id, card_id)
        if found is None:
            raise NotFoundError("There is no such card.")
        return self._shown(*found, self._drawn(tx, store_id), shows_uid)

    def _story(self, tx: Transaction, store_id: str, card_id: str, shows_uid: bool) -> CardStory:
        return CardStory(
            view=self._one(tx, store_id, card_id, shows_uid),
            newest=storage.read_taps(tx, store_id, card_id, NEWEST_TAPS),
            versions=storage.read_versions(tx, store_id, card_id, NEWEST_VERSIONS),
        )

    def _drawn(self, tx: Transaction, store_id: str) -> dict[str, Figure]:
        return storage.read_drawn(tx, store_id, self._clock.utc_now() - DRAWN_WITHIN)

    def _shown(
        self, card: Card, use: CardUse, drawn: dict[str, Figure], shows_uid: bool
    ) -> CardView:
        uid = self._boltcards.uid_of(card)
        if uid is not None and not shows_uid:
            uid = mask_uid(uid)
        figure = drawn.get(card.id, Figure())
        return CardView(card, use, uid, figure.count, figure.amount_sats)
