"""The house under test: processes of the real service on one database, and the Flash they pay by.

A process may be stalled, killed and started again; what people and tills ask of it runs beside
everything else, and must end in an answer or in an error that has a name.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from app.container import Connected, Container, build_by, running
from app.sandbox.payment import CannotPay, Script
from app.sandbox.payments import Order
from app.wires import Wires
from models.errors import ServiceError
from models.store import DatabaseKind, Store
from services.books import Books
from services.database import Database
from services.flash.public_socket import PublicListeners
from services.points import Watch
from tests.stateful.fake import API_KEY, HOST, Flash
from tests.stateful.near import Life, NearClient, NearDatabase, NearOutbound, NearSocket, NoAccount
from tests.stateful.virtual import StepLane, VirtualLoop, WallClock
from tests.support.databases import Raw
from tests.support.shop import open_store, settings_for

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONGEST_START_S = 30.0


@dataclass
class Process:
    """One process of the service, from its start until it is stopped or killed."""

    container: Container
    life: Life
    is_open: asyncio.Event
    stop: asyncio.Event
    task: asyncio.Task[None]

    @property
    def connected(self) -> Connected | None:
        return next(iter(self.container.connected.values()), None)

    @property
    def socket(self) -> NearSocket | None:
        address = self.container.address
        if self.connected is None or address is None:
            return None
        return cast("NearSocket", address.public)


class House:
    """Everything of one example."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.wall = WallClock(self.loop, START)
        self.chance = random.Random(seed)
        self._url, self._folder = url, folder
        self.raw = Raw(url)
        self._auditor = Database(url, lane=StepLane)
        self.books = Books(self._auditor, self.wall)
        self.flash = self.loop.do(Flash.open(folder, self.loop, self.wall, seed))
        self.flash.written_down = self._written_down
        self.processes: dict[str, Process] = {}
        self.calls: list[asyncio.Task[Any]] = []
        self.faults: list[BaseException] = []
        self.refusals: Counter[str] = Counter()
        self.start("one")
        self.reachable()
        self.store: Store = self.loop.do(self._first_store())
        self.settle_in()

    # Processes.

    def start(self, name: str) -> None:
        """Start a process, if it does not run."""
        if name in self.processes:
            return
        life = Life(self.chance.getrandbits(32))
        settings = settings_for(
            self._url,
            self._folder,
            flash_api_url=f"http://{HOST}/graphql",
            flash_ws_url=f"ws://{HOST}/graphql",
            flash_api_key=API_KEY,
            flash_token=None,
        )
        container = build_by(self._wires(life), settings, DatabaseKind.DEMO, self.wall)
        is_open, stop = asyncio.Event(), asyncio.Event()
        task = self.loop.create_task(_run(container, is_open, stop))
        self.processes[name] = Process(container, life, is_open, stop, task)

    def stop(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.life.go_on()
            process.stop.set()
            self.loop.do(process.task)

    def kill(self, name: str) -> None:
        """End a process where it stands: from now on it writes and sends nothing."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.life.is_dead = True
        process.life.go_on()
        process.task.cancel()
        with suppress(asyncio.CancelledError, ServiceError):
            self.loop.do(process.task)

    def acting(self) -> Process | None:
        """Return a process that people and tills reach."""
        able = (each for each in self.processes.values() if each.is_open.is_set())
        return next((each for each in able if not each.life.is_stalled), None)

    def reachable(self) -> Process:
        """Return such a process, started or awoken if there is none."""
        while (found := self.acting()) is None:
            self.start("one")
            self.processes["one"].life.go_on()
            self.let_pass(0.05)
        return found

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        for call in self.calls:
            call.cancel()
        self.loop.do(self.flash.close())
        self._auditor.close()
        self.raw.close()
        self.loop.end()
        asyncio.set_event_loop(None)

    # What happens.

    def let_pass(self, seconds: float) -> None:
        """Let everything run for a while, and take what calls came to."""
        self.loop.let_pass(seconds)
        for call in [each for each in self.calls if each.done()]:
            self.calls.remove(call)
            error = None if call.cancelled() else call.exception()
            if isinstance(error, ServiceError):
                self.refusals[f"{call.get_name()}: {error.code}"] += 1
            elif error is not None:
                self.faults.append(error)
        for name, process in list(self.processes.items()):
            if process.life.is_dead:
                self.kill(name)
            elif process.task.done():
                del self.processes[name]
                error = None if process.task.cancelled() else process.task.exception()
                if error is not None and not isinstance(error, ServiceError):
                    self.faults.append(error)

    def call(self, act: Any) -> asyncio.Task[Any]:
        """Have somebody ask for something, and not wait for the answer."""
        task = self.loop.create_task(act, name=act.__qualname__)
        self.calls.append(task)
        return task

    def ask(self, act: Any) -> Any:
        """Return the answer to a question, or nothing where it is refused by name."""
        task = self.call(act)
        for _ in range(200):
            self.let_pass(0.05)
            if task.done():
                break
        is_answered = task.done() and not task.cancelled() and task.exception() is None
        return task.result() if is_answered else None

    def jump(self, by: timedelta) -> None:
        """Put the clock forward, here and at Flash, with nothing happening meanwhile."""
        self.wall.put_forward(by)
        self.loop.call(self.flash.world.timetable.run_due)
        self.loop.call(self.flash.tell_price)

    def settle_in(self) -> None:
        """Let pass what a process needs until it can pay."""
        for _ in range(int(LONGEST_START_S)):
            self.let_pass(1.0)
            process = self.acting()
            worker = None if process is None or process.connected is None else process.connected
            if worker is not None and worker.worker.health.connected:
                return

    def pay_as_a_stranger(self, which: int) -> None:
        """Have somebody else pay an invoice that Flash issued, if it can still be paid."""
        world = self.flash.world
        found = world.ledger.rows("SELECT request FROM invoices ORDER BY created_ms, request")
        if not found:
            return
        invoice = world.invoices.decode(found[which % len(found)]["request"])
        if invoice.amount_msat is not None:
            order = Order(None, "stranger", invoice, invoice.amount_msat, Script())
            with suppress(CannotPay):
                self.loop.call(world.payments.start, order)

    async def _first_store(self) -> Store:
        return await open_store(self.processes["one"].container)

    def _written_down(self, payment_hash: str) -> int:
        query = (
            "SELECT count(*) FROM sends JOIN attempts ON attempts.id = sends.attempt_id "
            f"WHERE payment_hash = '{payment_hash}'"  # hexadecimal digits
        )
        return int(self.raw.value(query))

    def _wires(self, life: Life) -> Wires:
        flash = self.flash

        def public(_url: str, _clock: Any, _pace: Any, to: PublicListeners, _watch: Watch) -> Any:
            return NearSocket(flash, life, to)

        return Wires(
            database=partial(NearDatabase, life=life),
            client=partial(NearClient, flash=flash, life=life),
            public_socket=public,
            account_socket=cast("Any", NoAccount),
            outbound=partial(NearOutbound, flash=flash, life=life),
            relay=lambda _url, _hub: None,
            randomness=life.chance.randbytes,
            watch=life.watch,
        )


async def _run(container: Container, is_open: asyncio.Event, stop: asyncio.Event) -> None:
    async with running(container):
        is_open.set()
        await stop.wait()
