"""A stretch of time beside the one before it: what succeeded, how fast, and for which fees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from models.instants import local_midnight
from models.payout_filter import PayoutFilter
from models.rollup import Figure
from models.states import PayoutStatus

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fees:
    """What completed payouts cost in fees; of some that is not known, which is not nothing."""

    known_msat: int = 0
    known: int = 0
    unknown: int = 0

    @property
    def msat(self) -> int | None:
        """Return the sum of the known fees, or nothing where none is known."""
        return self.known_msat if self.known else None


@dataclass(frozen=True, slots=True)
class TimeToPaid:
    """How long it took from asked to completed, at the median.

    Attributes:
        counted: How many payouts were looked at.
        is_sample: Whether there were more; then it is the newest ones that were looked at.
    """

    median: timedelta | None
    counted: int
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Period:
    """The figures of a filter for one stretch of time, end exclusive."""

    starts_at: datetime | None
    ends_at: datetime | None
    by_status: dict[PayoutStatus, Figure]
    fees: Fees
    time_to_paid: TimeToPaid

    @property
    def total(self) -> Figure:
        """Return the sum of the five."""
        return sum(self.by_status.values(), Figure())

    @property
    def success_per_mille(self) -> int | None:
        """Return how many of a thousand that ended were completed."""
        return success_per_mille(self.by_status)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was asked for, and the same for the period before it, if there is one.

    Boltcards are active or not whatever was asked for: theirs are the thirty days before the last.
    """

    as_of: datetime
    period: Period
    before: Period | None
    boltcards_before: int


def success_per_mille(by_status: dict[PayoutStatus, Figure]) -> int | None:
    """Return completed of a thousand that were completed or failed, or nothing if none ended.

    Rounded down: a thousand means that not one failed.
    """
    completed = by_status[PayoutStatus.COMPLETED].count
    ended = completed + by_status[PayoutStatus.FAILED].count
    return completed * 1000 // ended if ended else None


def median_of(lengths: list[timedelta]) -> timedelta | None:
    """Return the length in the middle, rounded down to a microsecond, or nothing of nothing."""
    if not lengths:
        return None
    ordered, half = sorted(lengths), len(lengths) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def range_before(
    wanted: PayoutFilter, zone: ZoneInfo, now: datetime
) -> tuple[datetime, datetime] | None:
    """Return the stretch of the same length that ends where a filter's range starts.

    Whole days of the zone come after as many whole days, however long the clocks made them. While
    a range still runs, what came before it is cut at the same point, so that this morning is held
    against yesterday's morning. All time has nothing before it.
    """
    start, end = wanted.starts_at, wanted.ends_at
    if start is None or start >= now or (end is not None and end <= start):
        return None
    first = _day_begun(start, zone)
    if end is None:
        end = now if first is None else local_midnight(_today(now, zone) + DAY, zone)
    last = _day_begun(end, zone)
    if first is None or last is None:
        back = end - start
        return start - back, min(now, end) - back
    days = last - first
    before = local_midnight(first - days, zone)
    if end <= now:
        return before, start
    # By the wall clock: at nine in the morning of the day that many days ago.
    same_point = (now.astimezone(zone).replace(tzinfo=None) - days).replace(tzinfo=zone)
    cut = min(same_point.astimezone(start.tzinfo), start)
    return (before, cut) if before < cut else None


def _today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def _day_begun(moment: datetime, zone: ZoneInfo) -> date | None:
    """Return the day that begins at a moment, if one does."""
    day = _today(moment, zone)
    return day if local_midnight(day, zone) == moment else None
