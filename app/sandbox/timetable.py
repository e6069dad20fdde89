"""What is to happen at which sandbox millisecond, held by one timer and no task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.sandbox.clock import SandboxClock

MAX_APPOINTMENTS: Final = 500_000
# A timer is never set further ahead, so that a moved clock is noticed even without a nudge.
_LONGEST_WAIT_S: Final = 60.0

log = structlog.get_logger(__name__)


@dataclass(order=True, slots=True)
class Appointment:
    """One thing to do at a set time; cancelled ones are passed over."""

    due_ms: int
    place: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Forget it."""
        self.action = None


class Timetable:
    """Runs actions when their sandbox time has come, in the order of their times."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._heap: list[Appointment] = []
        self._placed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = True

    def at(self, due_ms: int, action: Callable[[], None]) -> Appointment:
        """Run an action once the sandbox's clock has reached a millisecond.

        Raises:
            RuntimeError: Too many things are planned.
        """
        if len(self._heap) >= MAX_APPOINTMENTS:
            raise RuntimeError("the sandbox has too many things planned")
        self._placed += 1
        appointment = Appointment(due_ms, self._placed, action)
        heapq.heappush(self._heap, appointment)
        if self._heap[0] is appointment:
            self._arm()
        return appointment

    def after(self, ms: int, action: Callable[[], None]) -> Appointment:
        """Run an action after a delay in sandbox time."""
        return self.at(self._clock.now_ms() + ms, action)

    async def sleep(self, ms: int) -> None:
        """Wait for a delay in sandbox time."""
        if ms <= 0:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        appointment = self.after(ms, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            appointment.cancel()

    def run_due(self) -> None:
        """Run everything whose time has come; called by the timer and after the clock moved."""
        while self._is_open and self._heap and self._heap[0].due_ms <= self._clock.now_ms():
            appointment = heapq.heappop(self._heap)
            if appointment.action is not None:
                try:
                    appointment.action()
                except Exception:
                    # One bad action must not stop everything that is planned after it.
                    log.exception("sandbox.appointment_failed")
        self._arm()

    def close(self) -> None:
        """Stop the timer; nothing runs any more."""
        self._is_open = False
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_open and self._heap:
            wait_ms = max(0, self._heap[0].due_ms - self._clock.now_ms())
            wait_s = min(wait_ms * 0.001, _LONGEST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.run_due)
