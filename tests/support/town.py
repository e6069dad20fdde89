"""A store with a few days of payouts in every state, and the same known to Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta

from models.card import Card
from models.payout import Payout, PayoutKind
from models.payout_filter import PayoutFilter
from models.pull_payment import PullPayment
from models.rollup import Figure
from models.states import PayoutState, PayoutStatus
from models.store import Store
from services.storage import card as cards
from services.storage import pull_payment as pull_payments
from tests.support.builders import a_card, a_payout, a_pull_payment, bring
from tests.support.clock import NOON
from tests.support.databases import Raw

MEMOS = ("Lunch for Bob", "Café tip", "", "Refund 4711")


@dataclass(frozen=True)
class Town:
    """What was put into the database."""

    store: Store
    cards: list[Card]
    pull_payments: list[PullPayment]
    payouts: list[Payout]

    def chosen(self, wanted: PayoutFilter) -> list[Payout]:
        """Return the payouts that fit a filter, newest first, as Python sees it."""
        fits = [payout for payout in self.payouts if self._fits(payout, wanted)]
        return sorted(fits, key=lambda payout: (payout.created_at, payout.id), reverse=True)

    def figures(self, wanted: PayoutFilter) -> dict[PayoutStatus, Figure]:
        """Return the sums of what fits a filter."""
        found = dict.fromkeys(PayoutStatus, Figure())
        for payout in self.chosen(wanted):
            found[payout.status] += Figure(1, payout.amount_sats or 0, payout.value_cents or 0)
        return found

    def _fits(self, payout: Payout, wanted: PayoutFilter) -> bool:
        at, sats = payout.created_at, payout.amount_sats or 0
        card = next((card for card in self.cards if card.id == payout.card_id), None)
        return (
            (not wanted.statuses or payout.status in wanted.statuses)
            and (not wanted.states or payout.state in wanted.states)
            and (wanted.card is None or (card is not None and _names(card, wanted.card)))
            and wanted.pull_payment_id in {None, payout.pull_payment_id}
            and (wanted.min_sats is None or sats >= wanted.min_sats)
            and (wanted.max_sats is None or sats <= wanted.max_sats)
            and (wanted.starts_at is None or at >= wanted.starts_at)
            and (wanted.ends_at is None or at < wanted.ends_at)
            and (wanted.q is None or _says(payout, card, wanted.q.casefold()))
        )


def _names(card: Card, text: str) -> bool:
    return text.strip().casefold() in {card.id, card.alias.casefold()}


def _says(payout: Payout, card: Card | None, q: str) -> bool:
    texts = [payout.id, payout.payment_hash or "", payout.destination_start]
    texts += [card.alias.casefold()] if card else []
    texts += [word for word in (payout.memo or "").casefold().split() if len(word) > 2]
    return any(text.startswith(q) for text in texts)


def populate(beneath: Raw, store: Store, count: int = 60, seed: int = 1) -> Town:
    """Put payouts into a store, of four days around noon, several at one moment."""
    chance = random.Random(seed)
    pulls = [a_pull_payment(store, name="Tips"), a_pull_payment(store, name="Refunds")]
    owned = [a_card(store, pulls[0], alias=name) for name in ("Alice", "Bob has one")]
    made: list[Payout] = []
    with beneath.transaction() as tx:
        for pull in pulls:
            pull_payments.add_pull_payment(tx, pull)
        for card in owned:
            cards.add_card(tx, card)
    for number in range(count):
        card = chance.choice([None, *owned])
        pull = pulls[0] if card else chance.choice([None, *pulls])
        memo = chance.choice(MEMOS)
        payout = a_payout(
            store,
            sats=chance.choice([1, 21, 999, 1_000, 5_000]),
            kind=PayoutKind.TAP if card else chance.choice([PayoutKind.CLAIM, PayoutKind.MANUAL]),
            created_at=NOON + timedelta(minutes=15 * chance.randrange(-192, 192)),
            pull_payment_id=None if pull is None else pull.id,
            card_id=None if card is None else card.id,
            card_verified=card is not None,
            memo=memo or None,
        )
        shift = timedelta(microseconds=chance.choice([0, 0, 1, 7 * 60_000_000]))
        payout = replace(payout, created_at=payout.created_at + shift)
        target = list(PayoutState)[number % len(PayoutState)]
        with beneath.transaction(number % 3) as tx:
            made.append(bring(tx, payout, target, memo))
    return Town(store, owned, pulls, made)
