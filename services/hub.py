"""Tells whoever listens in this process what changed, after the commit.

A hint says where to look again; it is never the truth itself. A listener that is slow loses
hints, not changes: its queue then says so, and it reads everything again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from models.events import Change, PayoutChanged

QUEUE_LIMIT = 256  # hints a listener may be behind before it has to read everything again


class Subscription:
    """One listener's hints, bounded; `overflowed` says that some were dropped."""

    def __init__(self) -> None:
        self._hints: list[Change] = []
        self._ready = asyncio.Event()
        self.overflowed = False

    def put(self, change: Change) -> None:
        """Add a hint, or note that there were too many."""
        if len(self._hints) >= QUEUE_LIMIT:
            self.overflowed = True
        else:
            self._hints.append(change)
        self._ready.set()

    def overflow(self) -> None:
        """Have the listener read everything again."""
        self.overflowed = True
        self._ready.set()

    async def wait(self, timeout_s: float | None = None) -> list[Change]:
        """Return the hints since the last call, waiting for the first; none after the time-out."""
        if not self._ready.is_set():
            # Not `wait_for`: in Python 3.11 that swallows a cancellation that meets a hint.
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return []
        hints, self._hints = self._hints, []
        self._ready.clear()
        return hints

    def take_overflow(self) -> bool:
        """Tell whether hints were dropped since the last call."""
        overflowed, self.overflowed = self.overflowed, False
        return overflowed


class Hub:
    """Fans hints out to the listeners of a store, and to those who wait for one payout."""

    def __init__(self) -> None:
        self._by_store: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._by_payout: defaultdict[str, set[Subscription]] = defaultdict(set)

    def publish(self, changes: list[Change]) -> None:
        """Tell all listeners; called in the event loop after a commit."""
        for change in changes:
            for subscription in self._by_store.get(change.store_id, ()):
                subscription.put(change)
            if isinstance(change, PayoutChanged):
                for subscription in self._by_payout.get(change.payout_id, ()):
                    subscription.put(change)

    def reread(self, store_id: str | None = None) -> None:
        """Have a store's listeners, or all, read everything again: nobody knows what changed."""
        stores = list(self._by_store) if store_id is None else [store_id]
        for each in stores:
            for subscription in self._by_store.get(each, ()):
                subscription.overflow()
        # Of a payout alone nobody knows here whose it is, and few wait for one.
        for subscriptions in self._by_payout.values():
            for subscription in subscriptions:
                subscription.overflow()

    @contextmanager
    def listen_store(self, store_id: str) -> Iterator[Subscription]:
        """Listen to everything of a store."""
        with self._listen(self._by_store, store_id) as subscription:
            yield subscription

    @contextmanager
    def listen_payout(self, payout_id: str) -> Iterator[Subscription]:
        """Listen to one payout."""
        with self._listen(self._by_payout, payout_id) as subscription:
            yield subscription

    @contextmanager
    def _listen(
        self, listeners: defaultdict[str, set[Subscription]], key: str
    ) -> Iterator[Subscription]:
        subscription = Subscription()
        listeners[key].add(subscription)
        try:
            yield subscription
        finally:
            listeners[key].discard(subscription)
            if not listeners[key]:
                del listeners[key]
