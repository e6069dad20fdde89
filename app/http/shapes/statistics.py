"""Figures: by status, by time, by card."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.http.shapes.shape import Shape


class FigureShape(Shape):
    """How many, and how much."""

    count: int
    amount_sats: int


class ValuedFigureShape(FigureShape):
    """The same with its worth when the payouts were asked for."""

    value_cents: int


class ByStatusShape(Shape):
    """A figure for each of the five words."""

    pending: FigureShape
    processing: FigureShape
    completed: FigureShape
    failed: FigureShape
    cancelled: FigureShape


class RangeShape(Shape):
    """From when to when; null where it is open."""

    from_: Annotated[datetime | None, Field(alias="from")]
    to: datetime | None


class StatsShape(ByStatusShape, RangeShape):
    """The figures of a filter; the total is the sum of the five."""

    as_of: datetime
    total: FigureShape
    active_boltcards: int


class TimeToPaidShape(Shape):
    """How long it took from asked to completed, at the median."""

    median_ms: int | None
    counted: int
    is_sample: bool


class FeesShape(Shape):
    """The known fees; null while none is known."""

    fee_msat: int | None
    known: int
    unknown: int


class PeriodShape(RangeShape):
    """The figures of one stretch of time."""

    total: ValuedFigureShape
    pending: ValuedFigureShape
    processing: ValuedFigureShape
    completed: ValuedFigureShape
    failed: ValuedFigureShape
    cancelled: ValuedFigureShape
    success_per_mille: int | None
    time_to_paid: TimeToPaidShape
    fees: FeesShape


class ComparisonShape(Shape):
    """A stretch of time beside the one before it."""

    as_of: datetime
    currency: str
    period: PeriodShape
    before: PeriodShape | None
    boltcards_before: int


class BucketShape(ByStatusShape):
    """The figures of one hour, day or week."""

    start: datetime


class TimelineShape(Shape):
    """Figures by time, empty buckets included."""

    zone: str
    bucket: Literal["hour", "day", "week"]
    items: list[BucketShape]


class TopCardShape(Shape):
    """What one card collected."""

    boltcard_id: str
    alias: str
    count: int
    amount_sats: int
    last_used_at: datetime | None


class TopCardsShape(Shape):
    """The cards that collected most."""

    items: list[TopCardShape]
    next_cursor: None
