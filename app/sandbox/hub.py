"""Who listens to what inside the sandbox; nothing is kept for those who come late."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

MAX_WAITING: Final = 1_000


class Feed:
    """One listener's queue; when it does not read, the oldest events are lost."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Any] = asyncio.Queue(MAX_WAITING)

    def put(self, event: Any) -> None:
        """Add an event, in place of the oldest if the queue is full."""
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)

    async def next(self) -> Any:
        """Return the next event."""
        return await self._events.get()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return await self._events.get()


class Hub:
    """Hands each event of a topic to everybody who listens to it at that moment."""

    def __init__(self) -> None:
        self._feeds: dict[str, set[Feed]] = defaultdict(set)

    @contextmanager
    def listen(self, *topics: str) -> Iterator[Feed]:
        """Receive the events of some topics until the block is left."""
        feed = Feed()
        for topic in topics:
            self._feeds[topic].add(feed)
        try:
            yield feed
        finally:
            for topic in topics:
                self._feeds[topic].discard(feed)
                if not self._feeds[topic]:
                    del self._feeds[topic]

    def publish(self, topic: str, event: Any) -> None:
        """Hand an event to those who listen now."""
        for feed in tuple(self._feeds.get(topic, ())):
            feed.put(event)

    def topics(self, prefix: str) -> list[str]:
        """Return the topics of a kind that have a listener."""
        return [topic for topic in self._feeds if topic.startswith(prefix)]
