"""What a dashboard shows of the payouts of a filter, read in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.container import Container
from components.prepared import Prepared
from models.events import CardChanged, Change, PayoutChanged, PullPaymentChanged, WalletChanged
from models.payout_filter import PayoutFilter
from models.payout_order import PayoutOrder
from models.payout_view import PayoutView
from models.period import Comparison
from models.rollup import Bucket, Ranking, Stats, TopCard
from models.store import Store

ROWS = 50
CHARTS_S = 1.0
# What took long to read is kept for so many times as long: a search among millions of rows.
REST = 20
# Figures that are counted from rows are read with every look only where that is as quick.
QUICK_S = 0.05
TREND_DAYS = 30
HOURLY_DAYS = 14
TOP = 10
TOUCHED_LIMIT = 1_000
# A tap alone pays nothing out, and its claim must not wait for what it would have shown; a new name
# of a card is found by the slow poll.
UNMOVED_BY = (CardChanged, PullPaymentChanged, WalletChanged)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page looks at: a filter, how its charts are cut, and what stands first.

    Pages alike share a board.
    """

    filter: PayoutFilter
    step: str = "day"
    ranking: Ranking = Ranking.AMOUNT
    sort: PayoutOrder = PayoutOrder.CREATED


@dataclass(frozen=True, slots=True)
class Charts:
    """What the charts show and what figures are held against; dearer, so read less often."""

    good_until: float
    took_s: float
    trend: list[Bucket]
    top_cards: list[TopCard]
    comparison: Comparison
    prepared: Prepared = field(default_factory=Prepared, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The first rows of a filter in its order; figures and charts may follow them."""

    stats: Stats | None
    rows: list[PayoutView]
    charts: Charts | None
    # Payouts that changed since the snapshot before, wherever they stand; nothing: maybe any.
    touched: frozenset[str] | None = frozenset()
    prepared: Prepared = field(default_factory=Prepared, compare=False)


class PayoutReader:
    """Reads snapshots for what is wanted."""

    def __init__(self, container: Container, store: Store, wanted: Wanted) -> None:
        self._container = container
        self._store = store
        self._wanted = wanted
        self._touched: set[str] | None = set()

    def heed(self, changes: Sequence[Change] | None) -> None:
        """Remember which payouts changed, for rows that are not read anew with the first page."""
        if changes is None or self._touched is None or len(self._touched) > TOUCHED_LIMIT:
            self._touched = None
            return
        self._touched |= {
            change.payout_id for change in changes if isinstance(change, PayoutChanged)
        }

    async def read(self, before: Snapshot | None) -> Snapshot:
        """Return the rows there are now; what is dear stays as it was, and follows."""
        store_id, wanted = self._store.id, self._wanted.filter
        touched, self._touched = self._touched, set()
        page = await self._container.payouts.page(store_id, wanted, ROWS, order=self._wanted.sort)
        charts = None if before is None else before.charts
        stats = None if before is None else before.stats
        if not wanted.needs_rows or (charts is not None and charts.took_s < QUICK_S):
            stats = await self._stats()
        return Snapshot(stats, page.items, charts, None if touched is None else frozenset(touched))

    async def follow(self, snapshot: Snapshot) -> Snapshot | None:
        """Return the same with new figures and charts; none while those it has are good."""
        loop, charts = asyncio.get_running_loop(), snapshot.charts
        started = loop.time()
        if charts is not None and started < charts.good_until:
            return None
        stats = snapshot.stats
        if self._wanted.filter.needs_rows:
            stats = await self._stats()
        return Snapshot(stats, snapshot.rows, await self._charts(started))

    async def _stats(self) -> Stats:
        return await self._container.figures.stats(self._store.id, self._wanted.filter)

    async def _charts(self, started: float) -> Charts:
        figures, wanted = self._container.figures, self._wanted
        trend_of, days = wanted.filter, TREND_DAYS
        if wanted.step == "hour":
            trend_of, days = self._last_hours(wanted.filter), HOURLY_DAYS
        trend = await figures.timeline(self._store, days, wanted.step, trend_of)
        top_cards = await figures.top_cards(
            self._store, TREND_DAYS, TOP, wanted.ranking, wanted.filter
        )
        comparison = await figures.compare(self._store, wanted.filter)
        took_s = asyncio.get_running_loop().time() - started
        good_until = started + max(CHARTS_S, REST * took_s)
        return Charts(good_until, took_s, trend, top_cards, comparison)

    def _last_hours(self, wanted: PayoutFilter) -> PayoutFilter:
        """Cut a long range to its last days: a bar for each hour of it would be a hair."""
        if wanted.starts_at is None:
            return wanted
        end = wanted.ends_at or self._container.clock.utc_now()
        start = max(wanted.starts_at, end - timedelta(days=HOURLY_DAYS))
        return wanted.between(start, wanted.ends_at)
