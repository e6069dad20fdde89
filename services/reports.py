"""Reports: figures regrouped to the days of a store's zone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Any
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
    # Half the memory of a process that never makes a report.
    import pandas as pd  # type: ignore[import-untyped]

    rows = [
        (to_us(q.start), q.status.value, q.figure.count, q.figure.amount_sats, q.figure.value_cents)
        for q in quarters
    ]
    if not rows:
        return []
    # Objects, not 64-bit numbers: sums of Python's integers cannot run over.
    frame = pd.DataFrame(rows, columns=["start", "status", *_SUMS], dtype=object)
    starts = pd.to_datetime(frame["start"].astype("int64"), unit="us", utc=True)
    frame["day"] = starts.dt.tz_convert(zone).dt.date
    sums = frame.groupby(["day", "status"])[_SUMS].sum()
    found: dict[tuple[date, str], Figure] = {
        key: Figure(*map(int, row)) for key, row in zip(sums.index, sums.to_numpy(), strict=True)
    }
    days: Any = pd.date_range(frame["day"].min(), frame["day"].max(), freq="D")
    return [
        DayFigures(
            day,
            {status: found.get((day, status.value), Figure()) for status in PayoutStatus},
        )
        for day in days.date
    ]
