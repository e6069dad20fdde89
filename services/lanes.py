"""Lanes: threads that take pieces of work from a bounded queue and hand results to the loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from models.errors import UnavailableError
from models.events import Change
from services.storage.statement import Transaction

T = TypeVar("T")

_log = structlog.get_logger(__name__)

QUEUE_LIMIT = 2048  # pieces of work that may wait; more is refused at once


@dataclass(slots=True)
class Work:
    """A function waiting for a transaction, and the future that waits for its result."""

    function: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Ticket:
    """Decides between two threads whether a piece of work begins or is given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = ""

    def begin(self) -> None:
        """Begin, also once more after a retry.

        Raises:
            UnavailableError: It was given up.
        """
        with self._lock:
            if self._state == "torn":
                raise UnavailableError("This was given up before it began.")
            self._state = "begun"

    def tear_up(self) -> bool:
        """Give up; False if it has begun."""
        with self._lock:
            if self._state != "begun":
                self._state = "torn"
            return self._state == "torn"


@dataclass(slots=True)
class Outcome:
    """What became of a piece of work: its result or error, and what a commit of it changed."""

    work: Work
    result: Any
    error: BaseException | None
    changes: list[Change]


class Lane:
    """Threads of one kind that take work from one bounded queue."""

    def __init__(
        self,
        name: str,
        threads: int,
        serve: Callable[[Lane, int], None],
        deliver: Callable[[list[Outcome]], None],
    ) -> None:
        # Unlike `Queue` it wakes a thread without a lock in Python; `submit` keeps it bounded.
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._deliver = deliver
        # Nobody may come in behind those who end the threads: nobody would serve them.
        self._door = threading.Lock()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=serve, args=(self, number), name=f"{name}-{number}")
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    @property
    def waiting(self) -> int:
        """Return how much work no thread has taken yet, roughly."""
        return self._queue.qsize()

    def submit(self, function: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """Queue a function and return the future of its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._door:
            if self._is_closed:
                raise UnavailableError("The database is closed; nothing was done.")
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise UnavailableError("The database is too busy; nothing was done.")
            self._queue.put(Work(function, future, loop))
        return future

    def take(self, limit: int) -> list[Work]:
        """Wait for work and return it with whatever else is waiting; nothing means stop."""
        first = self._queue.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < limit:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            batch.append(more)
        return batch

    def deliver(self, outcomes: list[Outcome]) -> None:
        """Hand results to the event loop in one step."""
        try:
            outcomes[0].work.loop.call_soon_threadsafe(self._deliver, outcomes)
        except RuntimeError:  # the loop closed while we worked; nobody is left to tell
            _log.warning("database.loop_closed", outcomes=len(outcomes))

    def close(self) -> None:
        """Finish what is queued, then end the threads; what comes later is refused."""
        with self._door:
            self._is_closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=10)
