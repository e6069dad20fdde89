"""What a filter can be chosen from, and the names of what was chosen."""

from __future__ import annotations

from models.choice import Choice
from models.payout_filter import PayoutFilter
from services.boltcards import Boltcards
from services.database import Database
from services.payouts import NO_CARD, resolve_card
from services.storage import card as cards
from services.storage import pull_payment_name as pull_payments
from services.storage.statement import Transaction

NEWEST = 200


class Choices:
    """Names pull payments and cards for people who filter by them."""

    def __init__(self, database: Database, boltcards: Boltcards) -> None:
        self._database = database
        self._boltcards = boltcards

    async def pull_payments(self, store_id: str) -> list[Choice]:
        """Return the newest pull payments of a store."""
        return await self._database.read(pull_payments.newest_names, store_id, NEWEST)

    async def names(self, store_id: str, wanted: PayoutFilter) -> dict[str, str]:
        """Return the names of a filter's card and pull payment, where there are such."""
        if wanted.card is None and wanted.pull_payment_id is None:
            return {}
        return await self._database.read(self._names, store_id, wanted)

    def _names(self, tx: Transaction, store_id: str, wanted: PayoutFilter) -> dict[str, str]:
        found: dict[str, str] = {}
        card_id = resolve_card(tx, self._boltcards, store_id, wanted.card)
        if card_id is not None and card_id != NO_CARD:
            card = cards.read_card(tx, store_id, card_id)
            if card is not None:
                found["card"] = card.alias
        if wanted.pull_payment_id is not None:
            name = pull_payments.read_name(tx, store_id, wanted.pull_payment_id)
            if name is not None:
                found["pull_payment"] = name
        return found
