"""Founds the market: the store, its funds and its cards, through the same services as any other.

Only the clock is not the machine's: it stands where the past begins.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.container import Container
from app.demo.plan import INDEX, Plan
from app.sandbox.town_roster import Roster, TownCard
from app.sandbox.townsfolk import (
    CURRENCY,
    CUSTOMERS,
    FUNDS,
    OWNER_EMAIL,
    STORE_NAME,
    TIME_ZONE,
    Customer,
    Fund,
)
from models.instants import from_us
from models.pull_payment import PullPayment
from models.store import Actor, ActorKind, DatabaseKind, Role
from services.boltcards import NewCard
from services.card_crypto import UID_LENGTH, derive_keys
from services.pull_payments import NewPullPayment
from services.storage import card as cards
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.bulk import read_audit_count
from services.storage.statement import Transaction
from services.stores import NewStore

FIRST_BUDGET: Final = {"SATS": 1_000_000, "USD": 100_000}
FAIR_RUNS_ON: Final = timedelta(days=2)
_NXP: Final = b"\x04"
_LEASE: Final = timedelta(seconds=15)


class PastClock:
    """Stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def utc_now(self) -> datetime:
        """Return the moment it stands at, and move on by a second."""
        now = self.now
        self.now += timedelta(seconds=1)
        return now


@dataclass(frozen=True, slots=True)
class Market:
    """What was founded, with the secrets of its cards and links."""

    store_id: str
    owner_id: str
    wallet_id: str
    data_key: tuple[int, bytes]
    funds: dict[str, str]
    cards: dict[int, tuple[str, str]]
    roster: Roster
    audit_count: int


async def found(container: Container, plan: Plan) -> Market:
    """Make the store with everything that its past needs to be there."""
    wanted = NewStore(STORE_NAME, OWNER_EMAIL, CURRENCY, TIME_ZONE)
    made = await container.stores.init(wanted, DatabaseKind.DEMO)
    owner = Actor(ActorKind.PERSON, made.user_id)
    funds = {
        fund.key: await container.pull_payments.create(made.store_id, _new(fund, plan), owner)
        for fund in FUNDS
    }
    holders = [customer for customer in CUSTOMERS if customer.has_card]
    people = _People(container, made.store_id, owner, random.Random(f"{plan.seed}:cards"))
    held = [await people.give_card(customer, funds[customer.fund].id) for customer in holders]
    glance = await container.stores.create_api_key(
        made.store_id, "Town, looking at the queue", Role.VIEWER, None, owner
    )
    database = container.database
    sealed = await database.read(stores.read_data_keys)
    wallet_id = await database.write(_first_fence, made.store_id, container.clock.utc_now())
    return Market(
        store_id=made.store_id,
        owner_id=made.user_id,
        wallet_id=wallet_id,
        data_key=next((version, key) for store, version, key in sealed if store == made.store_id),
        funds={key: fund.id for key, fund in funds.items()},
        cards={INDEX[card.customer]: ids for card, ids in held},
        roster=Roster(tuple(card for card, _ in held), _links(container, funds), glance),
        audit_count=await database.read(read_audit_count, made.store_id),
    )


def _new(fund: Fund, plan: Plan) -> NewPullPayment:
    starts_at = expires_at = None
    if not fund.is_open:
        starts_at = from_us(plan.fair_start_us)
        expires_at = from_us(plan.fair_end_us) + FAIR_RUNS_ON
    return NewPullPayment(
        name=fund.name,
        currency=fund.currency,
        amount=FIRST_BUDGET[fund.currency],
        auto_approve=fund.auto_approve,
        min_sats=fund.min_sats,
        max_sats=fund.max_sats,
        starts_at=starts_at,
        expires_at=expires_at,
    )


def _links(container: Container, funds: dict[str, PullPayment]) -> dict[str, str]:
    """Return the claim tokens of those funds that people draw from by a link."""
    by_link = {customer.fund for customer in CUSTOMERS if not customer.has_card}
    return {
        fund.key: container.pull_payments.claim_token(funds[fund.key])
        for fund in FUNDS
        if fund.is_open and fund.key in by_link
    }


class _People:
    """Gives out cards."""

    def __init__(
        self, container: Container, store_id: str, owner: Actor, chance: random.Random
    ) -> None:
        self._container = container
        self._store_id = store_id
        self._owner = owner
        self._chance = chance
        self._issuer_key: bytes | None = None

    async def give_card(
        self, customer: Customer, pull_payment_id: str
    ) -> tuple[TownCard, tuple[str, str]]:
        """Register a card and return its chip, and the ids of card and key set."""
        container, store_id = self._container, self._store_id
        uid = _NXP + self._chance.randbytes(UID_LENGTH - 1)
        wanted = NewCard(customer.name, pull_payment_id, uid)
        card = await container.boltcards.create(store_id, wanted, self._owner)
        key_set = await container.database.read(cards.current_keys, store_id, card.id)
        assert key_set is not None
        keys = derive_keys(await self._issuer(), uid, key_set.version)
        chip = TownCard(customer.name, uid.hex(), keys.k1.hex(), keys.k2.hex())
        return chip, (card.id, key_set.id)

    async def _issuer(self) -> bytes:
        if self._issuer_key is None:
            sealed = await self._container.database.read(stores.read_issuer_key, self._store_id)
            place = f"stores/{self._store_id}/issuer_key"
            self._issuer_key = self._container.vault.of(self._store_id).open(sealed, place)
        return self._issuer_key


def _first_fence(tx: Transaction, store_id: str, now: datetime) -> str:
    """Let the worker of the past have held the wallet once, under fence 1."""
    wallet = wallets.read_wallet(tx, store_id)
    assert wallet is not None
    fence = wallets.take_lease(tx, wallet, "history", now, _LEASE)
    assert fence == 1
    wallets.release_lease(tx, wallet, fence)
    return wallet.id
