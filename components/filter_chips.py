"""A filter in words: one chip for each thing that narrows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class FilterChip:
    """What a chip says, and which fields of the filter it stands for."""

    fields: tuple[str, ...]
    text: str


def chips_of(
    values: Values, names: Mapping[str, str], *, shows_range: bool = True
) -> list[FilterChip]:
    """Return the chips of a filter; `names` has the names of its card and pull payment."""
    found: list[FilterChip] = []
    for field, title in (("status", "Status"), ("state", "Exact state")):
        if values.get(field):
            found.append(FilterChip((field,), f"{title}: {_listed(values[field])}"))
    for field, title in (("card", "Card"), ("pull_payment", "Pull payment")):
        if values.get(field):
            found.append(FilterChip((field,), f"{title}: {names.get(field, values[field])}"))
    found += _amounts(values.get("min_sats"), values.get("max_sats"))
    if shows_range:
        found += _range(values.get("from"), values.get("to"))
    if values.get("q"):
        found.append(FilterChip(("q",), f"Text: {values['q']}"))
    return found


def _listed(words: str) -> str:
    plain = [word.strip().replace("_", " ").lower() for word in words.split(",")]
    return plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} or {plain[-1]}"


def _amounts(least: str | None, most: str | None) -> list[FilterChip]:
    if least and most:
        text = f"{_sats(least)} to {_sats(most)} sats"
        return [FilterChip(("min_sats", "max_sats"), text)]
    if least:
        return [FilterChip(("min_sats",), f"At least {_sats(least)} sats")]
    return [FilterChip(("max_sats",), f"At most {_sats(most)} sats")] if most else []


def _sats(text: str) -> str:
    return f"{int(text):,}" if text.isdecimal() else text


def _range(start: str | None, end: str | None) -> list[FilterChip]:
    if start and start == end:
        return [FilterChip(("from", "to"), f"On {_day(start)}")]
    if start and end:
        return [FilterChip(("from", "to"), f"{_day(start)} to {_day(end)}")]
    if start:
        return [FilterChip(("from",), f"From {_day(start)}")]
    return [FilterChip(("to",), f"Until {_day(end)}")] if end else []


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).strftime("%-d %b %Y")
    except ValueError:
        return text
