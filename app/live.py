"""Live regions: one shared snapshot per store and question, however many browsers look at it.

A hint from the hub makes the board read again: at once after a pause, then at most every tenth of
a second, more slowly when showing is dear. Browsers that are hidden or gone are skipped and get
everything when they come back. A slow poll stands behind it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

import structlog

from models.errors import ServiceError
from models.events import Change
from services.hub import Hub, Subscription

_log = structlog.get_logger(__name__)

FLUSH_S = 0.1
SLOW_FLUSH_S = 0.5
# After a flush that took long others have their turn for so many times as long.
REST = 2
POLL_S = 5.0

Snapshot = TypeVar("Snapshot")
Follow = Callable[[Snapshot], Awaitable[Snapshot | None]]
# Told what changed before it is read; nothing where hints were lost.
Heed = Callable[[list[Change] | None], None]
Shown_contra = TypeVar("Shown_contra", contravariant=True)


class Viewer(Protocol[Shown_contra]):
    """One page of one browser, or a part of it."""

    seen: int

    @property
    def is_watching(self) -> bool:
        """Tell whether somebody can see it now."""
        ...

    def show(self, snapshot: Shown_contra) -> None:
        """Show everything."""
        ...

    def patch(self, before: Shown_contra, now: Shown_contra) -> None:
        """Show what changed since a snapshot that was shown."""
        ...


class Board(Generic[Snapshot]):
    """Keeps one snapshot fresh for all who look at it.

    `read` is handed the snapshot before, so that it may keep parts that are dear to read;
    `follow` reads those anew when the rest is shown already, if it is time for them.
    """

    def __init__(
        self,
        hub: Hub,
        store_id: str,
        read: Callable[[Snapshot | None], Awaitable[Snapshot]],
        unmoved_by: tuple[type[Change], ...] = (),
        follow: Follow[Snapshot] | None = None,
        heed: Heed | None = None,
    ) -> None:
        self._hub = hub
        self._heed = heed
        self._follow = follow
        self._store_id = store_id
        self._read_again = read
        self._unmoved_by = unmoved_by
        self._snapshot: Snapshot | None = None
        self._number = 0
        self._reading = asyncio.Lock()
        self._begun = asyncio.Event()
        self.viewers: set[Viewer[Snapshot]] = set()

    @property
    def snapshot(self) -> Snapshot | None:
        """Return what was read last, if anything was."""
        return self._snapshot

    async def join(self, viewer: Viewer[Snapshot]) -> None:
        """Show a viewer everything now, and every change from now on."""
        self.viewers.add(viewer)
        try:
            if self._snapshot is None:
                await self._read()
        finally:
            self._begun.set()
        if self._snapshot is not None and viewer in self.viewers:
            viewer.show(self._snapshot)
            viewer.seen = self._number

    async def run(self) -> None:
        """Flush on every hint until nobody looks any more."""
        with self._hub.listen_store(self._store_id) as hints:
            # Whoever came first has seen what is quick to read, and nothing else yet.
            await self._begun.wait()
            await self._turn(self._flush_dear)
            while True:
                await self._until_due(hints)
                await self._turn(self._flush, self._flush_dear)

    async def _turn(self, *steps: Callable[[], Awaitable[None]]) -> None:
        """Take steps, then rest by how long the first took."""
        loop = asyncio.get_running_loop()
        started, cost = loop.time(), 0.0
        try:
            for step in steps:
                await step()
                cost = cost or loop.time() - started
        except ServiceError as error:
            _log.warning("live.not_read", code=error.code)
            cost = cost or loop.time() - started
        await asyncio.sleep(min(SLOW_FLUSH_S, max(FLUSH_S, REST * cost)))

    async def _until_due(self, hints: Subscription) -> None:
        """Wait for a hint that may change the answer, or for the slow poll."""
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + POLL_S
        while (left_s := poll_at - loop.time()) > 0:
            changes = await hints.wait(left_s)
            moved = any(not isinstance(change, self._unmoved_by) for change in changes)
            is_lost = hints.take_overflow()
            if self._heed is not None:
                self._heed(None if is_lost else changes)
            if moved or is_lost:
                return

    async def _flush(self) -> None:
        before, number = self._snapshot, self._number
        await self._hand_out(before, number, await self._read())

    async def _flush_dear(self) -> None:
        """Show the parts that are dear to read after all the rest."""
        before, number = self._snapshot, self._number
        if self._follow is None or before is None:
            return
        async with self._reading:
            snapshot = await self._follow(before)
            if snapshot is None:
                return
            self._snapshot = snapshot
            self._number += 1
        await self._hand_out(before, number, snapshot)

    async def _hand_out(self, before: Snapshot | None, number: int, snapshot: Snapshot) -> None:
        for viewer in list(self.viewers):
            # Between two pages others have their turn: taps do not wait for a hundred pages.
            await asyncio.sleep(0)
            if viewer not in self.viewers or not viewer.is_watching:
                continue
            if before is not None and viewer.seen == number:
                viewer.patch(before, snapshot)
            else:
                viewer.show(snapshot)
            viewer.seen = self._number

    async def _read(self) -> Snapshot:
        async with self._reading:
            snapshot = self._snapshot = await self._read_again(self._snapshot)
            self._number += 1
            return snapshot


class Boards:
    """Finds or starts the board for a question; ends it when the last viewer leaves."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._boards: dict[Hashable, Board[Any]] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def join(
        self,
        key: tuple[str, Hashable],
        read: Callable[[Snapshot | None], Awaitable[Snapshot]],
        viewer: Viewer[Snapshot],
        unmoved_by: tuple[type[Change], ...] = (),
        follow: Follow[Snapshot] | None = None,
        heed: Heed | None = None,
    ) -> None:
        """Add a viewer to the board of a store and question, which `read` answers.

        What `follow` returns is shown after that; `unmoved_by` names the kinds of change that
        never change the answer; `heed` is told of every change before `read` is asked.
        """
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(self._hub, key[0], read, unmoved_by, follow, heed)
            self._tasks[key] = asyncio.create_task(board.run(), name=f"board {key[0]}")
        await board.join(viewer)

    def snapshot(self, key: tuple[str, Hashable]) -> Any:
        """Return what is known of a store and question already, because others look at it."""
        board = self._boards.get(key)
        return None if board is None else board.snapshot

    def leave(self, key: tuple[str, Hashable], viewer: Viewer[Any]) -> None:
        """Take a viewer off its board."""
        board = self._boards.get(key)
        if board is None:
            return
        board.viewers.discard(viewer)
        if not board.viewers:
            del self._boards[key]
            self._tasks.pop(key).cancel()

    def close(self) -> None:
        """End every board."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._boards.clear()
