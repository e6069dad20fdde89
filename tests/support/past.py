"""Payouts of every kind that a store may have behind it, put straight into the database."""

from __future__ import annotations

import json
import random
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from models.card import Card
from models.money import MAX_MINOR
from models.payout import DestinationKind, Evidence, EvidenceGrade, Payout, PayoutKind
from models.pull_payment import PullPayment
from models.states import STATUS, PayoutState
from services.plain_words import search_words
from services.storage import attempt as attempts
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage.rollup import roll_up
from services.storage.statement import Transaction, record
from tests.support.builders import a_card, a_payout, a_pull_payment
from tests.support.clock import NOON
from tests.support.shop import Shop

SETTLED = frozenset({PayoutState.COMPLETED, PayoutState.REVERSED})
DANGEROUS = (
    "=1+1",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1)",
    "\tcmd",
    "\rcmd",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
    "  =HYPERLINK(0)",
)
HARMLESS = (
    "<r><t>rich</t></r>",
    "a & b < c ]]> _x0041_ \x01",
    " blanks ",
    "coffee and cake",
    "Grüße, 你好 🙂",
    'say "hi", twice',
    "line\nbreak",
    "https://example.com",
    "",
)


@dataclass
class Past:
    """What was planted; a test looks things up in it."""

    shop: Shop
    pull_payments: list[PullPayment]
    cards: list[Card]
    uids: list[str]
    payouts: list[Payout] = field(default_factory=list)

    async def add(self, *planned: Payout, preimage: str | None = None) -> None:
        """Put payouts into the database, with all that belongs to them."""
        await self.shop.container.database.write(self._add, planned, preimage)
        self.payouts += planned

    def _add(self, tx: Transaction, planned: tuple[Payout, ...], preimage: str | None) -> None:
        sealer = self.shop.container.vault.of(self.shop.store.id)
        for payout in planned:
            place = f"payouts/{payout.id}/destination"
            sealed = sealer.seal_text(f"{payout.destination_start}rest", place)
            tx.run(payouts._ADD, **record(replace(payout, destination_sealed=sealed)))
            store_id = payout.store_id
            for word in search_words(payout.memo or ""):
                tx.run(payouts._ADD_WORD, store_id=store_id, word=word, payout_id=payout.id)
            if payout.evidence is not None:
                secret = preimage or secrets.token_hex(32)
                sealed = sealer.seal_text(secret, f"evidence/{payout.id}/preimage")
                has_secret = payout.evidence is EvidenceGrade.PREIMAGE
                grade, at = payout.evidence, payout.created_at
                attempts.add_evidence(
                    tx,
                    Evidence(store_id, payout.id, grade, sealed if has_secret else None, None, at),
                )
            roll_up(tx, None, payout)

    async def grow(self, count: int, seed: int = 1, days: int = 40) -> None:
        """Add payouts of all sorts, the newest of them at noon."""
        chance = random.Random(seed)
        await self.add(*(self.one(chance, days) for _ in range(count)))

    def one(self, chance: random.Random, days: int = 40) -> Payout:
        """Return a payout that chance made up."""
        state = chance.choice(list(PayoutState))
        at = NOON - timedelta(
            seconds=chance.randrange(days * 86_400), microseconds=chance.randrange(10**6)
        )
        card = chance.choice([None, *self.cards])
        sats = chance.choice([1, 21, 1_000, chance.randrange(1, 10**6)])
        changes: dict[str, Any] = {
            "created_at": at,
            "kind": chance.choice(list(PayoutKind)),
            "state": state,
            "status": STATUS[state],
            "revision": chance.randrange(1, 9),
            "pull_payment_id": chance.choice([None, *(p.id for p in self.pull_payments)]),
            "card_id": None if card is None else card.id,
            "card_verified": card is not None and chance.random() < 0.8,
            "card_hint": chance.choice([None, "04aabb", *DANGEROUS]),
            "amount_msat": sats * 1000 - chance.choice([0, 1, 999]),
            "value_cents": chance.choice([None, 0, chance.randrange(10**6)]),
            "destination_kind": chance.choice(list(DestinationKind)),
            "destination_start": chance.choice(["lnbc1u1p", "lnurl1dp", "alice@ln.tld", "=cmd@x"]),
            "payment_hash": chance.choice([None, f"{chance.getrandbits(256):064x}"]),
            "evidence": chance.choice(list(EvidenceGrade)) if state in SETTLED else None,
            "attempts": chance.randrange(4),
            "memo": chance.choice([None, *HARMLESS, *DANGEROUS]),
            "metadata_json": chance.choice(["{}", json.dumps({"a": "=1", "b": [1, None, "ü"]})]),
            "fee_msat": chance.choice([None, 0, 1_234]),
            "debited_nanousd": chance.choice([None, 10**15 + 7, 12_345]),
            **_settling(chance, at),
        }
        payout = a_payout(self.shop.store, **changes)
        if chance.random() < 0.1:  # not quoted yet
            fiat = {"currency": "USD", "original_amount": chance.randrange(1, MAX_MINOR)}
            return replace(payout, amount_msat=None, amount_sats=None, **fiat)
        return payout


def _settling(chance: random.Random, at: datetime) -> dict[str, Any]:
    later = at + timedelta(milliseconds=chance.randrange(10_000))
    changes: dict[str, Any] = {
        name: chance.choice([None, later])
        for name in ("approved_at", "submitted_at", "completed_at")
    }
    if chance.random() < 0.5:
        changes |= {"error_code": "no_route", "error_message": chance.choice(DANGEROUS)}
    if chance.random() < 0.5:
        changes |= {
            "rate_numerator": 61_234,
            "rate_denominator": 1_000_000,
            "rate_source": "flash",
            "rate_at": at,
        }
    return changes


async def plant_past(shop: Shop) -> Past:
    """Give a store two pull payments and a few cards, one of which has shown no UID yet."""
    sealer = shop.container.vault.of(shop.store.id)
    pulls = [a_pull_payment(shop.store), a_pull_payment(shop.store)]
    uids = [secrets.token_hex(7) for _ in range(2)]
    made = [
        a_card(shop.store, pulls[0], alias="=Till 1"),
        a_card(shop.store, pulls[1], alias="Zoë"),
    ]
    held = [
        replace(
            card,
            uid_hash=shop.container.boltcards.uid_hash(bytes.fromhex(uid)),
            uid_sealed=sealer.seal(bytes.fromhex(uid), f"cards/{card.id}/uid"),
        )
        for card, uid in zip(made, uids, strict=True)
    ]
    held.append(a_card(shop.store, pulls[0], alias="new one"))

    def add(tx: Transaction) -> None:
        for pull in pulls:
            pull_payments.add_pull_payment(tx, pull)
        for card in held:
            cards.add_card(tx, card)

    await shop.container.database.write(add)
    return Past(shop, pulls, held, uids)
