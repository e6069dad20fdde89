"""The limiters: leaky buckets per address as an ingress has, and a window per API key."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_MAX_CALLERS: Final = 10_000
_MINUTE_MS: Final = 60_000


class AddressLimiter:
    """Lets an address through a number of times a minute, and a burst above that at once."""

    def __init__(self, per_minute: int, burst: int) -> None:
        self._interval_ms = _MINUTE_MS // per_minute
        self._room_ms = self._interval_ms * burst
        self._free_at_ms: OrderedDict[str, int] = OrderedDict()

    def allows(self, address: str, now_ms: int) -> bool:
        """Count one call and tell whether it may pass."""
        free_at_ms = max(self._free_at_ms.pop(address, 0), now_ms)
        is_allowed = free_at_ms - now_ms <= self._room_ms
        self._free_at_ms[address] = free_at_ms + (self._interval_ms if is_allowed else 0)
        if len(self._free_at_ms) > _MAX_CALLERS:
            self._free_at_ms.popitem(last=False)
        return is_allowed


class MintLimiter:
    """Lets an account make so many invoices in a while, then none for a longer while."""

    def __init__(self, points: int = 20, window_ms: int = 120_000, block_ms: int = 300_000) -> None:
        self._points = points
        self._window_ms = window_ms
        self._block_ms = block_ms
        self._windows: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def allows(self, account_id: str, now_ms: int) -> bool:
        """Count one invoice and tell whether it may be made."""
        ends_ms, used = self._windows.pop(account_id, (0, 0))
        if now_ms >= ends_ms:
            ends_ms, used = now_ms + self._window_ms, 0
        used += 1
        if used == self._points + 1:
            ends_ms = now_ms + self._block_ms
        self._windows[account_id] = (ends_ms, used)
        if len(self._windows) > _MAX_CALLERS:
            self._windows.popitem(last=False)
        return used <= self._points


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a key's limiter says of one call."""

    is_allowed: bool
    limit: int
    remaining: int
    retry_after_s: int


class KeyLimiter:
    """Counts the calls of each API key in windows of one minute."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def count(self, key_id: str, per_minute: int, now_ms: int) -> Verdict:
        """Count one call."""
        start_ms, used = self._windows.pop(key_id, (now_ms, 0))
        if now_ms - start_ms >= _MINUTE_MS:
            start_ms, used = now_ms, 0
        self._windows[key_id] = (start_ms, used + 1)
        if len(self._windows) > _MAX_CALLERS:
            self._windows.popitem(last=False)
        left_ms = start_ms + _MINUTE_MS - now_ms
        remaining = max(0, per_minute - used - 1)
        return Verdict(used < per_minute, per_minute, remaining, -(-left_ms // 1000))
