"""Background loops are watched, started again, and ended."""

from __future__ import annotations

import asyncio

import pytest

from services.supervisor import Supervisor
from tests.support.clock import HandClock
from tests.support.patience import PATIENCE_S


@pytest.fixture
def supervisor(clock: HandClock) -> Supervisor:
    return Supervisor(clock)


class Loop:
    """Fails so many times, then runs until it is cancelled."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.starts = 0
        self.running = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> None:
        self.starts += 1
        if self.starts <= self.failures:
            raise RuntimeError("no")
        self.running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_loop_that_fails_is_started_again(supervisor: Supervisor) -> None:
    loop = Loop(failures=1)

    supervisor.start("work", loop)
    async with asyncio.timeout(PATIENCE_S):
        await loop.running.wait()

    health = supervisor.health["work"]
    assert (health.running, health.restarts, health.last_error) == (True, 1, "RuntimeError")
    assert health.last_error_at is not None
    await supervisor.stop()


async def test_stopping_ends_every_loop(supervisor: Supervisor) -> None:
    loops = [Loop(0), Loop(0)]
    for number, loop in enumerate(loops):
        supervisor.start(f"work {number}", loop)
    await asyncio.gather(*(loop.running.wait() for loop in loops))

    await supervisor.stop()

    assert all(loop.cancelled for loop in loops)
    assert not any(health.running for health in supervisor.health.values())


async def test_a_loop_that_fails_while_it_is_stopped_is_not_started_again(
    supervisor: Supervisor,
) -> None:
    running, starts = asyncio.Event(), 0

    async def loop() -> None:
        nonlocal starts
        starts += 1
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the cancellation got lost")

    supervisor.start("work", loop)
    await running.wait()

    await supervisor.stop()
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "work"]

    assert (starts, tasks) == (1, [])


async def test_a_loop_that_misses_its_cancellation_is_told_again(supervisor: Supervisor) -> None:
    running, told = asyncio.Event(), 0

    async def loop() -> None:
        nonlocal told
        running.set()
        while told < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told += 1

    supervisor.start("work", loop)
    await running.wait()

    await supervisor.stop()

    assert told == 2


async def test_a_loop_that_is_done_is_left_alone(supervisor: Supervisor) -> None:
    async def once() -> None:
        return

    supervisor.start("once", once)
    await asyncio.gather(*supervisor._tasks.values())

    assert supervisor.health["once"].restarts == 0
    assert not supervisor.health["once"].running
    supervisor.start("once", once)
    await supervisor.stop()


async def test_two_loops_cannot_share_a_name(supervisor: Supervisor) -> None:
    loop = Loop(0)
    supervisor.start("work", loop)

    with pytest.raises(AssertionError, match="runs already"):
        supervisor.start("work", loop)
    await supervisor.stop()
