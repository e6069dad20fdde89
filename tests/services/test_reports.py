"""Regrouped to the days of a zone, nothing is lost and nothing is counted twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.export import DayFigures, QuarterFigure
from models.instants import quarter_hour
from models.payout_filter import PayoutFilter
from models.rollup import Figure
from models.states import PayoutStatus
from services.reports import by_day
from tests.support.clock import NOON
from tests.support.past import Past, plant_past
from tests.support.shop import Shop

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quarters_around(middle: datetime, hours: int) -> list[QuarterFigure]:
    """Return one payout of a growing amount in every quarter hour."""
    start = quarter_hour(middle - timedelta(hours=hours))
    return [
        QuarterFigure(start + n * timedelta(minutes=15), status, Figure(1, 10 + n, n))
        for n in range(8 * hours)
        for status in PayoutStatus
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("middle", ["2026-03-29T12:00", "2026-10-25T12:00", "2026-04-04T15:00"])
def test_each_quarter_hour_is_in_its_local_day(zone: str, middle: str) -> None:
    quarters = quarters_around(moment(middle), 60)

    days = by_day(quarters, ZoneInfo(zone))

    meant: defaultdict[tuple[date, PayoutStatus], Figure] = defaultdict(Figure)
    for quarter in quarters:
        meant[quarter.start.astimezone(ZoneInfo(zone)).date(), quarter.status] += quarter.figure
    found = {(day.day, status): figure for day in days for status, figure in day.by_status.items()}
    assert found == meant


def test_a_day_may_have_twenty_three_or_twenty_five_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    autumn = by_day(quarters_around(moment("2026-10-25T12:00"), 60), berlin)
    spring = by_day(quarters_around(moment("2026-03-29T12:00"), 60), berlin)

    def hours(days: list[DayFigures], day: date) -> int:
        (found,) = (figures for figures in days if figures.day == day)
        return found.by_status[PayoutStatus.FAILED].count // 4

    assert hours(autumn, date(2026, 10, 25)) == 25
    assert hours(spring, date(2026, 3, 29)) == 23
    assert hours(autumn, date(2026, 10, 24)) == 24


def test_days_without_payouts_are_there_too() -> None:
    one = QuarterFigure(NOON, PayoutStatus.FAILED, Figure(1, 5, 2))
    other = QuarterFigure(NOON - timedelta(days=3), PayoutStatus.PENDING, Figure(2, 7, 3))

    days = by_day([one, other], ZoneInfo("UTC"))

    assert [day.total.count for day in days] == [2, 0, 0, 1]
    assert by_day([], ZoneInfo("UTC")) == []


def test_sums_do_not_run_over() -> None:
    much = Figure(1, 2**62, 2**62)
    quarters = [QuarterFigure(NOON, PayoutStatus.FAILED, much)] * 5

    (day,) = by_day(quarters, ZoneInfo("UTC"))

    assert day.total == Figure(5, 5 * 2**62, 5 * 2**62)


@pytest.fixture
async def past(shop: Shop) -> Past:
    planted = await plant_past(shop)
    await planted.grow(120, days=60)  # over the end of summer time
    return planted


FILTERS: list[dict[str, Any]] = [
    {},
    {"statuses": (PayoutStatus.COMPLETED, PayoutStatus.FAILED)},
    {"min_sats": 1_000},
    {"card": "zoë"},
    {"card": "nobody"},
    {"starts_at": NOON - timedelta(days=40)},
    {"ends_at": NOON - timedelta(days=10, minutes=7)},
    {"starts_at": moment("2026-10-24T22:00"), "ends_at": moment("2026-10-25T23:00")},
    {"starts_at": NOON - timedelta(days=30, minutes=1), "ends_at": NOON - timedelta(days=3)},
    {"starts_at": NOON - timedelta(minutes=9), "ends_at": NOON - timedelta(minutes=2)},
    {"starts_at": datetime.max.replace(tzinfo=UTC)},
    {"starts_at": datetime.min.replace(tzinfo=UTC), "ends_at": datetime.max.replace(tzinfo=UTC)},
    {"starts_at": NOON, "ends_at": NOON - timedelta(days=2)},
]


@pytest.mark.parametrize("fields", FILTERS)
async def test_the_days_of_a_report_add_up_to_the_stats(
    shop: Shop, past: Past, fields: dict[str, Any]
) -> None:
    wanted = PayoutFilter(**fields)
    store = past.shop.store

    days = await shop.container.reports.days(store, wanted)

    totals: defaultdict[PayoutStatus, Figure] = defaultdict(Figure)
    for day in days:
        for status, figure in day.by_status.items():
            totals[status] += figure
    meant = figures_of(past, wanted)
    assert {s: f for s, f in totals.items() if f.count} == meant
    if "starts_at" not in fields or fields["starts_at"] < NOON:
        stats = await shop.container.figures.stats(store.id, wanted)
        assert {s: f for s, f in stats.by_status.items() if f.count} == meant


def figures_of(past: Past, wanted: PayoutFilter) -> dict[PayoutStatus, Figure]:
    """Return the figures of what was planted, by the meaning of each field."""
    cards = {card.alias.casefold(): card.id for card in past.cards}
    found: defaultdict[PayoutStatus, Figure] = defaultdict(Figure)
    for payout in past.payouts:
        sats = payout.amount_sats
        fits = (
            (not wanted.statuses or payout.status in wanted.statuses)
            and (wanted.min_sats is None or (sats is not None and sats >= wanted.min_sats))
            and (wanted.card is None or payout.card_id == cards.get(wanted.card, "none"))
            and (wanted.starts_at is None or payout.created_at >= wanted.starts_at)
            and (wanted.ends_at is None or payout.created_at < wanted.ends_at)
        )
        if fits:
            found[payout.status] += Figure(1, sats or 0, payout.value_cents or 0)
    return dict(found)
