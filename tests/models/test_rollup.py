"""A range of time is cut into buckets that cover it exactly, and figures add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from models.rollup import (
    DAY,
    Figure,
    Grain,
    Span,
    Stats,
    bucket_of,
    grid_of,
    split_range,
    whole_days,
)
from models.states import PayoutStatus
from tests.support.clock import NOON

QUARTER = timedelta(minutes=15)
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
# Bounds that often fall on a day or a quarter hour, which is where mistakes live.
MOMENTS = st.one_of(
    st.integers(0, 8).map(lambda n: EARLIEST + n * DAY),
    st.integers(0, 800).map(lambda n: EARLIEST + n * QUARTER),
    st.integers(0, 8 * 86_400_000_000).map(lambda n: EARLIEST + timedelta(microseconds=n)),
)


def in_order(spans: list[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: span.start or EARLIEST - DAY)


@given(MOMENTS, MOMENTS)
@example(EARLIEST, EARLIEST + DAY)
@example(EARLIEST + QUARTER, EARLIEST + QUARTER * 2)
@example(EARLIEST + timedelta(seconds=1), EARLIEST + timedelta(seconds=2))
def test_a_range_is_covered_without_gap_or_overlap(start: datetime, end: datetime) -> None:
    spans = in_order(split_range(start, end))

    if start >= end:
        assert spans == []
        return
    assert (spans[0].start, spans[-1].end) == (start, end)
    for before, after in pairwise(spans):
        assert before.end == after.start


@given(st.none() | MOMENTS, st.none() | MOMENTS)
def test_a_range_without_an_end_is_covered_as_well(
    start: datetime | None, end: datetime | None
) -> None:
    spans = split_range(start, end)
    ordered = in_order(spans)

    if start is None:
        assert ordered[0].start is None
    if end is None:
        assert [span.end for span in spans].count(None) == 1
    for span in spans:
        assert span.start is None or span.end is None or span.start < span.end


@given(st.none() | MOMENTS, st.none() | MOMENTS)
def test_what_is_read_from_rollups_begins_and_ends_on_their_buckets(
    start: datetime | None, end: datetime | None
) -> None:
    for span in split_range(start, end):
        if span.grain is not None:
            for bound in (span.start, span.end):
                assert bound is None or bucket_of(span.grain, bound) == bound


@given(MOMENTS, MOMENTS)
def test_at_most_two_quarter_hours_are_counted_from_the_payouts(
    start: datetime, end: datetime
) -> None:
    spans = split_range(start, end)
    counted = [span for span in spans if span.grain is None]

    assert len(spans) <= 5
    for span in counted:
        assert span.start is not None
        assert span.end is not None
        assert span.end - span.start < 2 * QUARTER


@given(MOMENTS)
def test_a_day_is_made_of_its_quarter_hours(moment: datetime) -> None:
    quarter, day = bucket_of(Grain.QUARTER, moment), bucket_of(Grain.DAY, moment)

    assert bucket_of(Grain.DAY, quarter) == day
    assert day <= quarter <= moment < quarter + QUARTER


@given(st.lists(st.builds(Figure, *[st.integers(0, 10**15)] * 3), min_size=5, max_size=5))
def test_the_total_is_the_sum_of_the_five(figures: list[Figure]) -> None:
    stats = Stats(dict(zip(PayoutStatus, figures, strict=True)), 0, NOON)

    assert stats.total.count == sum(figure.count for figure in figures)
    assert stats.total.amount_sats == sum(figure.amount_sats for figure in figures)
    assert stats.total.value_cents == sum(figure.value_cents for figure in figures)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=9))
def test_a_grid_has_a_line_wherever_a_bucket_starts(lengths: list[int]) -> None:
    starts = [EARLIEST]
    for length in lengths:
        starts.append(starts[-1] + length * QUARTER)

    grid = grid_of(starts)

    assert grid.origin == EARLIEST
    assert not any((start - grid.origin) % grid.length for start in starts)
    assert grid.length >= QUARTER


@given(MOMENTS, MOMENTS)
def test_whole_days_lie_within_their_range(one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))

    first, last = whole_days(start, end)

    assert start <= first <= last <= end
    assert first == last == end or bucket_of(Grain.DAY, first) == first < last
    assert first - start < DAY or first == end
