"""Exchange rates over HTTP: what converts now, from where, and what stands against it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.answers import json_answer
from app.auth import Reader, Services
from app.http.shapes.shape import answers
from app.http.shapes.wallet import CurrenciesShape, RatesShape
from models.money import Rate
from services.rates import RateVerdict

router = APIRouter(tags=["wallet"])


@router.get("/rates", **answers(RatesShape))
async def read(services: Services, caller: Reader) -> Response:
    """Return the rate of the store's currency and of the dollar, with every price weighed."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    now = services.clock.utc_now()
    verdicts = [services.rates.verdict(each, now) for each in sorted({"USD", store.currency})]
    return json_answer({"as_of": now, "items": [_shown(verdict) for verdict in verdicts]})


@router.get("/currencies", **answers(CurrenciesShape))
async def read_currencies(services: Services, caller: Reader) -> Response:
    """Return the currencies a store may count in: Flash's, or our own list while it is away."""
    del caller
    known = services.engine.currencies.known
    items = [asdict(each) for each in known.items]
    return json_answer({"asked_at": known.asked_at, "items": items, "next_cursor": None})


def _shown(verdict: RateVerdict) -> dict[str, Any]:
    return {
        "currency": verdict.currency,
        "rate": None if verdict.rate is None else _shown_rate(verdict.rate),
        "reason": verdict.reason,
        "known": [_shown_rate(rate) for rate in verdict.known],
    }


def _shown_rate(rate: Rate) -> dict[str, Any]:
    return {
        "numerator": rate.numerator,
        "denominator": rate.denominator,
        "source": rate.source,
        "at": rate.at,
    }
