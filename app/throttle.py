"""A limit on how often one address may ask something, kept in memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from models.errors import RateLimited

ADDRESSES = 4_096


class Throttle:
    """Lets each address through so many times in a sliding while."""

    def __init__(self, most: int, within_s: float, now_s: Callable[[], float]) -> None:
        self._most = most
        self._within_s = within_s
        self._now_s = now_s
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Count a call.

        Raises:
            RateLimited: There were too many.
        """
        now = self._now_s()
        calls = self._seen.setdefault(address, deque())
        self._seen.move_to_end(address)
        while len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        while calls and now - calls[0] >= self._within_s:
            calls.popleft()
        if len(calls) >= self._most:
            raise RateLimited(1 + int(self._within_s - (now - calls[0])))
        calls.append(now)
