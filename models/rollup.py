"""Sums of payouts by time: what screens and statistics read instead of the payouts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from math import gcd

from models.instants import EPOCH, MICROSECOND, QUARTER_HOUR, quarter_hour
from models.states import PayoutStatus

DAY = timedelta(days=1)


class Grain(StrEnum):
    """How long the buckets of a rollup row are."""

    QUARTER = "quarter"
    DAY = "day"


def bucket_of(grain: Grain, moment: datetime) -> datetime:
    """Return the start of the bucket a moment falls into."""
    if grain is Grain.QUARTER:
        return quarter_hour(moment)
    return datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """Stretches of one length, one after the other from an origin on."""

    origin: datetime
    length: timedelta

    def is_of_days(self, start: datetime, end: datetime) -> bool:
        """Tell whether whole UTC days make up its stretches and this range."""
        moments = (self.origin, start, end)
        return not self.length % DAY and all(bucket_of(Grain.DAY, at) == at for at in moments)


QUARTERS = Grid(EPOCH, QUARTER_HOUR)


def grid_of(starts: Sequence[datetime]) -> Grid:
    """Return the coarsest grid that has a line wherever one of two or more buckets starts."""
    lengths = (after - before for before, after in pairwise(starts))
    return Grid(starts[0], gcd(*(length // MICROSECOND for length in lengths)) * MICROSECOND)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, end exclusive, and what to read it from; no grain means the payouts."""

    grain: Grain | None
    start: datetime | None
    end: datetime | None


def split_range(start: datetime | None, end: datetime | None) -> list[Span]:
    """Cut a range into whole days, whole quarter hours, and the rest, none of them overlapping."""
    if start is not None and end is not None and start >= end:
        return []
    spans: list[Span] = []
    day_start = start if start is None else _up(Grain.DAY, start)
    day_end = end if end is None else bucket_of(Grain.DAY, end)
    if day_start is not None and day_end is not None and day_start >= day_end:
        assert start is not None
        assert end is not None
        return _quarters(start, end)
    if start is not None and day_start is not None:
        spans += _quarters(start, day_start)
    spans.append(Span(Grain.DAY, day_start, day_end))
    if end is not None and day_end is not None:
        spans += _quarters(day_end, end)
    return spans


def whole_days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return where the whole UTC days inside a range begin and end; with none, its end twice."""
    first, last = _up(Grain.DAY, start), bucket_of(Grain.DAY, end)
    return (first, last) if first < last else (end, end)


def _quarters(start: datetime, end: datetime) -> list[Span]:
    if start >= end:
        return []
    first, last = _up(Grain.QUARTER, start), bucket_of(Grain.QUARTER, end)
    if first >= last:
        return [Span(None, start, end)]
    spans = [Span(Grain.QUARTER, first, last)]
    if start < first:
        spans.append(Span(None, start, first))
    if last < end:
        spans.append(Span(None, last, end))
    return spans


def _up(grain: Grain, moment: datetime) -> datetime:
    bucket = bucket_of(grain, moment)
    length = DAY if grain is Grain.DAY else timedelta(minutes=15)
    return bucket if bucket == moment else bucket + length


@dataclass(frozen=True, slots=True)
class Figure:
    """How many payouts, and how much they are: sats, and their worth when they were made."""

    count: int = 0
    amount_sats: int = 0
    value_cents: int = 0

    def __add__(self, other: Figure) -> Figure:
        return Figure(
            self.count + other.count,
            self.amount_sats + other.amount_sats,
            self.value_cents + other.value_cents,
        )


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures by status; the total is their sum."""

    by_status: dict[PayoutStatus, Figure]
    active_boltcards: int
    as_of: datetime

    @property
    def total(self) -> Figure:
        """Return the sum of the five."""
        return sum(self.by_status.values(), Figure())


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar of a trend."""

    start: datetime
    by_status: dict[PayoutStatus, Figure]


class Ranking(StrEnum):
    """What cards are ranked by: sats, payouts, or what the sats were worth at the time."""

    AMOUNT = "amount"
    COUNT = "count"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class TopCard:
    """One card of a ranking by what it collected."""

    card_id: str
    alias: str
    count: int
    amount_sats: int
    last_used_at: datetime | None
    value_cents: int = 0
