"""Names, watches and restarts background loops; the only place that starts tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.instants import Clock

_log = structlog.get_logger(__name__)

RESTART_FIRST_S = 0.5
RESTART_MOST_S = 30.0
STOP_EVERY_S = 1.0
STOP_TRIES = 10
# A loop that is started again after one mishap is well; one that waits long to be is not.
DOWN_AFTER = timedelta(seconds=5)


@dataclass(slots=True)
class LoopHealth:
    """How a background loop is doing."""

    name: str
    running: bool = False
    restarts: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None
    is_done: bool = False


class Supervisor:
    """Runs loops until it is stopped; a loop that fails is started again, ever more slowly."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.health: dict[str, LoopHealth] = {}

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Start a loop under a name that no running loop has."""
        assert name not in self._tasks or self._tasks[name].done(), f"loop {name} runs already"
        self.health[name] = LoopHealth(name)
        self._tasks[name] = asyncio.create_task(self._watch(name, loop), name=name)

    async def end(self, *names: str) -> None:
        """Cancel some loops and wait until they have ended; their names are free again."""
        found = [self._tasks.pop(name) for name in names if name in self._tasks]
        for name in names:
            self.health.pop(name, None)
        await _cancel({task for task in found if not task.done()})

    async def stop(self) -> None:
        """Cancel every loop and wait until all have ended."""
        self._stopping = True
        await _cancel({task for task in self._tasks.values() if not task.done()})
        self._tasks.clear()

    def down(self) -> list[str]:
        """Return the loops that failed and have not come back for a while."""
        before = self._clock.utc_now() - DOWN_AFTER
        return [
            health.name
            for health in self.health.values()
            if not health.running
            and not health.is_done
            and health.last_error_at is not None
            and health.last_error_at <= before
        ]

    async def _watch(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        health = self.health[name]
        pause_s = RESTART_FIRST_S
        while True:
            health.running = True
            started_at = self._clock.utc_now()
            try:
                await loop()
            except Exception as error:  # noqa: BLE001  # whatever it was, the loop must come back
                _log.exception("supervisor.loop_failed", loop=name)
                health.last_error = type(error).__name__
                health.last_error_at = self._clock.utc_now()
                health.restarts += 1
            else:
                health.is_done = True
                return
            finally:
                health.running = False
            if self._stopping:
                return  # it failed while it cleaned up, and so its cancellation got lost
            ran_s = (self._clock.utc_now() - started_at).total_seconds()
            pause_s = RESTART_FIRST_S if ran_s > RESTART_MOST_S else pause_s
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RESTART_MOST_S)


async def _cancel(late: set[asyncio.Task[None]]) -> None:
    for _ in range(STOP_TRIES):
        # Again and again: a wait that is over in the same moment swallows a cancellation.
        for task in late:
            task.cancel()
        if late:
            _, late = await asyncio.wait(late, timeout=STOP_EVERY_S)
    for task in late:
        _log.error("supervisor.loop_does_not_stop", loop=task.get_name())
