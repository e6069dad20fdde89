"""How time is read, written, and cut into quarter hours and days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instants import (
    from_seconds,
    from_us,
    iso,
    parse_moment,
    quarter_hour,
    to_seconds,
    to_us,
)
from tests.support.clock import NOON

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(0, 10**16 // 2).map(from_us)
OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda n: timezone(timedelta(minutes=15 * n)))


@given(MOMENTS)
def test_microseconds_lose_nothing(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert from_seconds(to_seconds(moment)) <= moment


@given(MOMENTS, OFFSETS)
def test_the_same_moment_in_any_zone_is_the_same_number(moment: datetime, zone: timezone) -> None:
    assert to_us(moment.astimezone(zone)) == to_us(moment)


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        to_us(NOON.replace(tzinfo=None))


@given(MOMENTS)
def test_a_quarter_hour_holds_its_moment(moment: datetime) -> None:
    start = quarter_hour(moment)

    assert start <= moment < start + timedelta(minutes=15)
    assert (start.minute % 15, start.second, start.microsecond) == (0, 0, 0)


def test_time_is_written_with_milliseconds_and_a_z() -> None:
    moment = datetime(2026, 11, 20, 22, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))

    assert iso(moment) == "2026-11-20T21:00:00.999Z"


@given(MOMENTS)
def test_what_is_written_is_read_back_to_the_millisecond(moment: datetime) -> None:
    read = parse_moment(iso(moment), BERLIN)

    assert timedelta() <= moment - read < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-20T21:00:00Z", "2026-11-20T21:00:00.000Z"),
        ("2026-11-20T21:00:00.5Z", "2026-11-20T21:00:00.500Z"),
        ("2026-11-20T21:00:00+05:30", "2026-11-20T15:30:00.000Z"),
        # A plus in a query that nobody escaped arrives as a blank.
        ("2026-11-20T21:00:00 05:30", "2026-11-20T15:30:00.000Z"),
        ("  2026-11-20T21:00:00Z ", "2026-11-20T21:00:00.000Z"),
        ("2026-11-20", "2026-11-19T23:00:00.000Z"),
        ("2026-07-20", "2026-07-19T22:00:00.000Z"),
    ],
)
def test_any_offset_is_read_and_a_date_begins_in_the_zone(text: str, read: str) -> None:
    assert iso(parse_moment(text, BERLIN)) == read


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-11-20", "UTC", 24),
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        # Here the clocks change at midnight itself.
        ("2026-03-08", "America/Havana", 23),
        ("2026-11-01", "America/Havana", 25),
        ("2026-04-24", "Africa/Cairo", 23),
        ("2026-10-29", "Africa/Cairo", 25),
        ("2026-11-20", "Asia/Kathmandu", 24),
    ],
)
def test_a_day_from_its_date_to_its_date_is_as_long_as_it_was(
    day: str, zone: str, hours: float
) -> None:
    start = parse_moment(day, ZoneInfo(zone))
    end = parse_moment(day, ZoneInfo(zone), end=True)

    assert end - start == timedelta(hours=hours)
    assert quarter_hour(start) == start


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_ends_where_the_next_begins(day: date) -> None:
    following = str(day + timedelta(days=1))

    assert parse_moment(str(day), BERLIN, end=True) == parse_moment(following, BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-13-01",
        "2026-02-30",
        "2026-11-20T21:00:00",
        "2026-11-20T25:00:00Z",
        "20261120",
        "1760000000",
        "2026-11-20T21:00:00+99:00",
        "\uff12\uff10\uff12\uff16-11-20",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the words are Python's own
        parse_moment(text, BERLIN)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        parsed = parse_moment(text, BERLIN, end=True)
    except (ValueError, OverflowError):
        return
    assert parsed.tzinfo is UTC
