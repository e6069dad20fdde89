"""The figure of the trend: what is stacked, how slots are named, and what is sent when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from components.plotly_bundle import differences
from components.trend_chart import MAX_MARKS, Step, bucket_name, trend_figure, trend_summary
from models.rollup import Bucket, Figure
from models.states import PayoutStatus

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 10, 1, tzinfo=BERLIN)


def buckets(number: int, step: Step = "day", start: datetime = START) -> list[Bucket]:
    length = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[step]
    made = []
    for place in range(number):
        # An hour is an hour; days and weeks begin at midnight of the zone.
        at = start.astimezone(UTC) + length * place if step == "hour" else start + length * place
        figures = dict.fromkeys(PayoutStatus, Figure())
        figures[PayoutStatus.COMPLETED] = Figure(place + 1, 1_000 * (place + 1))
        made.append(Bucket(at.astimezone(UTC), figures))
    return made


def with_one_more(old: list[Bucket], status: PayoutStatus, place: int = -1) -> list[Bucket]:
    figures = dict(old[place].by_status)
    figures[status] += Figure(1, 500)
    new = list(old)
    new[place] = Bucket(old[place].start, figures)
    return new


def figure(
    shown: list[Bucket], step: Step = "day", *, zone: str = "Europe/Berlin", **more: Any
) -> Any:
    return trend_figure(shown, zone, step, more.get("measure", "count"))


def test_statuses_are_stacked_from_settled_to_cancelled() -> None:
    drawn = figure(buckets(3))

    assert [trace["name"] for trace in drawn["data"]] == [
        *("Completed", "Processing", "Pending", "Failed", "Cancelled")
    ]
    assert drawn["layout"]["barmode"] == "stack"
    assert drawn["data"][0]["y"] == [1, 2, 3]


def test_amounts_are_sats() -> None:
    drawn = figure(buckets(2), measure="amount")

    assert drawn["data"][0]["y"] == [1_000, 2_000]
    assert drawn["layout"]["meta"]["unit"] == "sats"


@pytest.mark.parametrize("number", [0, 1, 7, 30, 91, 400])
@pytest.mark.parametrize("step", ["hour", "day", "week"])
def test_marks_are_few_and_evenly_spread(number: int, step: Step) -> None:
    axis = figure(buckets(number, step), step)["layout"]["xaxis"]
    marks = axis["tickvals"]

    assert len(marks) == len(axis["ticktext"]) <= MAX_MARKS
    assert bool(marks) == bool(number)
    assert len({later - earlier for earlier, later in pairwise(marks)}) <= 2  # clocks change once


def test_marks_stay_where_they_are_when_time_moves_on() -> None:
    before, after = (figure(buckets(30, start=START + timedelta(days=day))) for day in (0, 1))

    shared = set(before["layout"]["xaxis"]["ticktext"]) & set(after["layout"]["xaxis"]["ticktext"])
    assert len(shared) >= 5


def test_slots_are_named_in_the_zone_of_the_store() -> None:
    late = [Bucket(datetime(2026, 11, 20, 23, tzinfo=UTC), {})]

    def name(zone: str) -> Any:
        return figure(late, "hour", zone=zone)["layout"]["meta"]["labels"][0]

    assert name("UTC") == "Fri 20 Nov, 23:00 – 00:00"
    assert name("Asia/Tokyo") == "Sat 21 Nov, 08:00 – 09:00"
    assert name("Asia/Kolkata") == "Sat 21 Nov, 04:30 – 05:30"


def test_an_hour_that_comes_twice_has_two_slots() -> None:
    night = buckets(4, "hour", datetime(2026, 10, 25, 1, tzinfo=BERLIN))

    meta = figure(night, "hour")["layout"]["meta"]

    assert [name[12:] for name in meta["labels"]] == [
        *("01:00 – 02:00", "02:00 – 02:00", "02:00 – 03:00", "03:00 – 04:00")
    ]
    assert len(set(meta["keys"])) == 4


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (datetime(2026, 11, 16, tzinfo=BERLIN), "16 – 22 Nov 2026"),
        (datetime(2026, 11, 30, tzinfo=BERLIN), "30 Nov – 6 Dec 2026"),
    ],
)
def test_a_week_is_named_by_its_days(start: datetime, name: str) -> None:
    assert bucket_name(start, "week") == name


def test_nothing_is_sent_when_nothing_changed() -> None:
    assert differences(figure(buckets(30)), figure(buckets(30))) == ({}, [], {})


def test_one_more_payout_sends_one_row_of_values() -> None:
    before = buckets(30)
    after = with_one_more(before, PayoutStatus.FAILED, place=3)

    traces, places, around = differences(figure(before), figure(after))

    assert (places, around) == ([3], {})
    assert traces == {"y": [[0, 0, 0, 1] + [0] * 26]}


def test_a_new_peak_moves_only_the_axis_besides() -> None:
    before = buckets(30)
    after = with_one_more(before, PayoutStatus.COMPLETED)

    traces, places, around = differences(figure(before), figure(after))

    assert (list(traces), places) == (["y"], [0])
    assert set(around) <= {"yaxis.range", "yaxis.tickvals", "yaxis.ticktext"}


def test_one_more_bucket_is_a_patch_too() -> None:
    traces, places, around = differences(figure(buckets(20)), figure(buckets(21)))

    assert (list(traces), places) == (["y"], [0, 1, 2, 3, 4])
    assert around["xaxis.range"] == [-0.5, 20.5]
    assert len(around["meta.keys"]) == 21


def test_the_figure_holds_no_color_but_names() -> None:
    drawn = figure(buckets(2))

    colors = [trace["marker"]["color"] for trace in drawn["data"]]
    assert all(color.startswith("var(--chart-") for color in colors)


def test_the_summary_says_what_the_bars_say() -> None:
    shown = with_one_more(buckets(2), PayoutStatus.FAILED)

    assert trend_summary(shown, "Europe/Berlin", "day") == (
        "Payouts by day, Thu 1 Oct 2026 to Fri 2 Oct 2026, Europe/Berlin: 4 payouts, 3,500 sats; "
        "3 completed, 0 processing, 0 pending, 1 failed, 0 cancelled."
    )
    assert trend_summary([], "UTC", "week") == "Payouts by week: none."


@pytest.mark.parametrize(
    ("step", "number", "marks"),
    [
        ("hour", 5, ["22:00", "23:00", "2 Oct", "01:00", "02:00"]),
        ("hour", 40, ["2 Oct", "06:00", "12:00", "18:00", "3 Oct", "06:00"]),
        ("day", 30, ["1 Oct", "6 Oct", "11 Oct", "16 Oct", "21 Oct", "26 Oct"]),
        ("week", 12, ["1 Oct", "15 Oct", "29 Oct", "12 Nov", "26 Nov", "10 Dec"]),
        ("week", 104, ["Feb 2027", "Aug 2027", "Feb 2028", "Aug 2028"]),
    ],
)
def test_marks_say_what_is_needed_and_no_more(step: Step, number: int, marks: list[str]) -> None:
    start = START.replace(hour=22) if step == "hour" else START

    assert figure(buckets(number, step, start), step)["layout"]["xaxis"]["ticktext"] == marks
