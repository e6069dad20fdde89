"""Figures over HTTP: stats, timeline, top cards."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from app.answers import json_answer
from app.auth import Reader, Services
from app.http.filters import FilterQuery, read_filter
from app.http.shapes.shape import answers
from app.http.shapes.statistics import ComparisonShape, StatsShape, TimelineShape, TopCardsShape
from app.http.strict import Strict
from models.period import Period
from models.rollup import Figure, Ranking
from models.states import PayoutStatus

router = APIRouter(tags=["statistics"])


class TimelineQuery(Strict):
    """How far back, in which steps."""

    days: Annotated[int, Field(ge=1, le=400)] = 30
    bucket: Literal["hour", "day", "week"] = "day"


class TopQuery(Strict):
    """How far back, how many, ranked by what."""

    days: Annotated[int, Field(ge=1, le=400)] = 30
    limit: Annotated[int, Field(ge=1, le=200)] = 10
    by: Literal["amount", "count"] = "amount"


@router.get("/stats", **answers(StatsShape))
async def read_stats(
    services: Services, caller: Reader, query: Annotated[FilterQuery, Query()]
) -> Response:
    """Return counts and sums by status, for the same filters as the list."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    wanted = read_filter(query, store)
    stats = await services.figures.stats(caller.store_id, wanted)
    return json_answer(
        {
            "as_of": stats.as_of,
            "from": wanted.starts_at,
            "to": wanted.ends_at,
            "total": _figure(stats.total),
            **_by_status(stats.by_status),
            "active_boltcards": stats.active_boltcards,
        }
    )


@router.get("/stats/period", **answers(ComparisonShape))
async def read_period(
    services: Services, caller: Reader, query: Annotated[FilterQuery, Query()]
) -> Response:
    """Return a filter's figures, success, time to paid and fees, and those of the period before.

    The period before is as long and ends where the filter's range starts; a range that still runs
    is held against the same part of it. All time has none. `success_per_mille` is completed of a
    thousand that were completed or failed, rounded down; `median_ms` is the time from asked to
    completed of the newest `counted` completed payouts, of all of them unless `is_sample`; fees
    are the sum of what is known, null while none is. `boltcards_before` counts the cards with a
    verified payout in the thirty days before the last thirty, whatever the filter.
    """
    store = await services.stores.read(caller.store_id)
    assert store is not None
    found = await services.figures.compare(store, read_filter(query, store))
    return json_answer(
        {
            "as_of": found.as_of,
            "currency": store.currency,
            "period": _period(found.period),
            "before": None if found.before is None else _period(found.before),
            "boltcards_before": found.boltcards_before,
        }
    )


@router.get("/timeline", **answers(TimelineShape))
async def read_timeline(
    services: Services, caller: Reader, query: Annotated[TimelineQuery, Query()]
) -> Response:
    """Return counts and sums by hour, day or week, empty ones included."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    buckets = await services.figures.timeline(store, query.days, query.bucket)
    items = [{"start": bucket.start, **_by_status(bucket.by_status)} for bucket in buckets]
    return json_answer({"zone": store.time_zone, "bucket": query.bucket, "items": items})


@router.get("/boltcards/top", **answers(TopCardsShape))
async def read_top_cards(
    services: Services, caller: Reader, query: Annotated[TopQuery, Query()]
) -> Response:
    """Return the cards that collected most in completed payouts."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    cards = await services.figures.top_cards(store, query.days, query.limit, Ranking(query.by))
    items = [
        {
            "boltcard_id": card.card_id,
            "alias": card.alias,
            "count": card.count,
            "amount_sats": card.amount_sats,
            "last_used_at": card.last_used_at,
        }
        for card in cards
    ]
    return json_answer({"items": items, "next_cursor": None})


def _figure(figure: Figure) -> dict[str, int]:
    return {"count": figure.count, "amount_sats": figure.amount_sats}


def _by_status(figures: dict[PayoutStatus, Figure]) -> dict[str, Any]:
    return {str(status): _figure(figures[status]) for status in PayoutStatus}


def _period(period: Period) -> dict[str, Any]:
    median, fees = period.time_to_paid.median, period.fees
    figures = {"total": period.total} | {str(key): one for key, one in period.by_status.items()}
    return {
        "from": period.starts_at,
        "to": period.ends_at,
        **{
            name: _figure(figure) | {"value_cents": figure.value_cents}
            for name, figure in figures.items()
        },
        "success_per_mille": period.success_per_mille,
        "time_to_paid": {
            "median_ms": None if median is None else median // timedelta(milliseconds=1),
            "counted": period.time_to_paid.counted,
            "is_sample": period.time_to_paid.is_sample,
        },
        "fees": {"fee_msat": fees.msat, "known": fees.known, "unknown": fees.unknown},
    }
