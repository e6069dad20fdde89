"""A shop for tests: the whole container on a real database, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.container import Connected, Container, build, running
from app.settings import Settings
from models.card import Card
from models.ids import PAYOUT
from models.payout import Attempt, Payout, Send, Sighting
from models.permission import ALLOWED, SCOPES
from models.pull_payment import PullPayment
from models.states import PayoutState
from models.store import Actor, ActorKind, DatabaseKind, Role, Store
from models.wallet import Wallet
from services import bolt11
from services.boltcards import OpenTap
from services.pull_payments import NewPullPayment
from services.sender import Memory
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.stores import NewStore
from services.withdrawals import Claim
from tests.support.cards import VirtualCard
from tests.support.clock import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import FlashAccount, Hand

ALICE = Actor(ActorKind.PERSON, "us_alice")
LOOK_S = 0.005


def settings_for(database_url: str, folder: Path, **more: Any) -> Settings:
    """Return settings that know nothing of this machine's environment."""
    given: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": folder,
        "master_key_file": folder / "master.key",
        "flash_requests_per_minute": 1_000_000,
        "flash_api_url": "http://127.0.0.1:1/graphql",  # nothing asks the real one
        "flash_ws_url": "ws://127.0.0.1:1/graphql",
        "flash_token": None,
        "flash_api_key": None,
    }
    return Settings(_env_file=None, **given | more)


def through(hand: Hand, account: FlashAccount | None, **more: Any) -> dict[str, Any]:
    """Return the settings that connect a shop to the sandbox."""
    token = None if account is None else account.token
    urls = {"flash_api_url": hand.sandbox.api_url, "flash_ws_url": hand.sandbox.ws_url}
    return urls | {"flash_token": token} | more


@dataclass
class Shop:
    """One store with everything that serves it."""

    container: Container
    clock: HandClock
    store: Store
    _callers: list[asyncio.Task[Any]] = field(default_factory=list)

    @property
    def connected(self) -> Connected:
        """Return its worker and sockets."""
        return self.container.connected[self.store.id]

    async def pull_payment(self, **changes: Any) -> PullPayment:
        """Make a pull payment of a million sats that approves itself."""
        given: dict[str, Any] = {"name": "Tips", "currency": "SATS", "amount": 1_000_000}
        wanted = NewPullPayment(**given | {"auto_approve": True} | changes)
        return await self.container.pull_payments.create(self.store.id, wanted, ALICE)

    async def card(
        self, virtual: VirtualCard, pull_payment: PullPayment, alias: str = "Alice", **more: Any
    ) -> Card:
        """Register a card."""
        wanted = virtual.as_new(alias, pull_payment.id, **more)
        return await self.container.boltcards.create(self.store.id, wanted, ALICE)

    async def claim(self, pull_payment: PullPayment, pr: str, k1: str | None = None) -> Payout:
        """Draw by a link and wait for the answer, as a wallet does."""
        token = self.container.pull_payments.claim_token(pull_payment)
        if k1 is None:
            k1 = (await self.container.withdrawals.offer_link(token)).k1
        asked = Claim(k1, bolt11.decode(pr), None, token)
        return await self.container.withdrawals.claim(asked)

    async def tap(self, virtual: VirtualCard, hint: str | None = None) -> OpenTap:
        """Hold a card to the till."""
        return await self.container.boltcards.take_tap(virtual.tap(), hint)

    async def claim_tap(self, opened: OpenTap, pr: str) -> Payout:
        """Draw by a tap and wait for the answer, as a till does."""
        return await self.container.withdrawals.claim(
            Claim(opened.k1, bolt11.decode(pr), None, None)
        )

    async def draw(self, pull_payment: PullPayment, pr: str) -> str:
        """Draw by a link and hang up once the payout is reserved; returns its id."""
        payment_hash = bolt11.decode(pr).payment_hash
        with self.container.hub.listen_store(self.store.id) as changes:
            caller = asyncio.create_task(self.claim(pull_payment, pr))
            self._callers.append(caller)
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    found = await self.container.database.read(attempts.find_attempt, payment_hash)
                    if found is not None:
                        return found.payout_id
                    if caller.done():
                        return caller.result().id
                    await changes.wait(LOOK_S)

    async def payout(self, payout_id: str) -> Payout:
        """Read a payout."""
        read = self.container.database.read
        found = await read(payouts.read_payout, self.store.id, payout_id)
        assert found is not None
        return found

    async def reaches(self, payout_id: str, *states: PayoutState) -> Payout:
        """Wait until a payout is in one of some states."""
        with self.container.hub.listen_payout(payout_id) as changes:
            async with asyncio.timeout(PATIENCE_S):
                while (found := await self.payout(payout_id)).state not in states:
                    await changes.wait(1.0)
        return found

    async def attempt(self, payout_id: str) -> Attempt:
        """Read the only attempt of a payout."""
        read = self.container.database.read
        (found,) = await read(attempts.read_attempts, self.store.id, payout_id)
        return found

    async def sends(self, payout_id: str) -> list[Send]:
        """Read what was sent for a payout."""
        return await self.container.database.read(attempts.read_sends, self.store.id, payout_id)

    async def sightings(self, payout_id: str) -> list[Sighting]:
        """Read what was reported of a payout."""
        return await self.container.database.read(attempts.read_sightings, self.store.id, payout_id)

    async def path(self, payout_id: str) -> list[str]:
        """Return the states a payout went through."""
        events = await self.container.payouts.events(self.store.id, payout_id)
        return [str(event.target) for event in events]

    async def wallet(self) -> Wallet:
        """Read the wallet."""
        return await self.container.wallets.read(self.store.id)

    async def alerts(self) -> list[str]:
        """Return the topics of the alerts that were not told yet."""
        return [
            alert.topic for alert in await self.container.database.read(wallets.read_alerts, 100)
        ]

    async def is_ready(self) -> None:
        """Wait until the worker may send and the public socket is live."""
        async with asyncio.timeout(PATIENCE_S):
            while not (
                self.store.id in self.container.connected
                and self.connected.worker.health.connected
                and self.container.socket_state(self.store.id) == "live"
            ):
                await asyncio.sleep(LOOK_S)

    async def looks_at_the_wallet(self) -> None:
        """Have the worker begin anew, and so ask Flash at once which wallet pays."""
        name, supervisor = f"worker {self.store.id}", self.container.supervisor
        await supervisor.end(name)
        supervisor.start(name, self.connected.worker.run)
        await self.is_ready()

    async def comes_to_rest(self) -> None:
        """Wait until the worker has looked at everything and nothing is due before later."""
        worker, now = self.connected.worker, self.clock.utc_now()
        worker.wake.set()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await asyncio.sleep(LOOK_S)
                found = await self.container.database.read(_read_open_work, self.store.id)
                seen = [worker._memory.get(payout_id) for payout_id in found]
                is_idle = not worker._busy and not worker.wake.is_set()
                if is_idle and all(known is not None and _is_later(known, now) for known in seen):
                    return

    async def later(self, hand: Hand, **parts: float) -> None:
        """Let time pass, here and in the sandbox, and wait until all that fell due is done."""
        passed = timedelta(**parts)
        self.clock.advance(**parts)
        await hand.advance(int(passed.total_seconds()))
        await self.comes_to_rest()

    async def hang_up(self) -> None:
        """End the calls that nobody waits for."""
        for caller in self._callers:
            caller.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await caller


def _read_open_work(tx: Transaction, store_id: str) -> list[str]:
    """Return what is open, as of one moment: between two reads a payout would move unseen."""
    return [
        payout.id
        for state in (PayoutState.APPROVED, PayoutState.PROCESSING, PayoutState.IN_FLIGHT)
        for payout in attempts.read_open_work(tx, store_id, state, 500)
    ]


def _is_later(memory: Memory, now: datetime) -> bool:
    return memory.due is not None and memory.due > now


def new_payout_id(shop: Shop) -> str:
    """Return an id that no payout has."""
    return shop.container.ids.new(PAYOUT)


async def open_store(container: Container, **more: Any) -> Store:
    """Make a store."""
    wanted = NewStore(**{"name": "Corner Café", "owner_email": "alice@example.com"} | more)
    made = await container.stores.init(wanted, container.kind)
    found = await container.stores.read(made.store_id)
    assert found is not None
    return found


async def api_key(container: Container, store: Store, role: Role = Role.OWNER) -> str:
    """Make a key of a store that may all that its role allows, by name."""
    scopes = frozenset(each for each in SCOPES if role in ALLOWED[each])
    make = container.stores.create_api_key
    return await make(store.id, str(role), role, None, scopes=scopes)


@asynccontextmanager
async def closed_shop(
    settings: Settings, clock: HandClock, kind: DatabaseKind = DatabaseKind.REAL, **store: Any
) -> AsyncIterator[Shop]:
    """Build a shop without any background loop."""
    container = build(settings, kind, clock)
    try:
        shop = Shop(container, clock, await open_store(container, **store))
        yield shop
        await shop.hang_up()
    finally:
        await asyncio.to_thread(container.database.close)


@asynccontextmanager
async def open_shop(settings: Settings, clock: HandClock, **store: Any) -> AsyncIterator[Shop]:
    """Run a shop that is connected to the sandbox, and wait until it can pay."""
    container = build(settings, DatabaseKind.DEMO, clock)
    made = await open_store(container, **store)
    async with running(container):
        shop = Shop(container, clock, made)
        container.withdrawals.wait_s = PATIENCE_S  # how soon Flash answers is the machine's affair
        if settings.flash is not None:
            await shop.is_ready()
        yield shop
        await shop.hang_up()
