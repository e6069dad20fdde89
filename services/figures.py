"""Figures over time: sums, trends and rankings, from rollups wherever they can answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from models.attention import Attention
from models.instants import Clock, local_midnight
from models.payout_filter import PayoutFilter
from models.period import Comparison, Fees, Period, TimeToPaid, median_of, range_before
from models.rollup import Bucket, Figure, Ranking, Span, Stats, TopCard, grid_of, split_range
from models.states import PayoutStatus
from models.store import Store
from services.boltcards import Boltcards
from services.database import Database
from services.payouts import NO_CARD, resolve_card
from services.storage import export, health, listing, rollup
from services.storage.statement import Transaction

ACTIVE_DAYS = 30
MAX_DAYS = 400
# The median is exact up to here; of more it is that of the newest: as cheap at any size.
MEDIAN_OF = 1_000
ByStatus = dict[PayoutStatus, Figure]


class Figures:
    """Answers how many and how much."""

    def __init__(self, database: Database, clock: Clock, boltcards: Boltcards) -> None:
        self._database = database
        self._clock = clock
        self._boltcards = boltcards

    async def stats(self, store_id: str, wanted: PayoutFilter) -> Stats:
        """Return figures by status for a filter; the total is their sum."""
        return await self._database.read(self._stats, store_id, wanted)

    async def compare(self, store: Store, wanted: PayoutFilter) -> Comparison:
        """Return a filter's figures, success, fees and speed beside those of the period before."""
        return await self._database.read(self._compare, store, wanted)

    async def attention(self, store_id: str) -> Attention:
        """Return what waits for a person."""
        return await self._database.read(health.read_attention, store_id, self._clock.utc_now())

    async def timeline(
        self, store: Store, days: int, bucket: str, wanted: PayoutFilter | None = None
    ) -> list[Bucket]:
        """Return figures by hour, day or week of the store's zone, empty buckets included.

        A filter narrows what is counted; its own range replaces the days.
        """
        asked = wanted or PayoutFilter()
        return await self._database.read(self._timeline, store, days, bucket, asked)

    async def top_cards(
        self,
        store: Store,
        days: int,
        limit: int,
        by: Ranking = Ranking.AMOUNT,
        wanted: PayoutFilter | None = None,
    ) -> list[TopCard]:
        """Return the cards that collected most in completed payouts of a range."""
        zone = ZoneInfo(store.time_zone)
        start = local_midnight(self._today(zone) - timedelta(days=days - 1), zone)
        end = self._clock.utc_now() + timedelta(hours=1)
        if wanted is not None:
            start, end = wanted.starts_at or start, wanted.ends_at or end
        return await self._database.read(rollup.top_cards, store.id, start, end, limit, by)

    def _today(self, zone: ZoneInfo) -> date:
        return self._clock.utc_now().astimezone(zone).date()

    def _stats(self, tx: Transaction, store_id: str, wanted: PayoutFilter) -> Stats:
        now = self._clock.utc_now()
        card_id = resolve_card(tx, self._boltcards, store_id, wanted.card)
        figures = self._by_status(tx, store_id, wanted, card_id)
        active = rollup.count_active_cards(tx, store_id, now - timedelta(days=ACTIVE_DAYS))
        return Stats(figures, active, now)

    def _compare(self, tx: Transaction, store: Store, wanted: PayoutFilter) -> Comparison:
        now = self._clock.utc_now()
        card_id = resolve_card(tx, self._boltcards, store.id, wanted.card)
        before = range_before(wanted, ZoneInfo(store.time_zone), now)
        active_since = now - timedelta(days=ACTIVE_DAYS)
        return Comparison(
            as_of=now,
            period=self._period(tx, store.id, wanted, card_id),
            before=before and self._period(tx, store.id, wanted.between(*before), card_id),
            boltcards_before=rollup.count_cards_between(
                tx, store.id, active_since - timedelta(days=ACTIVE_DAYS), active_since
            ),
        )

    def _period(
        self, tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
    ) -> Period:
        by_status = self._by_status(tx, store_id, wanted, card_id)
        fees, times = Fees(), TimeToPaid(None, 0, is_sample=False)
        completed = by_status[PayoutStatus.COMPLETED].count
        if completed:
            fees = self._fees(tx, store_id, wanted, card_id, completed)
            times = _time_to_paid(tx, store_id, wanted, card_id)
        return Period(wanted.starts_at, wanted.ends_at, by_status, fees, times)

    def _fees(
        self,
        tx: Transaction,
        store_id: str,
        wanted: PayoutFilter,
        card_id: str | None,
        completed: int,
    ) -> Fees:
        if wanted.needs_rows:
            found = [listing.sum_fees(tx, store_id, wanted, card_id)]
        else:
            found = [
                rollup.sum_fees(tx, store_id, span, card_id)
                if span.grain is not None
                else listing.sum_fees(tx, store_id, wanted.between(span.start, span.end), card_id)
                for span in split_range(wanted.starts_at, wanted.ends_at)
            ]
        known = sum(fees.known for fees in found)
        return Fees(sum(fees.known_msat for fees in found), known, completed - known)

    def _by_status(
        self, tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
    ) -> ByStatus:
        figures: ByStatus = dict.fromkeys(PayoutStatus, Figure())
        if card_id != NO_CARD:
            for status, figure in self._sums(tx, store_id, wanted, card_id):
                figures[status] += figure
        return figures

    def _sums(
        self, tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
    ) -> list[tuple[PayoutStatus, Figure]]:
        if wanted.needs_rows:
            return list(listing.sum_rows(tx, store_id, wanted, card_id).items())
        found: list[tuple[PayoutStatus, Figure]] = []
        for span in split_range(wanted.starts_at, wanted.ends_at):
            found += self._span(tx, store_id, wanted, card_id, span).items()
        statuses = wanted.statuses or tuple(PayoutStatus)
        return [(status, figure) for status, figure in found if status in statuses]

    def _span(
        self,
        tx: Transaction,
        store_id: str,
        wanted: PayoutFilter,
        card_id: str | None,
        span: Span,
    ) -> ByStatus:
        if span.grain is None:
            edge = wanted.between(span.start, span.end)
            return listing.sum_rows(tx, store_id, edge, card_id)
        return rollup.sum_span(tx, store_id, span, card_id)

    def _timeline(
        self, tx: Transaction, store: Store, days: int, bucket: str, wanted: PayoutFilter
    ) -> list[Bucket]:
        zone = ZoneInfo(store.time_zone)
        now = self._clock.utc_now()
        last = now if wanted.ends_at is None else wanted.ends_at - timedelta(microseconds=1)
        if wanted.starts_at is not None:
            first_day = wanted.starts_at.astimezone(zone).date()
            days = (last.astimezone(zone).date() - first_day).days + 1
        starts = bucket_starts(last, zone, max(1, min(days, MAX_DAYS)), bucket)
        empty: ByStatus = dict.fromkeys(PayoutStatus, Figure())
        buckets = [Bucket(start, dict(empty)) for start in starts[:-1]]
        place = 0
        found = self._stretches(tx, store.id, wanted, starts)
        for at, status, figure in sorted(found, key=lambda row: row[0]):
            while place + 1 < len(buckets) and at >= starts[place + 1]:
                place += 1
            buckets[place].by_status[status] += figure
        return buckets

    def _stretches(
        self, tx: Transaction, store_id: str, wanted: PayoutFilter, starts: list[datetime]
    ) -> list[tuple[datetime, PayoutStatus, Figure]]:
        card_id = resolve_card(tx, self._boltcards, store_id, wanted.card)
        if card_id == NO_CARD:
            return []
        start = max(starts[0], wanted.starts_at or starts[0])
        end = min(starts[-1], wanted.ends_at or starts[-1])
        within = wanted.between(start, end)
        rows = export.quarters(tx, store_id, within, card_id, grid_of(starts))
        return [(row.start, row.status, row.figure) for row in rows]


def _time_to_paid(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
) -> TimeToPaid:
    lengths = listing.newest_lengths(tx, store_id, wanted, card_id, MEDIAN_OF + 1)
    counted = lengths[:MEDIAN_OF]
    return TimeToPaid(median_of(counted), len(counted), is_sample=len(lengths) > MEDIAN_OF)


def bucket_starts(now: datetime, zone: ZoneInfo, days: int, bucket: str) -> list[datetime]:
    """Return where buckets start, and last where the present one ends, in UTC.

    Local days may have 23 or 25 hours; an hour is an hour.
    """
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    if bucket == "week":
        first -= timedelta(days=first.weekday())
    step = timedelta(days=7 if bucket == "week" else 1)
    end = local_midnight(today + timedelta(days=1), zone)
    if bucket == "hour":
        start = local_midnight(first, zone)
        hours = -((start - end) // timedelta(hours=1))  # rounded up: days may have half an hour
        return [start + timedelta(hours=number) for number in range(hours + 1)]
    starts = []
    while first <= today:
        starts.append(local_midnight(first, zone))
        first += step
    return [*starts, max(end, local_midnight(first, zone))]
