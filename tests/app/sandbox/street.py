"""A market beside the sandbox: the real service on a real socket, that can close and open again."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.container import Container, build, running
from app.sandbox.server import Sandbox
from app.server import build_api, server_of, wrapped
from models.payout_filter import PayoutFilter
from models.payout_view import PayoutView
from models.pull_payment import PullPayment
from models.rollup import Stats
from models.states import PayoutState, PayoutStatus
from models.store import DatabaseKind, Role
from services.boltcards import NewCard
from services.pull_payments import NewPullPayment
from services.stores import NewStore
from tests.app.sandbox.actors import TOKEN
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.serving import QuietServer
from tests.support.shop import ALICE, settings_for

LOOK_S = 0.02


@dataclass
class Market:
    """A store whose cards and links the town is given."""

    container: Container
    store_id: str
    cards: list[dict[str, Any]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.container.settings.base_url

    async def fund(self, **changes: Any) -> PullPayment:
        given: dict[str, Any] = {"name": "Lunch", "currency": "SATS", "amount": 100_000_000}
        wanted = NewPullPayment(**given | {"auto_approve": True} | changes)
        return await self.container.pull_payments.create(self.store_id, wanted, ALICE)

    async def give_cards(self, fund: PullPayment, *names: str) -> None:
        for name in names:
            keys = secrets.token_bytes(16), secrets.token_bytes(16)
            uid = b"\x04" + secrets.token_bytes(6)
            wanted = NewCard(name, fund.id, uid, *keys)
            await self.container.boltcards.create(self.store_id, wanted, ALICE)
            texts = {"uid": uid.hex(), "k1": keys[0].hex(), "k2": keys[1].hex()}
            self.cards.append({"customer": name, **texts})

    def hand_out(self, key: str, fund: PullPayment) -> None:
        self.links[key] = self.container.pull_payments.claim_token(fund)

    async def key(self) -> str:
        return await self.container.stores.create_api_key(
            self.store_id, "glance", Role.VIEWER, None
        )

    def roster(self, glance: str | None = None) -> dict[str, Any]:
        return {"cards": self.cards, "links": self.links, "glance": glance}

    async def stats(self) -> Stats:
        return await self.container.figures.stats(self.store_id, PayoutFilter())

    async def views(self, *states: PayoutState) -> list[PayoutView]:
        wanted = PayoutFilter(states=states)
        return (await self.container.payouts.page(self.store_id, wanted, 200)).items

    async def until_completed(self, count: int) -> list[PayoutView]:
        async with asyncio.timeout(PATIENCE_S):
            while (await self.stats()).by_status[PayoutStatus.COMPLETED].count < count:
                await asyncio.sleep(LOOK_S)
        return await self.views(PayoutState.COMPLETED)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve taps, links and lists, on the same address each time."""
        app = build_api(self.container)
        config = server_of(wrapped(app, self.container), self.container).config
        config.timeout_graceful_shutdown = 5
        config.lifespan = "off"
        server = QuietServer(config)
        listener = bound(self.container.settings.port)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(LOOK_S)
            try:
                yield
            finally:
                server.should_exit = True


@asynccontextmanager
async def market(sandbox: Sandbox, database_url: str, folder: Path) -> AsyncIterator[Market]:
    """Found a store that pays through the sandbox; it is closed until it is opened."""
    flash = {"flash_api_url": sandbox.api_url, "flash_ws_url": sandbox.ws_url}
    settings = settings_for(database_url, folder, **flash, flash_token=TOKEN, port=free_port())
    container = build(settings, DatabaseKind.DEMO)
    made = await container.stores.init(NewStore("Market", "alice@example.com"), DatabaseKind.DEMO)
    async with running(container):
        await _connected(container, made.store_id)
        yield Market(container, made.store_id)


def bound(port: int) -> socket.socket:
    """Return a bound socket on this machine; while the market is closed, nothing listens."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


async def _connected(container: Container, store_id: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (
            store_id in container.connected
            and container.connected[store_id].worker.health.connected
            and container.socket_state(store_id) == "live"
        ):
            await asyncio.sleep(LOOK_S)
