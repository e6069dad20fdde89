"""The sandbox's own time: the machine's, plus an offset that a test may push forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from models.instants import from_us


def machine_ms() -> int:
    """Return the machine's time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class SandboxClock:
    """Tells sandbox time; every expiry, delay and timestamp of the sandbox asks here."""

    def __init__(self, machine: Callable[[], int] = machine_ms, offset_ms: int = 0) -> None:
        self._machine = machine
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        """Return the present millisecond."""
        return self._machine() + self.offset_ms

    def now_s(self) -> int:
        """Return the present second, rounded down."""
        return self.now_ms() // 1000

    def utc_now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return from_us(self.now_ms() * 1000)

    def advance(self, ms: int) -> None:
        """Move time forward; it never goes back."""
        if ms < 0:
            raise ValueError("the sandbox's time does not go back")
        self.offset_ms += ms
