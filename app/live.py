"""Live regions: one shared snapshot per store and filter, however many browsers look at it.

A hint from the hub makes the board read again: at once after a pause, then at most every tenth of
a second, more slowly when reading is dear. Browsers that are hidden or gone are skipped and get
everything when they come back. A slow poll stands behind it all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from app.container import Container
from models.errors import ServiceError
from models.flash import SocketState
from models.payout_filter import PayoutFilter
from models.payout_view import PayoutView
from models.rollup import Stats
from models.wallet import Wallet

_log = structlog.get_logger(__name__)

FLUSH_S = 0.1
SLOW_FLUSH_S = 0.5
DEAR_S = 0.03
POLL_S = 5.0
ROWS = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page shows, read in one go."""

    number: int
    stats: Stats
    rows: list[PayoutView]
    wallet: Wallet
    socket: SocketState


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in the rows since the snapshot before."""

    added: list[PayoutView]
    changed: list[PayoutView]
    removed: list[str]


class Viewer(Protocol):
    """One page of one browser."""

    seen: int

    @property
    def is_watching(self) -> bool:
        """Tell whether somebody can see it now."""
        ...

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        ...

    def patch(self, snapshot: Snapshot, delta: Delta) -> None:
        """Show what changed."""
        ...


class Board:
    """Keeps one snapshot fresh for all who look at it."""

    def __init__(self, container: Container, store_id: str, wanted: PayoutFilter) -> None:
        self._container = container
        self._store_id = store_id
        self._wanted = wanted
        self._snapshot: Snapshot | None = None
        self._reading = asyncio.Lock()
        self.viewers: set[Viewer] = set()

    async def join(self, viewer: Viewer) -> None:
        """Show a viewer everything now, and every change from now on."""
        self.viewers.add(viewer)
        snapshot = self._snapshot or await self._read()
        viewer.show(snapshot)
        viewer.seen = snapshot.number

    async def run(self) -> None:
        """Flush on every hint until nobody looks any more."""
        loop = asyncio.get_running_loop()
        with self._container.hub.listen_store(self._store_id) as hints:
            while True:
                await hints.wait(POLL_S)
                started = loop.time()
                try:
                    await self._flush()
                except ServiceError as error:
                    _log.warning("live.not_read", code=error.code)
                cost = loop.time() - started
                await asyncio.sleep(SLOW_FLUSH_S if cost > DEAR_S else FLUSH_S)

    async def _flush(self) -> None:
        before = self._snapshot
        snapshot = await self._read()
        delta = None if before is None else difference(before.rows, snapshot.rows)
        for viewer in list(self.viewers):
            if not viewer.is_watching:
                continue
            if delta is not None and before is not None and viewer.seen == before.number:
                viewer.patch(snapshot, delta)
            else:
                viewer.show(snapshot)
            viewer.seen = snapshot.number

    async def _read(self) -> Snapshot:
        async with self._reading:
            container, store_id = self._container, self._store_id
            stats = await container.figures.stats(store_id, self._wanted)
            page = await container.payouts.page(store_id, self._wanted, ROWS)
            wallet = await container.wallets.read(store_id)
            number = 1 if self._snapshot is None else self._snapshot.number + 1
            socket = container.socket_state(store_id)
            self._snapshot = Snapshot(number, stats, page.items, wallet, socket)
            return self._snapshot


class Boards:
    """Finds or starts the board for a store and filter; ends it when the last viewer leaves."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._boards: dict[tuple[str, PayoutFilter], Board] = {}
        self._tasks: dict[tuple[str, PayoutFilter], asyncio.Task[None]] = {}

    async def join(self, store_id: str, wanted: PayoutFilter, viewer: Viewer) -> None:
        """Add a viewer to the board it needs."""
        key = (store_id, wanted)
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(self._container, store_id, wanted)
            self._tasks[key] = asyncio.create_task(board.run(), name=f"board {store_id}")
        await board.join(viewer)

    def leave(self, store_id: str, wanted: PayoutFilter, viewer: Viewer) -> None:
        """Take a viewer off its board."""
        key = (store_id, wanted)
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


def difference(before: list[PayoutView], after: list[PayoutView]) -> Delta:
    """Return how one list of newest rows became another."""
    old = {view.id: view for view in before}
    kept = {view.id for view in after}
    return Delta(
        added=[view for view in after if view.id not in old],
        changed=[view for view in after if view.id in old and old[view.id] != view],
        removed=[view_id for view_id in old if view_id not in kept],
    )
