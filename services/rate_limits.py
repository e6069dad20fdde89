"""How often something may happen: one number per name, of bounded memory.

Each name's number is the moment at which its allowance would be whole again (the generic cell rate
algorithm). A moment that has passed says the same as none, so those can be dropped at no loss.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

NAMES_LIMIT = 50_000
# So many are looked at for dropping with each new one: memory shrinks again after a flood.
SWEEP = 4
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a minute in the long run."""

    burst: int
    per_minute: int

    def times(self, number: int) -> Rate:
        """Return so many times as much."""
        return Rate(self.burst * number, self.per_minute * number)


class RateLimits:
    """Counts by rule and name; the names that were not seen for longest are dropped first."""

    def __init__(self, monotonic_ns: Callable[[], int], names_limit: int = NAMES_LIMIT) -> None:
        self._monotonic_ns = monotonic_ns
        self._limit = names_limit
        self._whole_at: OrderedDict[tuple[str, str], int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._whole_at)

    def take(self, rule: str, name: str, rate: Rate) -> int:
        """Take one; returns 0, or after how many seconds to ask again."""
        now, key = self._monotonic_ns(), (rule, name)
        every = MINUTE_NS // rate.per_minute
        whole_at = max(self._whole_at.get(key, now), now) + every
        over = whole_at - now - rate.burst * every
        if over <= 0:
            self._whole_at[key] = whole_at
        self._whole_at.move_to_end(key)
        self._sweep(now)
        return max(0, -(-over // SECOND_NS))

    def _sweep(self, now: int) -> None:
        for _ in range(SWEEP):
            oldest = next(iter(self._whole_at))
            if self._whole_at[oldest] > now and len(self._whole_at) <= self._limit:
                return
            del self._whole_at[oldest]
            if not self._whole_at:
                return
