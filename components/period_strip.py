"""How well a period went: success, time to paid, fees; and the unit that money is shown in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from components.change import ChangeMark, percent_of, points_of
from components.chart_style import Choice
from components.sheet import Piece, Sheet
from components.unit import Unit
from models.money import to_sat_ceil
from models.period import Comparison, Fees, Period, TimeToPaid, success_per_mille
from models.rollup import Stats

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_MIDNIGHT = time()
UNKNOWN = "–"


@dataclass(slots=True)
class _Item:
    value: Piece
    note: Piece
    change: ChangeMark

    def show(self, value: str, note: str) -> None:
        self.value.set_text(value)
        self.note.set_text(note)


class PeriodStrip:
    """Shows what lies behind the counts; `on_unit` is told when the other unit is chosen."""

    def __init__(
        self, zone_name: str, currency: str, on_unit: Callable[[str], object], unit: Unit
    ) -> None:
        self._zone = ZoneInfo(zone_name)
        said = {"aria_label": "How well it went", "aria_busy": "true"}
        self._section = Sheet("section", "fp-strip waiting", **said).root
        self._success = _item(self._section, "success", "Success rate")
        self._median = _item(self._section, "median", "Median time to paid")
        self._fees = _item(self._section, "fees", "Fees")
        end = self._section.add("div", "fp-strip-end")
        self._against = end.add("span", "fp-strip-note")
        words = {"sats": "sats", "fiat": currency}
        place = end.add("div", data_testid="unit")
        self._choice = Choice("Show money in", words, unit.key, on_unit, place)

    def show(self, stats: Stats, comparison: Comparison, unit: Unit) -> None:
        """Show new figures; the rate is of these statistics, the rest of the comparison."""
        before = comparison.before
        rate = success_per_mille(stats.by_status)
        self._success.show(UNKNOWN if rate is None else percent_of(rate), "")
        self._success.change.show(
            points_of(rate, None if before is None else before.success_per_mille)
        )
        self._median.show(*_median(comparison.period.time_to_paid, before))
        self._fees.show(*_fees(comparison.period.fees))
        against = against_words(before, self._zone)
        if unit.key == "fiat":
            against = " · ".join(filter(None, ("Worth when created", against)))
        self._against.set_text(against)
        self._choice.choose(unit.key)
        self._section.mark("waiting", on=False)
        self._section.set("aria-busy", "false")


def _item(into: Piece, testid: str, name: str) -> _Item:
    box = into.add("div", "fp-strip-item", data_testid=f"stat-{testid}")
    box.add("span", "name", name)
    value = box.add("span", "value")
    rest = box.add("span", "fp-strip-rest")
    change = ChangeMark(rest)
    return _Item(value, rest.add("span", "fp-strip-note"), change)


def _median(found: TimeToPaid, before: Period | None) -> tuple[str, str]:
    if found.median is None:
        return UNKNOWN, ""
    notes = [f"of the newest {found.counted:,}"] if found.is_sample else []
    then = None if before is None else before.time_to_paid.median
    if then is not None:
        notes.append(f"was {length_words(then)}")
    return length_words(found.median), " · ".join(notes)


def _fees(found: Fees) -> tuple[str, str]:
    """Write what is known, rounded up, and never call the rest nothing."""
    if found.msat is None:
        return UNKNOWN, "not known yet" if found.unknown else ""
    sats = to_sat_ceil(found.msat)
    value = f"{sats:,} {'sat' if sats == 1 else 'sats'}"
    return value, f"{found.unknown:,} not known yet" if found.unknown else ""


def length_words(length: timedelta) -> str:
    """Write a length of time in its two largest units: `740 ms`, `2.4 s`, `3 min 20 s`."""
    if length < timedelta(seconds=1):
        return f"{length // timedelta(milliseconds=1)} ms"
    if length < _MINUTE:
        whole, tenth = divmod(length // timedelta(milliseconds=100), 10)
        return f"{whole}.{tenth} s"
    for size, name, part, part_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", timedelta(seconds=1), "s"),
    ):
        if length >= size:
            rest = length % size // part
            return f"{length // size} {name}" + (f" {rest} {part_name}" if rest else "")
    raise AssertionError  # the smallest size is a minute


def against_words(before: Period | None, zone: ZoneInfo) -> str:
    """Say which period the changes are against: its days, and where it is cut, the time."""
    if before is None or before.starts_at is None or before.ends_at is None:
        return ""
    start, end = before.starts_at.astimezone(zone), before.ends_at.astimezone(zone)
    first, last = (f"{moment.day} {moment:%b}" for moment in (start, end))
    if start.time() != _MIDNIGHT:
        first = f"{first} {start:%H:%M}"
    if end.time() == _MIDNIGHT:
        end -= _DAY
        last = f"{end.day} {end:%b}"
    elif start.date() == end.date() and start.time() == _MIDNIGHT:
        return f"against {first} until {end:%H:%M}"
    else:
        last = f"{last} {end:%H:%M}"
    return f"against {first}" if first == last else f"against {first} – {last}"
