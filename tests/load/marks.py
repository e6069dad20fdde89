"""What the server notes for a bench: moments of commits, times of reads, gaps of its loop."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from app import live
from models.events import PayoutChanged
from services.database import Database
from services.lanes import Lane, Outcome

TICK_S = 0.002

_commits: dict[str, int] = {}
_reads: defaultdict[str, list[float]] = defaultdict(list)
_boards: list[float] = []
_gaps: list[float] = []


def begin() -> None:
    """Have the database and the boards note what they do."""
    _note_commits()
    _note_reads()
    _note_boards()


def take() -> dict[str, Any]:
    """Return what was noted since the last call, and begin to watch the loop with the first."""
    taken = {
        "commits": dict(_commits),
        "reads_ms": {name: list(times) for name, times in _reads.items()},
        "boards_ms": list(_boards),
        "gaps_ms": list(_gaps),
    }
    for noted in (_commits, _reads, _boards, _gaps):
        noted.clear()
    _watch_loop()
    return taken


def _note_commits() -> None:
    """Note a payout's first commit when its thread has it, before the loop hears of it."""
    deliver = Lane.deliver

    def noted(lane: Lane, outcomes: list[Outcome]) -> None:
        now_ns = time.time_ns()
        for outcome in outcomes:
            for change in outcome.changes:
                if isinstance(change, PayoutChanged):
                    _commits.setdefault(change.payout_id, now_ns)
        deliver(lane, outcomes)

    Lane.deliver = noted


def _note_reads() -> None:
    read = Database.read

    async def noted(database: Database, function: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        started = time.perf_counter()
        try:
            return await read(database, function, *args, **kw)
        finally:
            _reads[function.__qualname__].append((time.perf_counter() - started) * 1000)

    Database.read = noted


def _note_boards() -> None:
    read: Callable[[live.Board], Awaitable[Any]] = live.Board._read

    async def noted(board: live.Board) -> Any:
        started = time.perf_counter()
        try:
            return await read(board)
        finally:
            _boards.append((time.perf_counter() - started) * 1000)

    live.Board._read = noted


class _Watch:
    """Notes by how much the loop is late for a tick: for so long something else held it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._next()

    def _next(self) -> None:
        self._due = self._loop.time() + TICK_S
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        _gaps.append((self._loop.time() - self._due) * 1000)
        self._next()


_watching: list[_Watch] = []


def _watch_loop() -> None:
    if not _watching:
        _watching.append(_Watch())
