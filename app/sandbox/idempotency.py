"""Same key, same payment: finished sends are replayed for a day, running ones are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.clock import SandboxClock
from app.sandbox.ledger import Ledger
from app.sandbox.problems import BUSY, KEY_REUSED, Reply
from app.sandbox.writer import Statement

MAX_NAME_LENGTH: Final = 256
LIFESPAN_MS: Final = 24 * 3_600_000
_SUPPORTED: Final = {"SUCCESS", "PENDING", "FAILURE"}


@dataclass(frozen=True, slots=True)
class SendKey:
    """One wallet's idempotency key, bound to the request it was first used for."""

    wallet_id: str
    name: str
    fingerprint: str

    @classmethod
    def of(cls, wallet_id: str, name: str, request: str) -> SendKey:
        """Bind a key to a request such as `ln|<invoice>`."""
        return cls(wallet_id, name, sha256(request.encode()).hexdigest())

    def keep(self, status: str, now_ms: int) -> Statement:
        """Return the statement that stores a finished send; errors are never stored."""
        assert status in _SUPPORTED
        return sql.KEEP_RESULT, (self.wallet_id, self.name, self.fingerprint, status, now_ms)


class Idempotency:
    """Guards sends that carry a key."""

    def __init__(self, ledger: Ledger, clock: SandboxClock, lock_wait_ms: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock_wait_s = lock_wait_ms * 0.001
        self._running: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def guard(self, key: SendKey, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Replay a stored send, or run it while nobody else with the key can."""
        stored = self._stored(key)
        if stored is not None:
            return stored
        place = (key.wallet_id, key.name)
        if place in self._running:
            if not await self._has_finished(place):
                return BUSY
            stored = self._stored(key)
            if stored is not None:
                return stored
        done = self._running[place] = asyncio.get_running_loop().create_future()
        try:
            return await send()
        finally:
            del self._running[place]
            done.set_result(None)

    async def _has_finished(self, place: tuple[str, str]) -> bool:
        """Wait a little for the call that holds the key, and tell whether it let go."""
        try:
            async with asyncio.timeout(self._lock_wait_s):
                while place in self._running:
                    await asyncio.shield(self._running[place])
        except TimeoutError:
            return False
        return True

    def _stored(self, key: SendKey) -> Reply | None:
        found = self._ledger.result(key.wallet_id, key.name)
        if found is None:
            return None
        fingerprint, status, stored_ms = found
        if self._clock.now_ms() - stored_ms >= LIFESPAN_MS:
            return None
        return Reply(status) if fingerprint == key.fingerprint else KEY_REUSED
