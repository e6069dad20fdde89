"""What came before a range is as long as it, ends where it starts, and follows the zone's days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instants import local_midnight
from models.payout_filter import PayoutFilter
from models.period import Fees, median_of, range_before, success_per_mille
from models.rollup import Figure
from models.states import PayoutStatus

ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]
YEAR = st.integers(0, 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
LATE = datetime(2029, 1, 1, tzinfo=UTC)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# Berlin: 29 March 2026 has 23 hours, 25 October has 25. Havana's days of change begin at one.
CASES = {
    "two days that are over": (
        *("Europe/Berlin", "2026-11-20T12:00Z", "2026-11-16T23:00Z", "2026-11-18T23:00Z"),
        *("2026-11-14T23:00Z", "2026-11-16T23:00Z"),
    ),
    "a day after the short one": (
        *("Europe/Berlin", "2026-11-20T12:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"),
        *("2026-03-28T23:00Z", "2026-03-29T22:00Z"),
    ),
    "a day after the long one": (
        *("Europe/Berlin", "2026-11-20T12:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"),
        *("2026-10-24T22:00Z", "2026-10-25T23:00Z"),
    ),
    "a day after one that begins at one": (
        *("America/Havana", "2026-11-20T12:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"),
        *("2026-03-08T05:00Z", "2026-03-09T04:00Z"),
    ),
    "today, at nine in the morning": (
        *("Europe/Berlin", "2026-11-20T08:00Z", "2026-11-19T23:00Z", None),
        *("2026-11-18T23:00Z", "2026-11-19T08:00Z"),
    ),
    "today with its end, at nine in the morning after the long day": (
        *("Europe/Berlin", "2026-10-26T08:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"),
        *("2026-10-24T22:00Z", "2026-10-25T08:00Z"),
    ),
    "thirty days that still run": (
        *("Europe/Berlin", "2026-11-20T08:00Z", "2026-10-21T22:00Z", "2026-11-20T23:00Z"),
        *("2026-09-21T22:00Z", "2026-10-21T07:00Z"),
    ),
    "a range by the minute": (
        *("Europe/Berlin", "2026-11-20T12:00Z", "2026-11-19T10:17Z", "2026-11-19T11:17Z"),
        *("2026-11-19T09:17Z", "2026-11-19T10:17Z"),
    ),
    "a range by the minute that still runs": (
        *("UTC", "2026-11-20T12:00Z", "2026-11-20T11:10Z", "2026-11-20T13:10Z"),
        *("2026-11-20T09:10Z", "2026-11-20T10:00Z"),
    ),
    "from a minute until now": (
        *("UTC", "2026-11-20T12:00Z", "2026-11-20T11:10Z", None),
        *("2026-11-20T10:20Z", "2026-11-20T11:10Z"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_came_before_a_range(case: tuple[str, str, str, str | None, str, str]) -> None:
    zone, now, start, end, *expected = case
    wanted = PayoutFilter(starts_at=moment(start), ends_at=moment(end))

    found = range_before(wanted, ZoneInfo(zone), datetime.fromisoformat(now))

    assert found == tuple(map(datetime.fromisoformat, expected))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        (None, "2026-11-20T00:00Z"),
        ("2026-11-20T12:00Z", None),
        ("2026-11-21T00:00Z", "2026-11-22T00:00Z"),
        ("2026-11-10T00:00Z", "2026-11-10T00:00Z"),
        ("2026-11-10T00:00Z", "2026-11-09T00:00Z"),
    ],
)
def test_all_time_the_future_and_nothing_have_no_period_before(
    start: str | None, end: str | None
) -> None:
    wanted = PayoutFilter(starts_at=moment(start), ends_at=moment(end))

    assert range_before(wanted, ZoneInfo("UTC"), datetime(2026, 11, 20, 12, tzinfo=UTC)) is None


@given(YEAR, st.integers(1, 400), st.sampled_from(ZONES))
def test_whole_days_come_after_as_many_whole_days(at: datetime, days: int, name: str) -> None:
    zone = ZoneInfo(name)
    first = at.astimezone(zone).date()
    start, end = (local_midnight(first + timedelta(days=n), zone) for n in (0, days))

    before = range_before(PayoutFilter(starts_at=start, ends_at=end), zone, LATE)

    assert before == (local_midnight(first - timedelta(days=days), zone), start)


@given(YEAR, YEAR, YEAR, st.sampled_from(ZONES))
def test_what_came_before_never_reaches_into_the_range(
    start: datetime, end: datetime, now: datetime, name: str
) -> None:
    before = range_before(PayoutFilter(starts_at=start, ends_at=end), ZoneInfo(name), now)

    assert (before is None) is (end <= start or now <= start) or before is None
    if before is not None:
        assert before[0] < before[1] <= start
        assert before[1] <= now


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_success_is_a_thousand_only_if_nothing_failed(completed: int, failed: int) -> None:
    figures = dict.fromkeys(PayoutStatus, Figure(7, 7, 7))
    figures[PayoutStatus.COMPLETED] = Figure(completed)
    figures[PayoutStatus.FAILED] = Figure(failed)

    found = success_per_mille(figures)

    if completed + failed == 0:
        assert found is None
        return
    assert found is not None
    assert found * (completed + failed) <= completed * 1000 < (found + 1) * (completed + failed)
    assert (found == 1000) is (failed == 0)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([], None), ([5], 5), ([9, 1], 5), ([1, 2], 1), ([7, 1, 3], 3), ([4, 1, 2, 3], 2)],
)
def test_the_median_is_in_the_middle(lengths: list[int], expected: int | None) -> None:
    found = median_of([timedelta(microseconds=length) for length in lengths])

    assert found == (None if expected is None else timedelta(microseconds=expected))


def test_fees_that_nobody_knows_are_not_nothing() -> None:
    assert Fees(0, 0, 5).msat is None
    assert Fees(0, 2, 5).msat == 0
