"""The filter of payouts as a query; what cannot be read is named."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from app.http.strict import Strict
from models.errors import InvalidField
from models.instants import parse_moment
from models.money import MAX_SATS
from models.payout_filter import PayoutFilter
from models.payout_order import PayoutOrder
from models.states import PayoutState, PayoutStatus
from models.store import Store
from services.plain_words import search_terms

W = TypeVar("W", bound=StrEnum)
MOST_TERMS = 8
FIRST_YEAR, LAST_YEAR = 1970, 2200
_WHOLE = re.compile(r"[0-9]{1,16}\Z")


class FilterQuery(Strict):
    """Lists are separated by commas: OR inside, AND between the fields."""

    status: str | None = None
    state: str | None = None
    card: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    pull_payment: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    min_sats: str | None = None
    max_sats: str | None = None
    q: Annotated[str, Field(min_length=3, max_length=500)] | None = None
    from_: Annotated[str | None, Field(alias="from", max_length=40)] = None
    to: Annotated[str | None, Field(max_length=40)] = None


class ViewQuery(FilterQuery):
    """The filter of a list with its order."""

    sort: PayoutOrder = PayoutOrder.CREATED


def read_values(values: dict[str, str], store: Store) -> tuple[PayoutFilter, PayoutOrder]:
    """Return the filter and the order that an address means.

    Raises:
        InvalidField: A field that cannot be read, with what would be right.
    """
    try:
        query = ViewQuery.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        limits = first.get("ctx", {})
        message = "this is not known"
        if "min_length" in limits:
            message = f"give at least {limits['min_length']} characters"
        elif "max_length" in limits:
            message = f"give at most {limits['max_length']} characters"
        raise InvalidField(str(first["loc"][0]), message) from None
    found = read_filter(query, store)
    starts_at, ends_at = found.starts_at, found.ends_at
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        raise InvalidField("to", "the last day must not be before the first")
    return found, query.sort


def read_filter(query: FilterQuery, store: Store) -> PayoutFilter:
    """Return the filter that a query means, dates in the store's zone.

    Raises:
        InvalidField: A field that cannot be read.
    """
    zone = ZoneInfo(store.time_zone)
    found = PayoutFilter(
        statuses=_words("status", query.status, PayoutStatus),
        states=_words("state", query.state, PayoutState),
        card=query.card,
        pull_payment_id=query.pull_payment,
        min_sats=_sats("min_sats", query.min_sats),
        max_sats=_sats("max_sats", query.max_sats),
        q=query.q,
        starts_at=_moment("from", query.from_, zone, end=False),
        ends_at=_moment("to", query.to, zone, end=True),
    )
    if found.q is not None and len(search_terms(found.q)) > MOST_TERMS:
        raise InvalidField("q", f"give at most {MOST_TERMS} words")
    if (
        found.min_sats is not None
        and found.max_sats is not None
        and found.min_sats > found.max_sats
    ):
        raise InvalidField("max_sats", "it must not be below the lower one, min_sats")
    return found


def _words(field: str, text: str | None, words: type[W]) -> tuple[W, ...]:
    if text is None:
        return ()
    parts = [part.strip().lower() for part in text.split(",")]
    known = {str(word): word for word in words}
    for part in parts:
        if part not in known:
            raise InvalidField(field, f"choose from {', '.join(known)}")
    return tuple(dict.fromkeys(known[part] for part in parts))


def _sats(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    if _WHOLE.match(text) is None or int(text) > MAX_SATS:
        raise InvalidField(field, f"give a whole number of sats from 0 to {MAX_SATS}")
    return int(text)


def _moment(field: str, text: str | None, zone: ZoneInfo, *, end: bool) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parse_moment(text, zone, end=end)
    except (ValueError, OverflowError):
        raise InvalidField(
            field, "give a date such as 2026-11-20, or a time with an offset"
        ) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidField(field, f"give a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment
