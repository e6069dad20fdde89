"""Keeps requests to Flash within its limits: a bucket that fills at a steady rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum


class Need(IntEnum):
    """How pressing a request is; the less pressing leave a reserve to the others."""

    SEND = 0
    LOOK_UP = 1
    PROBE = 2


# The share of the bucket, in percent, that a request of each kind must leave for the others.
_RESERVE_PERCENT = {Need.SEND: 0, Need.LOOK_UP: 20, Need.PROBE: 50}


class Pace:
    """Lets `per_minute` requests through a minute, in bursts of at most as many."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._filled_at = monotonic()
        self._tokens = float(per_minute)
        self._blocked_until = 0.0

    @property
    def free(self) -> int:
        """Return how many requests could go at once."""
        self._fill()
        return max(0, int(self._tokens))

    def try_take(self, need: Need) -> bool:
        """Take the right to one request if there is one to spare."""
        self._fill()
        if self._monotonic() < self._blocked_until:
            return False
        if self._tokens - 1 < self._per_minute * _RESERVE_PERCENT[need] // 100:
            return False
        self._tokens -= 1
        return True

    async def take(self, need: Need | Callable[[], Need]) -> None:
        """Wait for the right to one request; how pressing it is may change meanwhile."""
        while not self.try_take(need if isinstance(need, Need) else need()):
            await asyncio.sleep(max(0.02, 60 / self._per_minute / 2))

    def wait_s(self, requests: int) -> float:
        """Return how long so many requests would have to wait, in seconds."""
        # Only reads: this is also asked from the threads of the database.
        now = self._monotonic()
        blocked = max(0.0, self._blocked_until - now)
        filled = self._tokens + (now - self._filled_at) * self._per_minute / 60
        missing = max(0.0, requests - min(float(self._per_minute), filled))
        return blocked + missing * 60 / self._per_minute

    def block(self, seconds: float) -> None:
        """Let nothing through for a while, as Flash asked."""
        self._blocked_until = max(self._blocked_until, self._monotonic() + seconds)

    def _fill(self) -> None:
        now = self._monotonic()
        self._tokens = min(
            float(self._per_minute),
            self._tokens + (now - self._filled_at) * self._per_minute / 60,
        )
        self._filled_at = now
