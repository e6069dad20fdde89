"""Time that passes only when everybody waits: hours cost no more than what happens in them.

One thread at a time: whoever asks a database gets its answer before anybody else goes on, so that
a run depends on nothing but its seed.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from app.sandbox.writer import Statement
from models.instants import to_us
from services.lanes import Lane, Outcome, Work
from services.storage.statement import Transaction

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Instead of waiting it lets the loop's time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout != 0:
            assert timeout is not None, "everybody waits, and nothing is ever to happen"
            self.now_s += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop of which only the order of things is real."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> Any:
        """Run at once what would have a thread of its own."""
        del executor
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # it belongs to whoever asked
            future.set_exception(error)
        return future

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something to its end."""
        return self.run_until_complete(work)

    def call(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call something that belongs into the loop."""

        async def called() -> T:
            return function(*args, **named)

        return self.do(called())

    def let_pass(self, seconds: float) -> None:
        """Let everything run for a while."""
        self.run_until_complete(asyncio.sleep(seconds))

    def end(self) -> None:
        """Cancel whatever still runs."""
        late = asyncio.all_tasks(self)
        for task in late:
            task.cancel()
        self.run_until_complete(asyncio.gather(*late, return_exceptions=True))
        self.close()


class WallClock:
    """The time of day: the loop's, and whatever it was put forward by."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start

    def utc_now(self) -> datetime:
        return self._start + timedelta(microseconds=round(self._loop.time() * 1_000_000))

    def put_forward(self, by: timedelta) -> None:
        """Jump, as after a machine's sleep: nothing has happened meanwhile."""
        self._start += by

    def now_ms(self) -> int:
        return to_us(self.utc_now()) // 1000


class StepLane(Lane):
    """Serves each piece of work at once, in turns with whoever asks: a lane without a thread."""

    def __init__(
        self,
        _name: str,
        _threads: int,
        serve: Callable[[Lane, int], None],
        deliver: Callable[[list[Outcome]], None],
    ) -> None:
        self._deliver = deliver
        self._batch: list[Work] = []
        self._asker = getcurrent()
        self._server = greenlet(lambda: serve(self, 0))

    @property
    def waiting(self) -> int:
        return 0

    def submit(self, function: Callable[[Transaction], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._batch = [Work(function, future, loop)]
        self._serve()
        return future

    def take(self, limit: int) -> list[Work]:
        del limit
        if not self._batch:
            self._asker.switch()
        batch, self._batch = self._batch, []
        return batch

    def deliver(self, outcomes: list[Outcome]) -> None:
        self._deliver(outcomes)

    def close(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self._asker = getcurrent()
        self._server.switch()


class StepWriter:
    """Writes the sandbox's ledger at once; it stands in for the thread that does."""

    is_full = False

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._file = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._file.execute("PRAGMA synchronous=OFF")
        self.failure: asyncio.Future[None] = self._loop.create_future()

    def submit(
        self, statements: Sequence[Statement], committed: Callable[[], None] | None = None
    ) -> None:
        self._file.execute("BEGIN IMMEDIATE")
        for text, parameters in statements:
            self._file.execute(text, parameters)
        self._file.execute("COMMIT")
        if committed is not None:
            self._loop.call_soon(committed)

    async def commit(self, statements: Sequence[Statement]) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        self.submit(statements, lambda: done.set_result(None))
        await done

    async def flush(self) -> None:
        await self.commit([])

    async def close(self) -> None:
        self._file.close()
