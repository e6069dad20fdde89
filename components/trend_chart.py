"""Payouts over time: stacked bars by hour, day or week, one color for each status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, cast
from zoneinfo import ZoneInfo

from nicegui import html

from components.chart_style import (
    INSET_PX,
    MEASURES,
    Choice,
    Figure,
    Measure,
    compact,
    counted,
    layout,
    scale,
)
from components.plotly_bundle import LiveFigure
from components.prepared import Prepared
from components.sheet import Sheet
from components.theme import GLYPHS
from components.unit import SATS, Unit
from models.instants import iso
from models.rollup import Bucket
from models.states import PayoutStatus

Step = Literal["hour", "day", "week"]

STEPS = {"hour": "Hour", "day": "Day", "week": "Week"}
# What is settled is the ground; what needs attention stands out on top of it.
STACK = (
    PayoutStatus.COMPLETED,
    PayoutStatus.PROCESSING,
    PayoutStatus.PENDING,
    PayoutStatus.FAILED,
    PayoutStatus.CANCELLED,
)
MAX_MARKS = 7
LEFT_PX = 52
ABOUT_A_YEAR = timedelta(days=330)
_EVERY: dict[Step, tuple[int, ...]] = {
    "hour": (1, 2, 3, 4, 6, 12, 24, 48, 72, 120, 168),
    "day": (1, 2, 3, 5, 7, 14, 21, 28, 56, 84),
    "week": (1, 2, 4, 8, 13, 26, 52, 104),
}
# A mark this near to the right edge would be cut on a phone.
EDGE_PERCENT = 94
# The fewer the bars, the more of their slot stays free: (up to so many, gap, corner).
_SHAPES = ((3, 0.84, 4), (7, 0.64, 4), (14, 0.46, 4), (45, 0.3, 3), (100, 0.22, 2), (200, 0.18, 1))
_DENSE = (0.12, 0)


class TrendChart:
    """Shows buckets; `on_pick` is told which bucket and status somebody clicked.

    `on_change` is told when another measure or bucket is chosen; for another bucket it has to
    read and `show`.
    """

    def __init__(
        self,
        on_pick: Callable[[datetime, PayoutStatus], object],
        on_change: Callable[[Measure, Step], object] | None = None,
        *,
        measure: Measure = "count",
        bucket: Step = "day",
    ) -> None:
        self._on_pick = on_pick
        self._on_change = on_change
        self._shown: tuple[Sequence[Bucket], str, Step, Unit, Prepared] | None = None
        self._drawn: tuple[Prepared, str, Step, Measure, Unit] | None = None
        self._starts: dict[str, datetime] = {}
        with html.section().classes("fp-panel fp-chart").props("data-testid=trend") as section:
            section.props('aria-label="Payout trends"')
            head = Sheet("div", "fp-chart-head").root
            head.add("h2", "", "Payout trends")
            head.add("span", "fp-gap")
            choices = head.add("div", "fp-choices")
            self._measure = Choice("Measure", MEASURES, measure, self._remeasure, choices)
            self._step = Choice("Bucket", STEPS, bucket, self._changed, choices)
            legend = Sheet("ul", "fp-legend").root
            for status in STACK:
                line = legend.add("li")
                line.add("span", f"mark fill-{status}", GLYPHS[status], aria_hidden="true")
                line.add("span", "", status.capitalize())
            self._figure = LiveFigure(
                "columns",
                "Payout trends. Left and right move, up and down choose a status, Enter filters.",
                ("No payouts in this time", "They appear here as they happen."),
                self._picked,
            )

    @property
    def measure(self) -> Measure:
        """Tell what is measured."""
        return cast("Measure", self._measure.chosen)

    @property
    def bucket(self) -> Step:
        """Tell how long a bucket is."""
        return cast("Step", self._step.chosen)

    def show(
        self,
        buckets: Sequence[Bucket],
        zone_name: str,
        bucket: Step,
        unit: Unit = SATS,
        prepared: Prepared | None = None,
    ) -> None:
        """Show buckets with the names they have in a zone, amounts in a unit.

        What is `prepared` of the same buckets for another page is shown as it is.
        """
        prepared, measure = prepared or Prepared(), self.measure
        drawn = (prepared, zone_name, bucket, measure, unit)
        if self._drawn == drawn:
            return
        self._drawn, self._shown = drawn, (buckets, zone_name, bucket, unit, prepared)
        self._step.choose(bucket)

        def make() -> tuple[Figure, str, bool]:
            figure = trend_figure(buckets, zone_name, bucket, measure, unit)
            is_empty = not any(any(trace["y"]) for trace in figure["data"])
            return figure, trend_summary(buckets, zone_name, bucket, unit), is_empty

        key = ("trend", zone_name, bucket, measure, unit)
        figure, summary, is_empty = prepared.once(key, make)
        self._figure.show(figure, summary, is_empty=is_empty, prepared=prepared)

    def _remeasure(self, key: str) -> None:
        if self._shown is not None:
            self.show(*self._shown)
        self._changed(key)

    def _changed(self, _key: str) -> None:
        if self._on_change is not None:
            self._on_change(self.measure, self.bucket)

    def _picked(self, key: str, series: str | None) -> None:
        buckets = self._shown[0] if self._shown else ()
        start = next((each.start for each in buckets if iso(each.start) == key), None)
        status = next((each for each in STACK if each == series), None)
        if start is not None and status is not None:
            self._on_pick(start, status)


def trend_figure(
    buckets: Sequence[Bucket], zone_name: str, step: Step, measure: Measure, unit: Unit = SATS
) -> Figure:
    """Return the figure; slots are numbered, so that an hour that comes twice has two."""
    columns = {status: _values(buckets, status, measure, unit) for status in STACK}
    top, lines = scale(max(map(sum, zip(*columns.values(), strict=True)), default=0))
    slots = _slots(tuple(bucket.start for bucket in buckets), zone_name, step)
    gap, corner = next((shape[1:] for shape in _SHAPES if len(buckets) <= shape[0]), _DENSE)
    one, many, places = ("payout", "payouts", 0)
    if measure == "amount":
        one, many, places = unit.one, unit.name, unit.places
    return {
        "data": [
            {
                "type": "bar",
                "name": status.capitalize(),
                "meta": {"key": str(status), "mark": GLYPHS[status]},
                "x0": 0,
                "dx": 1,
                "y": values,
                "marker": {"color": f"var(--chart-{status})", "line": {"width": 0}},
            }
            for status, values in columns.items()
        ],
        "layout": layout(
            meta={
                "kind": "columns",
                "keys": slots.keys,
                "labels": slots.names,
                "axis": STEPS[step],
                "one": one,
                "unit": many,
                "places": places,
            },
            margin={"l": LEFT_PX, "r": 16, "t": 8, "b": 28},
            xaxis={
                "range": [-0.5, max(len(buckets), 1) - 0.5],
                "tickvals": slots.marked,
                "ticktext": slots.marks,
                "tickangle": 0,
                "ticklabelstandoff": 4,
            },
            yaxis={
                "range": [0, top],
                "tickvals": lines,
                "ticktext": [compact(line, places) for line in lines],
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "ticklabelstandoff": LEFT_PX - INSET_PX - 1,
            },
            barmode="stack",
            bargap=gap,
            barcornerradius=corner,
        ),
    }


def trend_summary(buckets: Sequence[Bucket], zone_name: str, step: Step, unit: Unit = SATS) -> str:
    """Say in one sentence what the chart shows."""
    if not buckets:
        return f"Payouts by {step}: none."
    names = _slots(tuple(bucket.start for bucket in buckets), zone_name, step).names
    sums = dict.fromkeys(STACK, 0)
    amount = 0
    for bucket in buckets:
        for status, figure in bucket.by_status.items():
            sums[status] += figure.count
            amount += unit.of(figure)
    total = f"{counted(sum(sums.values()), 'count')}, {unit.write(amount)}"
    parts = ", ".join(f"{count:,} {status}" for status, count in sums.items())
    return f"Payouts by {step}, {names[0]} to {names[-1]}, {zone_name}: {total}; {parts}."


@dataclass(frozen=True, slots=True)
class _Slots:
    """What is written on the time axis."""

    keys: list[str]
    names: list[str]
    marked: list[int]
    marks: list[str]


@lru_cache(maxsize=64)
def _slots(starts: tuple[datetime, ...], zone_name: str, step: Step) -> _Slots:
    # All browsers that look at the same time share one answer, and so does every update.
    zone = ZoneInfo(zone_name)
    local = [start.astimezone(zone) for start in starts]
    marked = _marked(local, step)
    with_year = bool(local) and local[-1] - local[0] > ABOUT_A_YEAR
    return _Slots(
        keys=[iso(start) for start in starts],
        names=[bucket_name(start, step) for start in local],
        marked=marked,
        marks=[_mark(local[place], step, with_year=with_year) for place in marked],
    )


def bucket_name(start: datetime, step: Step) -> str:
    """Name a bucket by its start in the zone that is shown."""
    if step == "hour":
        end = (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
        return f"{start:%a} {start.day} {start:%b}, {start:%H:%M} – {end:%H:%M}"
    if step == "day":
        return f"{start:%a} {start.day} {start:%b %Y}"
    end = start + timedelta(days=6)
    first = f"{start.day}" if start.month == end.month else f"{start.day} {start:%b}"
    return f"{first} – {end.day} {end:%b %Y}"


def _values(
    buckets: Sequence[Bucket], status: PayoutStatus, measure: Measure, unit: Unit
) -> list[int]:
    figures = [bucket.by_status.get(status) for bucket in buckets]
    if measure == "count":
        return [figure.count if figure else 0 for figure in figures]
    return [unit.of(figure) if figure else 0 for figure in figures]


def _marked(starts: list[datetime], step: Step) -> list[int]:
    """Return which slots are marked: few, evenly spread, and the same ones when time moves on."""
    places: list[int] = []
    for every in _EVERY[step]:
        places = [i for i, start in enumerate(starts) if _ordinal(start, step) % every == 0]
        if len(places) <= MAX_MARKS:
            break
    return [i for i in places if len(starts) <= MAX_MARKS or i * 100 <= len(starts) * EDGE_PERCENT]


def _ordinal(start: datetime, step: Step) -> int:
    day = start.toordinal()
    if step == "hour":
        return day * 24 + start.hour
    return day if step == "day" else day // 7


def _mark(start: datetime, step: Step, *, with_year: bool) -> str:
    if step == "hour" and start.hour:
        return f"{start:%H:%M}"
    return f"{start:%b %Y}" if with_year else f"{start.day} {start:%b}"
