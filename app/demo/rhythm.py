"""When the town came: so many payouts spread over the days, with hours, weekdays and growth."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.sandbox.habits import TOWN, weekday_percent
from models.instants import to_us

HOUR: Final = timedelta(hours=1)
# The market does so much at its beginning and at its end, in percent of the middle.
_GROWTH: Final = (55, 145)
_MOOD_SPREAD: Final = 0.13
_STORM_DAY: Final = 0.012
_STORM_PERCENT: Final = 18


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the past, or what of it lies within the range, and how many come in it."""

    start_us: int
    end_us: int
    hour: int
    visits: int


def hours(
    start: datetime, end: datetime, zone: ZoneInfo, visits: int, chance: random.Random
) -> Iterator[Hour]:
    """Spread visits over the hours between two moments; their sum is exact."""
    weighed = list(_weighed(start, end, zone, chance))
    total = sum(weight for _, _, _, weight in weighed)
    if total <= 0:
        return
    passed = given = 0
    for first, last, hour, weight in weighed:
        passed += weight
        share = visits * passed // total - given
        given += share
        yield Hour(to_us(first), to_us(last), hour, share)


def _weighed(
    start: datetime, end: datetime, zone: ZoneInfo, chance: random.Random
) -> Iterator[tuple[datetime, datetime, int, int]]:
    """Yield the hours with their weights; a first or last one may be shorter."""
    moods: dict[int, float] = {}
    span_us = max(1, to_us(end) - to_us(start))
    first = start
    while first < end:
        last = min(end, first.replace(minute=0, second=0, microsecond=0) + HOUR)
        local = first.astimezone(zone)
        mood = moods.setdefault(local.toordinal(), _mood(chance))
        progress = (to_us(first) - to_us(start)) * 100 // span_us
        growth = _GROWTH[0] + (_GROWTH[1] - _GROWTH[0]) * progress // 100
        percent = weekday_percent(local.weekday()) * growth
        weight = TOWN.liveliness(local.hour) * percent * (to_us(last) - to_us(first)) * mood
        yield first, last, local.hour, int(weight) // 1_000_000
        first = last


def _mood(chance: random.Random) -> float:
    """Return how a day differs from its like: a little by chance, much in a storm."""
    usual = chance.lognormvariate(0.0, _MOOD_SPREAD)
    is_stormy = chance.random() < _STORM_DAY
    return usual * _STORM_PERCENT * 0.01 if is_stormy else usual
