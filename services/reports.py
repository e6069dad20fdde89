"""Reports: figures regrouped to the days of a store's zone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from models.export import DayFigures, QuarterFigure
from models.instants import to_us
from models.payout_filter import PayoutFilter
from models.rollup import Figure
from models.states import PayoutStatus
from models.store import Store
from services.boltcards import Boltcards
from services.database import Database
from services.payouts import NO_CARD, resolve_card
from services.storage import export as exports
from services.storage.statement import Transaction

_SUMS = ["count", "amount_sats", "value_cents"]


class Reports:
    """Answers how many and how much, day by day."""

    def __init__(self, database: Database, boltcards: Boltcards) -> None:
        self._database = database
        self._boltcards = boltcards

    async def days(self, store: Store, wanted: PayoutFilter) -> list[DayFigures]:
        """Return every day from the first to the last that has payouts of a filter."""
        quarters = await self._database.read(self._quarters, store.id, wanted)
        return await asyncio.to_thread(by_day, quarters, ZoneInfo(store.time_zone))

    def _quarters(
        self, tx: Transaction, store_id: str, wanted: PayoutFilter
    ) -> list[QuarterFigure]:
        card_id = resolve_card(tx, self._boltcards, store_id, wanted.card)
        return [] if card_id == NO_CARD else exports.quarters(tx, store_id, wanted, card_id)


def by_day(quarters: Iterable[QuarterFigure], zone: ZoneInfo) -> list[DayFigures]:
    """Regroup quarter hours to days of a zone, empty days between them included.

    A day may have 23 or 25 hours; each quarter hour is in exactly one day, so nothing is lost.
    """
    import pandas as pd  # type: ignore[import-untyped]  # as much memory as all the rest

    # Columns of plain values: as many small objects would set off Python's collector.
    starts: list[int] = []
    sums: dict[str, list[int | str]] = {name: [] for name in ("status", *_SUMS)}
    for quarter in quarters:
        starts.append(to_us(quarter.start))
        sums["status"].append(quarter.status.value)
        for name in _SUMS:
            sums[name].append(getattr(quarter.figure, name))
    if not starts:
        return []
    # Objects, not 64-bit numbers: sums of Python's integers cannot run over.
    frame = pd.DataFrame(sums, dtype=object)
    local = pd.DatetimeIndex(pd.to_datetime(starts, unit="us", utc=True)).tz_convert(zone)
    frame["day"] = local.tz_localize(None).normalize()
    grouped = frame.groupby(["day", "status"])[_SUMS].sum()
    found = {
        (day.date(), status): Figure(*map(int, row))
        for (day, status), row in zip(grouped.index, grouped.to_numpy(), strict=True)
    }
    return [
        DayFigures(day, {s: found.get((day, s.value), Figure()) for s in PayoutStatus})
        for day in pd.date_range(frame["day"].min(), frame["day"].max()).date
    ]
