"""Retry, resolve, hold and release over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import Field, StrictInt, StrictStr
from starlette.responses import Response

from app.answers import json_answer, to_json
from app.auth import Caller, Intervener, Reader, Resolver, Services
from app.container import Container
from app.http.payouts import shown
from app.http.shapes.payout import HoldsShape, PayoutShape
from app.http.shapes.shape import answers
from app.http.strict import Strict
from app.idempotency import Once, keep_after, once
from models.errors import InvalidField
from models.hold import Hold
from models.instants import parse_moment

router = APIRouter(tags=["payouts"])


Revision = Annotated[StrictInt, Field(ge=1)]


class ActBody(Strict):
    """Which revision the caller has seen, if it matters: another one is refused."""

    revision: Revision | None = None


WHICHEVER = ActBody()


class ResolveBody(ActBody):
    """What a person found out, and by what."""

    outcome: Literal["paid", "not_paid"]
    evidence: Annotated[StrictStr, Field(min_length=1, max_length=2000)]


class HoldBody(ActBody):
    """Why a payout must wait, and until when; without a date until somebody releases it."""

    reason: Annotated[StrictStr, Field(min_length=1, max_length=500)]
    release_at: Annotated[StrictStr, Field(max_length=40)] | None = None


@router.post("/payouts/{payout_id}/retry", **answers(PayoutShape, key="taken"))
async def retry(
    request: Request,
    services: Services,
    caller: Intervener,
    payout_id: str,
    body: ActBody = WHICHEVER,
) -> Response:
    """Try a failed payout again; its money is reserved anew."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        await services.engine.interventions.retry(
            caller.store_id, payout_id, caller.actor, body.revision
        )
        return await _answer(services, caller, keyed, payout_id)

    return await once(request, services, caller, act)


@router.post("/payouts/{payout_id}/resolve", **answers(PayoutShape, key="taken"))
async def resolve(
    request: Request, services: Services, caller: Resolver, payout_id: str, body: ResolveBody
) -> Response:
    """Decide a payout that nothing else decides."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        await services.engine.interventions.resolve(
            caller.store_id,
            payout_id,
            caller.actor,
            is_paid=body.outcome == "paid",
            evidence=body.evidence,
            revision=body.revision,
        )
        return await _answer(services, caller, keyed, payout_id)

    return await once(request, services, caller, act)


@router.post("/payouts/{payout_id}/hold", **answers(PayoutShape, key="taken"))
async def hold(
    request: Request, services: Services, caller: Intervener, payout_id: str, body: HoldBody
) -> Response:
    """Stop a payout before its next send."""
    release_at = await _moment(services, caller, body.release_at)

    async def act(keyed: Once) -> tuple[bytes, int]:
        await services.engine.interventions.hold(
            caller.store_id,
            payout_id,
            caller.actor,
            reason=body.reason,
            release_at=release_at,
            revision=body.revision,
        )
        return await _answer(services, caller, keyed, payout_id)

    return await once(request, services, caller, act)


@router.post("/payouts/{payout_id}/release", **answers(PayoutShape, key="taken"))
async def release(
    request: Request,
    services: Services,
    caller: Intervener,
    payout_id: str,
    body: ActBody = WHICHEVER,
) -> Response:
    """Lift the hold of a payout."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        await services.engine.interventions.release(
            caller.store_id, payout_id, caller.actor, body.revision
        )
        return await _answer(services, caller, keyed, payout_id)

    return await once(request, services, caller, act)


@router.get("/payouts/{payout_id}/holds", **answers(HoldsShape))
async def read_holds(services: Services, caller: Reader, payout_id: str) -> Response:
    """Return every hold a payout has had, in order."""
    await services.payouts.read(caller.store_id, payout_id)
    found = await services.engine.interventions.holds(caller.store_id, payout_id)
    return json_answer({"items": [_shown_hold(each) for each in found], "next_cursor": None})


async def _moment(services: Container, caller: Caller, text: str | None) -> datetime | None:
    if text is None:
        return None
    store = await services.stores.read(caller.store_id)
    assert store is not None
    try:
        return parse_moment(text, ZoneInfo(store.time_zone))
    except (ValueError, OverflowError):
        message = "give a date such as 2026-11-20, or a time with an offset"
        raise InvalidField("release_at", message) from None


async def _answer(
    services: Container, caller: Caller, keyed: Once, payout_id: str
) -> tuple[bytes, int]:
    view = await services.payouts.read(caller.store_id, payout_id)
    return await keep_after(keyed, to_json(shown(view)), 200)


def _shown_hold(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "reason": hold.reason,
        "release_at": hold.release_at,
        "placed_at": hold.placed_at,
        "placed_by": {"kind": hold.placed_by_kind, "id": hold.placed_by},
        "released_at": hold.released_at,
        "released_by": hold.released_by,
    }
