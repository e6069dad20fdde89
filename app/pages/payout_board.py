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
    trend: list[Bucket]
    top_cards: list[TopCard]
    comparison: Comparison
    prepared: Prepared = field(default_factory=Prepared, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Figures, charts and the first rows of a filter in its order."""

    stats: Stats
    rows: list[PayoutView]
    charts: Charts
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
        """Return what there is now, and the charts as they were, if they were read before."""
        container, store_id, wanted = self._container, self._store.id, self._wanted.filter
        touched, self._touched = self._touched, set()
        page = await container.payouts.page(store_id, wanted, ROWS, order=self._wanted.sort)
        return Snapshot(
            stats=await container.figures.stats(store_id, wanted),
            rows=page.items,
            charts=await self._charts() if before is None else before.charts,
            touched=None if touched is None else frozenset(touched),
        )

    async def follow(self, snapshot: Snapshot) -> Snapshot | None:
        """Return the same with new charts; none while those it has are good."""
        if asyncio.get_running_loop().time() < snapshot.charts.good_until:
            return None
        return Snapshot(snapshot.stats, snapshot.rows, await self._charts())

    async def _charts(self) -> Charts:
        loop = asyncio.get_running_loop()
        started = loop.time()
        figures, wanted = self._container.figures, self._wanted
        trend_of, days = wanted.filter, TREND_DAYS
        if wanted.step == "hour":
            trend_of, days = self._last_hours(wanted.filter), HOURLY_DAYS
        trend = await figures.timeline(self._store, days, wanted.step, trend_of)
        top_cards = await figures.top_cards(
            self._store, TREND_DAYS, TOP, wanted.ranking, wanted.filter
        )
        comparison = await figures.compare(self._store, wanted.filter)
        rest = REST * (loop.time() - started)
        return Charts(started + max(CHARTS_S, rest), trend, top_cards, comparison)

    def _last_hours(self, wanted: PayoutFilter) -> PayoutFilter:
        """Cut a long range to its last days: a bar for each hour of it would be a hair."""
        if wanted.starts_at is None:
            return wanted
        end = wanted.ends_at or self._container.clock.utc_now()
        start = max(wanted.starts_at, end - timedelta(days=HOURLY_DAYS))
        return wanted.between(start, wanted.ends_at)
