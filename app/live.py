"""Live regions: one shared snapshot per store and filter, however many browsers look at it.

A hint from the hub makes the board read again: at once after a pause, then at most every tenth of
a second, more slowly when reading is dear. Browsers that are hidden or gone are skipped and get
everything when they come back. A slow poll stands behind it all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from app.container import Container
from models.attention import Attention
from models.errors import ServiceError
from models.flash import SocketState
from models.payout_filter import PayoutFilter
from models.payout_view import PayoutView
from models.rollup import Bucket, Stats, TopCard
from models.store import Store
from models.wallet import Wallet

_log = structlog.get_logger(__name__)

FLUSH_S = 0.1
SLOW_FLUSH_S = 0.5
DEAR_S = 0.03
POLL_S = 5.0
ROWS = 50
CHARTS_S = 1.0
TREND_DAYS = 30
HOURLY_DAYS = 14
TOP = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page looks at: a filter, and how its charts are cut; pages alike share a board."""

    filter: PayoutFilter
    step: str = "day"
    by_count: bool = False


@dataclass(frozen=True, slots=True)
class Charts:
    """What the charts show; dearer to read, so it is read less often."""

    trend: list[Bucket]
    top_cards: list[TopCard]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page shows, read in one go."""

    number: int
    stats: Stats
    rows: list[PayoutView]
    wallet: Wallet
    attention: Attention
    charts: Charts
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

    def __init__(self, container: Container, store: Store, wanted: Wanted) -> None:
        self._container = container
        self._store = store
        self._wanted = wanted
        self._charts_read_at = -CHARTS_S
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
        with self._container.hub.listen_store(self._store.id) as hints:
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
            container, store_id, wanted = self._container, self._store.id, self._wanted.filter
            page = await container.payouts.page(store_id, wanted, ROWS)
            self._snapshot = Snapshot(
                number=1 if self._snapshot is None else self._snapshot.number + 1,
                stats=await container.figures.stats(store_id, wanted),
                rows=page.items,
                wallet=await container.wallets.read(store_id),
                attention=await container.figures.attention(store_id),
                charts=await self._read_charts(),
                socket=container.socket_state(store_id),
            )
            return self._snapshot

    async def _read_charts(self) -> Charts:
        now = asyncio.get_running_loop().time()
        if self._snapshot is not None and now - self._charts_read_at < CHARTS_S:
            return self._snapshot.charts
        self._charts_read_at = now
        figures, wanted = self._container.figures, self._wanted
        trend_of, days = wanted.filter, TREND_DAYS
        if wanted.step == "hour":
            trend_of, days = self._last_hours(wanted.filter), HOURLY_DAYS
        return Charts(
            trend=await figures.timeline(self._store, days, wanted.step, trend_of),
            top_cards=await figures.top_cards(
                self._store, TREND_DAYS, TOP, by_count=wanted.by_count, wanted=wanted.filter
            ),
        )

    def _last_hours(self, wanted: PayoutFilter) -> PayoutFilter:
        """Cut a long range to its last days: a bar for each hour of it would be a hair."""
        if wanted.starts_at is None:
            return wanted
        end = wanted.ends_at or self._container.clock.utc_now()
        start = max(wanted.starts_at, end - timedelta(days=HOURLY_DAYS))
        return wanted.between(start, wanted.ends_at)


class Boards:
    """Finds or starts the board for a store and filter; ends it when the last viewer leaves."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._boards: dict[tuple[str, Wanted], Board] = {}
        self._tasks: dict[tuple[str, Wanted], asyncio.Task[None]] = {}

    async def join(self, store: Store, wanted: Wanted, viewer: Viewer) -> None:
        """Add a viewer to the board it needs."""
        key = (store.id, wanted)
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(self._container, store, wanted)
            self._tasks[key] = asyncio.create_task(board.run(), name=f"board {store.id}")
        await board.join(viewer)

    def leave(self, store: Store, wanted: Wanted, viewer: Viewer) -> None:
        """Take a viewer off its board."""
        key = (store.id, wanted)
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
