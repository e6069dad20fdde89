"""What one process of the service reaches the outside by: its database, Flash, and strangers.

Each breathes before it does anything: that is where others go first, and where a process that is
stalled or dead goes no further.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Self, cast

from models.errors import UnavailableError
from models.flash import FlashConnection, InvoiceStatus, SocketState
from models.money import Rate
from services.database import Database
from services.flash.client import FlashClient
from services.flash.public_socket import PublicListeners
from services.flash.socket import SocketHealth
from services.outbound import Outbound
from services.points import Watch
from tests.stateful.fake import Flash
from tests.stateful.virtual import StepLane

DEAD = "This process is dead."


class Life:
    """What one process of the service shares: its chance, and whether it is stalled or dead."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.is_dead = False
        # How many more points the process passes, if it is to end at one.
        self.fuse: int | None = None
        self._goes_on = asyncio.Event()
        self._goes_on.set()

    @property
    def is_stalled(self) -> bool:
        return not self._goes_on.is_set()

    def stall(self) -> None:
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def watch(self, _point: str) -> None:
        """End the process at a point, where a fuse has been set for it."""
        if self.fuse is not None:
            self.fuse -= 1
            self.is_dead = self.is_dead or self.fuse < 0
        if self.is_dead:
            raise UnavailableError(DEAD)

    async def breathe(self) -> None:
        """Let others go first, now and then; a stalled process stops here, a dead one for good."""
        for _ in range(self.chance.choice((0, 0, 0, 1, 2, 5))):
            await asyncio.sleep(0)
        await self._goes_on.wait()
        if self.is_dead:
            raise UnavailableError(DEAD)


class NearDatabase(Database):
    """A database of one process."""

    def __init__(self, url: str, watch: Watch, life: Life) -> None:
        super().__init__(url, watch, StepLane)
        self._life = life

    async def write(self, *args: Any, **named: Any) -> Any:
        await self._life.breathe()
        return await super().write(*args, **named)

    async def write_within(self, seconds: float, *args: Any, **named: Any) -> Any:
        await self._life.breathe()
        return await super().write_within(seconds, *args, **named)

    async def read(self, *args: Any, **named: Any) -> Any:
        await self._life.breathe()
        return await super().read(*args, **named)


class NearClient(FlashClient):
    """The service's own client over the network here."""

    def __init__(self, connection: FlashConnection, watch: Watch, flash: Flash, life: Life) -> None:
        super().__init__(connection, watch)
        self._line = cast("Any", _Line(flash, life, cast("Any", self._transport.headers)))

    async def open(self) -> None:
        self._transport.session = self._line

    async def close(self) -> None:
        self._transport.session = None


class _Line:
    """What the library takes for its HTTP session."""

    def __init__(self, flash: Flash, life: Life, headers: dict[str, str]) -> None:
        self._flash, self._life, self._headers = flash, life, headers

    def post(self, _url: str, *, json: Any, **_more: Any) -> _Exchange:
        return _Exchange(self._flash, self._life, json, self._headers)


class _Exchange:
    """One request and the answer to it, as the library reads it."""

    def __init__(self, flash: Flash, life: Life, body: Any, headers: dict[str, str]) -> None:
        self._flash, self._life = flash, life
        self._body, self._sent_headers = json.dumps(body, default=_number).encode(), headers
        self.headers = {"Flash-Sandbox": "1"}
        self.status = 0
        self._text = b""

    async def __aenter__(self) -> Self:
        await self._life.breathe()
        self.status, self._text = await self._flash.pass_on(self._body, self._sent_headers)
        await self._life.breathe()
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def json(self, *, loads: Callable[[bytes], Any], **_more: Any) -> Any:
        return loads(self._text)

    async def text(self) -> str:
        return self._text.decode()

    def raise_for_status(self) -> None:
        return


def _number(value: object) -> str:
    assert isinstance(value, Decimal)
    return str(value)


class NearSocket:
    """The live connection: it tells of watched invoices while it is up, and tells prices."""

    def __init__(self, flash: Flash, life: Life, listeners: PublicListeners) -> None:
        self.health = SocketHealth("prices and invoices")
        self.watched: dict[str, str] = {}
        self._flash, self._life, self._listeners = flash, life, listeners
        self._is_up = asyncio.Event()
        self._is_up.set()

    def want(self, _currency: str) -> None:
        self._flash.tell_price()

    def unwant(self, _currency: str) -> None:
        pass

    def watch(self, payment_hash: str, invoice: str) -> None:
        self.watched[payment_hash] = invoice

    def drop(self, payment_hash: str) -> None:
        self.watched.pop(payment_hash, None)

    def cut(self) -> None:
        """Lose the line; what happens until it is back is not told."""
        self._is_up.clear()
        self._become(SocketState.CUT_OFF)

    def reconnect(self) -> None:
        self._is_up.set()

    async def run(self) -> None:
        with self._listed():
            while True:
                await self._is_up.wait()
                await self._life.breathe()
                self._become(SocketState.CATCHING_UP)
                await self._listeners.catch_up()
                self._become(SocketState.LIVE)
                self._flash.tell_price()
                while self._is_up.is_set():
                    await asyncio.sleep(5.0)

    async def tell(self, payment_hash: str, status: InvoiceStatus, after_s: float = 0) -> None:
        """Tell of an invoice, if anybody listens by then."""
        await asyncio.sleep(after_s)
        if self._is_up.is_set() and not self._life.is_dead:
            await self._listeners.status(payment_hash, status)

    def take_price(self, rate: Rate) -> None:
        if self._is_up.is_set() and not self._life.is_dead and not self._life.is_stalled:
            self._listeners.price(rate)

    def _become(self, state: SocketState) -> None:
        self.health.state = state
        self._listeners.changed()

    @contextmanager
    def _listed(self) -> Iterator[None]:
        self._flash.sockets.append(self)
        try:
            yield
        finally:
            self._flash.sockets.remove(self)


class NoAccount:
    """The socket of an account that has no token."""

    def __init__(self, *_: object) -> None:
        self.health = SocketHealth("account", limited=True)

    async def run(self) -> None:
        pass


class NearOutbound(Outbound):
    """The way to recipients' servers, all of them Flash's own here."""

    def __init__(self, allow: Collection[str], watch: Watch, flash: Flash, life: Life) -> None:
        super().__init__(allow, watch=watch)
        self._flash, self._life = flash, life

    async def get(self, url: str) -> bytes:
        await self._life.breathe()
        return await self._flash.answer_stranger(url)
