"""How a moment is printed in a store's zone: short, because it stands beside what it dates."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def short_moment(moment: datetime, now: datetime, zone_name: str) -> str:
    """Print as `11:02`, with the day before it unless that is today."""
    zone = ZoneInfo(zone_name)
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}"


def short_day(moment: datetime, now: datetime, zone_name: str) -> str:
    """Print as `3 Dec`, with the year unless that is this one."""
    zone = ZoneInfo(zone_name)
    local = moment.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


def age(seconds: int) -> str:
    """Print how long ago something was: `now`, `40 s`, `7 min`, `3 h`, `2 d`."""
    if seconds < 2:  # noqa: PLR2004  # a second ago is now
        return "now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
