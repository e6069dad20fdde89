"""What the payouts of a page have in common: their cards, and the names of pull payments."""

from __future__ import annotations

from models.card import Card
from models.payout import Payout
from services.storage import card as cards
from services.storage import pull_payment_name as pull_payments
from services.storage.statement import Transaction


class Familiar:
    """What several payouts of a page share, read once."""

    def __init__(self) -> None:
        self._cards: dict[str, Card | None] = {}
        self._names: dict[str, str | None] = {}

    def card(self, tx: Transaction, payout: Payout) -> Card | None:
        """Return the card of a payout."""
        if payout.card_id is None:
            return None
        if payout.card_id not in self._cards:
            self._cards[payout.card_id] = cards.read_card(tx, payout.store_id, payout.card_id)
        return self._cards[payout.card_id]

    def pull_payment_name(self, tx: Transaction, payout: Payout) -> str | None:
        """Return the name of the pull payment a payout draws from."""
        found = payout.pull_payment_id
        if found is None:
            return None
        if found not in self._names:
            self._names[found] = pull_payments.read_name(tx, payout.store_id, found)
        return self._names[found]
