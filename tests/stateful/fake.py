"""Flash without sockets: the sandbox's own world and answers, reached through a network of ours.

Only the network between is made up: it delivers, loses, delays, or never answers. Every send that
arrives is held against what the service has written down before.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import aiohttp
import httpx
from graphql import GraphQLSchema
from starlette.applications import Starlette

from app.sandbox import ledger_sql as sql
from app.sandbox import schema as api
from app.sandbox.accounts import Wallet
from app.sandbox.address_host import AddressHost
from app.sandbox.gateway import Gateway
from app.sandbox.misfortune import TRANSPORT
from app.sandbox.settings import SandboxSettings
from app.sandbox.world import DEFAULT_USERNAME, World
from models.errors import GatewayError
from models.flash import InvoiceStatus
from models.instants import from_us
from models.money import Rate
from services import bolt11
from services.bolt11_encode import sign_invoice
from tests.stateful.virtual import StepWriter, VirtualLoop, WallClock

if TYPE_CHECKING:
    from tests.stateful.near import NearSocket

HOST = "127.0.0.1:9"
API_KEY = f"fk_{'5' * 8}_{'s' * 64}"
OPENING_CENTS = 2_000_000
USD_PER_BTC = 100_000
Way = Literal["delivered", "lost", "late", "unanswered"]
_SEND = "PaymentSend"
_PAYEE_KEY = b"\x11" * 32


@cache
def _schema() -> GraphQLSchema:
    return api.build("2026-08")


@dataclass
class Flash:
    """The sandbox's world, the network that leads to it, and the sockets it tells of payments."""

    world: World
    loop: VirtualLoop
    wall: WallClock
    chance: random.Random
    _closing: asyncio.Event
    _keeper: asyncio.Task[None]
    # Tells how many sends of a payment hash are written down; a request beyond that is a scandal.
    written_down: Callable[[str], int] = lambda _hash: 0
    ways: deque[Way] = field(default_factory=deque)
    late_s: float = 30.0
    on_the_way: int = 0
    is_away: bool = False
    host_is_away: bool = False
    sockets: list[NearSocket] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)
    scandals: list[str] = field(default_factory=list)
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    @classmethod
    async def open(cls, folder: Path, loop: VirtualLoop, wall: WallClock, seed: int) -> Flash:
        settings = SandboxSettings(
            ledger=folder / "flash.db", pace=False, api_key=API_KEY, opening_cents=OPENING_CENTS
        )
        opened: asyncio.Future[World] = loop.create_future()
        closing = asyncio.Event()
        keeper = loop.create_task(_keep_open(settings, wall, opened, closing))
        world = await opened
        world.origin = f"http://{HOST}"
        await world.set_price(USD_PER_BTC * 10**9, is_held=True)
        self = cls(world, loop, wall, random.Random(seed), closing, keeper)
        self._gateway = Gateway(world, _schema())
        host = Starlette(routes=AddressHost(world).routes())
        self._host = httpx.ASGITransport(app=host)
        self.spawn(self._tell_of_payments())
        return self

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        self._closing.set()
        await self._keeper

    @property
    def wallet(self) -> Wallet:
        account = self.world.accounts.named(DEFAULT_USERNAME)
        assert account is not None
        return self.world.cash_wallet(account)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have something done whatever becomes of whoever asked."""
        task = self.loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def ledger(self) -> list[dict[str, Any]]:
        """Return every payment that was ever begun."""
        return self.world.ledger.rows(sql.LEDGER_SINCE, 0, 100_000)

    async def pass_on(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Carry a request to Flash and its answer back, or lose either.

        Raises:
            aiohttp.ClientError: There was no answer; Flash may have got the request all the same.
        """
        way: Way = "delivered"
        if _SEND in body.decode():
            way = self.ways.popleft() if self.ways else way
        if self.is_away or way == "lost":
            raise aiohttp.ServerDisconnectedError
        if way == "late":
            self.spawn(self._deliver_late(body, headers))
            raise aiohttp.ServerDisconnectedError
        delivery = self.spawn(self._deliver(body, headers))
        answer = await asyncio.shield(delivery)
        if way == "unanswered":
            await asyncio.sleep(3_600)
        if answer is None:
            raise aiohttp.ServerDisconnectedError
        return cast("tuple[int, bytes]", answer)

    async def _deliver_late(self, body: bytes, headers: dict[str, str]) -> None:
        self.on_the_way += 1
        await self.world.timetable.sleep(int(self.late_s * 1000))
        await self._deliver(body, headers)
        self.on_the_way -= 1

    async def _deliver(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        """Have Flash answer one request; nothing comes back where it cuts the line."""
        self._hold_against_the_books(body)
        parts: list[dict[str, Any]] = []
        told = iter([{"type": "http.request", "body": body}])

        async def receive() -> dict[str, Any]:
            return next(told, {"type": "http.disconnect"})

        async def send(part: Any) -> None:
            parts.append(part)

        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": raw}
        await self._gateway({**scope, TRANSPORT: _NoLine()}, receive, cast("Any", send))
        return (int(parts[0]["status"]), bytes(parts[1]["body"])) if parts else None

    def _hold_against_the_books(self, body: bytes) -> None:
        """Note a send that nobody has written down before it left (P7)."""
        if _SEND not in body.decode():
            return
        given = json.loads(body)["variables"]["input"]
        payment_hash = bolt11.decode(given["paymentRequest"]).payment_hash
        self.arrived[payment_hash] += 1
        if self.arrived[payment_hash] > self.written_down(payment_hash):
            self.scandals.append(f"{payment_hash} was sent before it was written down")

    async def answer_stranger(self, url: str) -> bytes:
        """Answer as the Lightning Address host, which is Flash's own.

        Raises:
            GatewayError: It is away.
        """
        if self.host_is_away:
            raise GatewayError("The recipient's server could not be reached.")
        answer = await self._host.handle_async_request(httpx.Request("GET", url))
        return await answer.aread()

    async def _tell_of_payments(self) -> None:
        """Tell the sockets what Flash tells: that an invoice of its own was paid, now and then."""
        with self.world.outcomes() as feed:
            async for outcome in feed:
                if outcome.state != "settled" or outcome.payee_wallet_id is None:
                    continue
                for socket in self.sockets:
                    for _ in range(self.chance.choice((0, 1, 1, 2))):
                        after_s = self.chance.choice((0.0, 0.02, 4.0))
                        self.spawn(socket.tell(outcome.payment_hash, InvoiceStatus.PAID, after_s))

    def tell_price(self) -> None:
        """Publish the price, as Flash does every half minute."""
        nanousd = self.world.nanousd_per_btc()
        now = from_us(self.world.clock.now_ms() * 1000)
        rate = Rate("USD", nanousd // 1_000, 10**12, "flash", now.replace(microsecond=0))
        for socket in self.sockets:
            socket.take_price(rate)

    def foreign_invoice(self, number: int, amount_msat: int | None, expiry_s: int) -> str:
        """Return an invoice of somebody with a wallet elsewhere."""
        preimage = sha256(b"stateful %d" % number).digest()
        return sign_invoice(
            _PAYEE_KEY,
            amount_msat=amount_msat,
            payment_hash=sha256(preimage).digest(),
            payment_secret=preimage[::-1],
            timestamp_s=self.world.clock.now_s(),
            expiry_s=expiry_s,
            description="",
        )


async def _keep_open(
    settings: SandboxSettings,
    wall: WallClock,
    opened: asyncio.Future[World],
    closing: asyncio.Event,
) -> None:
    async with World.open(settings, wall.now_ms, cast("Any", StepWriter)) as world:
        opened.set_result(world)
        await closing.wait()


class _NoLine:
    """A connection to cut that is none."""

    def abort(self) -> None:
        return
