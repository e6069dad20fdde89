"""One thread that writes the ledger and commits together whatever is waiting.

With `synchronous=FULL` every commit reaches the disk before anybody is told, and because a whole
group shares one commit, this costs next to nothing per payment.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

Statement = tuple[str, tuple[object, ...]]

MAX_WAITING: Final = 20_000
_GROUP: Final = 2_000
_CACHE_KIB: Final = 65_536
_SIZES: Final = (64, 16, 8, 4, 2, 1)


class LedgerBusy(Exception):
    """The ledger's queue is full; nothing was written."""


@dataclass(slots=True)
class _Job:
    statements: Sequence[Statement]
    committed: Callable[[], None] | None


class LedgerWriter:
    """Writes jobs in the order they came; a job is committed whole, then acknowledged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._is_closing = False
        self._loop = asyncio.get_running_loop()
        # The sandbox must not outlive its ledger: this fails when the thread does.
        self.failure: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="sandbox-ledger", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """Tell whether new work should be turned away."""
        return len(self._jobs) >= MAX_WAITING

    def submit(
        self, statements: Sequence[Statement], committed: Callable[[], None] | None = None
    ) -> None:
        """Queue statements for one transaction; `committed` is called in the event loop.

        Raises:
            LedgerBusy: The queue is full.
        """
        if self.is_full or self._is_closing:
            raise LedgerBusy
        with self._wake:
            self._jobs.append(_Job(statements, committed))
            self._wake.notify()

    async def commit(self, statements: Sequence[Statement]) -> None:
        """Queue statements and wait until they are on the disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self.submit(statements, lambda: None if done.done() else done.set_result(None))
        await done

    async def flush(self) -> None:
        """Wait until everything queued so far is on the disk."""
        await self.commit([])

    async def close(self) -> None:
        """Write what is waiting and stop the thread."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            # Hashes come in no order: the indexes of a long ledger must stay in memory.
            connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            while group := self._next_group():
                self._write(connection, group)
        except sqlite3.Error as error:
            self._loop.call_soon_threadsafe(self._fail, error)
        finally:
            connection.close()

    def _next_group(self) -> list[_Job]:
        with self._wake:
            while not self._jobs and not self._is_closing:
                self._wake.wait()
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), _GROUP))]

    def _write(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        inserts: dict[str, list[tuple[object, ...]]] = {}
        others: list[Statement] = []
        for job in group:
            for sql, parameters in job.statements:
                if sql.startswith("INSERT"):
                    inserts.setdefault(sql, []).append(parameters)
                else:
                    others.append((sql, parameters))
        connection.execute("BEGIN IMMEDIATE")
        # New rows first, many in one statement: whatever changes a row comes after it is there.
        for sql, rows in inserts.items():
            _insert(connection, sql, rows)
        for sql, parameters in others:
            connection.execute(sql, parameters)
        connection.execute("COMMIT")
        done = [job.committed for job in group if job.committed is not None]
        if done:
            self._loop.call_soon_threadsafe(_acknowledge, done)

    def _fail(self, error: sqlite3.Error) -> None:
        if not self.failure.done():
            self.failure.set_exception(error)


def _insert(connection: sqlite3.Connection, sql: str, rows: list[tuple[object, ...]]) -> None:
    """Insert rows in their order, in few statements of a few sizes that stay prepared."""
    head, _, values = sql.rpartition(" VALUES ")
    position = 0
    for size in _SIZES:
        while len(rows) - position >= size:
            chunk = rows[position : position + size]
            statement = f"{head} VALUES {', '.join([values] * size)}"
            connection.execute(statement, tuple(chain.from_iterable(chunk)))
            position += size


def _acknowledge(done: list[Callable[[], None]]) -> None:
    for committed in done:
        committed()
