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
    """Lets `per_minute` requests through a minute, in bursts of at most as many.

    Wallets whose requests leave from one address share its bucket; what Flash asks of one wallet's
    credential holds up that wallet alone.
    """

    def __init__(
        self, per_minute: int, monotonic: Callable[[], float], bucket: _Bucket | None = None
    ) -> None:
        self._bucket = bucket or _Bucket(per_minute, monotonic)
        self._monotonic = monotonic
        self._blocked_until = 0.0

    def beside(self) -> Pace:
        """Return the pace of another wallet, out of the same bucket."""
        return Pace(self._bucket.per_minute, self._monotonic, self._bucket)

    @property
    def free(self) -> int:
        """Return how many requests could go at once."""
        self._bucket.fill()
        return max(0, int(self._bucket.tokens))

    def try_take(self, need: Need) -> bool:
        """Take the right to one request if there is one to spare."""
        if self._monotonic() < self._blocked_until:
            return False
        return self._bucket.try_take(_RESERVE_PERCENT[need])

    async def take(self, need: Need | Callable[[], Need]) -> None:
        """Wait for the right to one request; how pressing it is may change meanwhile."""
        while not self.try_take(need if isinstance(need, Need) else need()):
            await asyncio.sleep(max(0.02, 60 / self._bucket.per_minute / 2))

    def wait_s(self, requests: int) -> float:
        """Return how long so many requests would have to wait, in seconds."""
        # Only reads: this is also asked from the threads of the database.
        blocked = max(0.0, self._blocked_until - self._monotonic())
        return blocked + self._bucket.wait_s(requests)

    def block(self, seconds: float) -> None:
        """Let nothing through for a while, as Flash asked."""
        self._blocked_until = max(self._blocked_until, self._monotonic() + seconds)


class _Bucket:
    """Fills at a steady rate, to a minute's worth."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self.tokens = float(per_minute)
        self._monotonic = monotonic
        self._filled_at = monotonic()

    def try_take(self, reserve_percent: int) -> bool:
        self.fill()
        if self.tokens - 1 < self.per_minute * reserve_percent // 100:
            return False
        self.tokens -= 1
        return True

    def wait_s(self, requests: int) -> float:
        filled = self.tokens + (self._monotonic() - self._filled_at) * self.per_minute / 60
        missing = max(0.0, requests - min(float(self.per_minute), filled))
        return missing * 60 / self.per_minute

    def fill(self) -> None:
        now = self._monotonic()
        gained = (now - self._filled_at) * self.per_minute / 60
        self.tokens = min(float(self.per_minute), self.tokens + gained)
        self._filled_at = now
