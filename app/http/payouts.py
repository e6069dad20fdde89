"""Payouts over HTTP: list, one, its events, decisions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictInt, StrictStr
from starlette.responses import Response

from app.answers import json_answer, to_json
from app.auth import Approver, Caller, Canceller, Reader, Services
from app.container import Container
from app.http.cursor import read_mark, write_mark
from app.http.filters import ViewQuery, read_filter
from app.http.seen import note_card_numbers
from app.http.shapes.payout import (
    BatchShape,
    EventsShape,
    PayoutShape,
    PayoutsShape,
    SuccessActionShape,
)
from app.http.shapes.shape import answers
from app.http.strict import Strict
from app.idempotency import Once, keep_after, once
from models.errors import InvalidField, ServiceError
from models.ids import PAYOUT
from models.payout import PayoutEvent
from models.payout_view import PayoutView
from models.permission import Permission

router = APIRouter(tags=["payouts"])
BATCH_LIMIT = 200
STRETCHES = 10


class ListQuery(ViewQuery):
    """The filter of a list, with its order and paging; a cursor belongs to its order."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class ApproveBody(Strict):
    """Which revision the approver saw."""

    revision: Annotated[StrictInt, Field(ge=1)]


class RejectBody(ApproveBody):
    """Why it is turned down."""

    reason_code: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    reason: Annotated[StrictStr, Field(min_length=1, max_length=500)]


class BatchItem(Strict):
    """One decision of a list."""

    id: StrictStr
    revision: Annotated[StrictInt, Field(ge=1)]


class BatchBody(Strict):
    """The same decision on several payouts, each judged by itself."""

    action: Literal["approve", "reject", "cancel", "retry", "hold", "release"]
    items: Annotated[list[BatchItem], Field(min_length=1, max_length=BATCH_LIMIT)]
    reason_code: Annotated[StrictStr, Field(min_length=1, max_length=64)] | None = None
    reason: Annotated[StrictStr, Field(min_length=1, max_length=500)] | None = None


@router.get("/payouts", **answers(PayoutsShape))
async def list_payouts(
    services: Services, caller: Reader, query: Annotated[ListQuery, Query()]
) -> Response:
    """List payouts: newest first, by amount, or by completion.

    By amount, payouts without a known amount are left out; by completion, all but completed ones.
    Where few of very many fit a filter, a page may be short or empty and still have a next one:
    only `next_cursor` null is the end.
    """
    store = await services.stores.read(caller.store_id)
    assert store is not None
    page = await services.payouts.page(
        caller.store_id,
        read_filter(query, store),
        query.limit,
        read_mark(query.cursor, PAYOUT, query.sort),
        order=query.sort,
        stretches=STRETCHES,
        shows_all=caller.may(Permission.SEE_UIDS),
    )
    uids = (view.boltcard_uid for view in page.items)
    await note_card_numbers(services, caller, uids, "payouts")
    items = [shown(view) for view in page.items]
    return json_answer({"items": items, "next_cursor": write_mark(page.next_before)})


@router.get("/payouts/{payout_id}", **answers(PayoutShape))
async def read_payout(services: Services, caller: Reader, payout_id: str) -> Response:
    """Return one payout."""
    view = await services.payouts.read(
        caller.store_id, payout_id, shows_all=caller.may(Permission.SEE_UIDS)
    )
    await note_card_numbers(services, caller, [view.boltcard_uid], "payouts")
    return json_answer(shown(view))


@router.get("/payouts/{payout_id}/events", **answers(EventsShape))
async def read_events(services: Services, caller: Reader, payout_id: str) -> Response:
    """Return every transition of a payout, in order."""
    events = await services.payouts.events(caller.store_id, payout_id)
    return json_answer({"items": [_event(event) for event in events], "next_cursor": None})


@router.get("/payouts/{payout_id}/success-action", **answers(SuccessActionShape))
async def read_success_action(services: Services, caller: Reader, payout_id: str) -> Response:
    """Return what the recipient wants shown, once the payout is settled."""
    found = await services.details.success_action(
        caller.store_id, payout_id, shows_all=caller.may(Permission.SEE_UIDS)
    )
    nothing = dict.fromkeys(("kind", "text", "url", "secret"))
    return json_answer(nothing if found is None else asdict(found))


@router.post("/payouts/batch", **answers(BatchShape, key="demanded"))
async def decide_batch(
    request: Request, services: Services, caller: Approver, body: BatchBody
) -> Response:
    """Do the same to several payouts; each is decided, and told of, by itself."""
    _check_batch(caller, body)

    async def act(keyed: Once) -> tuple[bytes, int]:
        results = [await _decide(services, caller, body, item) for item in body.items]
        return await keep_after(keyed, to_json({"items": results}), 200)

    return await once(request, services, caller, act, demanded=True)


@router.post("/payouts/{payout_id}/approve", **answers(PayoutShape, key="taken"))
async def approve(
    request: Request, services: Services, caller: Approver, payout_id: str, body: ApproveBody
) -> Response:
    """Let a waiting payout be paid."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        view = await services.payouts.approve(
            caller.store_id, payout_id, body.revision, caller.actor
        )
        return await keep_after(keyed, to_json(shown(view)), 200)

    return await once(request, services, caller, act)


@router.post("/payouts/{payout_id}/reject", **answers(PayoutShape, key="taken"))
async def reject(
    request: Request, services: Services, caller: Approver, payout_id: str, body: RejectBody
) -> Response:
    """Turn a waiting payout down."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        view = await services.payouts.reject(
            caller.store_id,
            payout_id,
            body.revision,
            caller.actor,
            reason_code=body.reason_code,
            reason=body.reason,
        )
        return await keep_after(keyed, to_json(shown(view)), 200)

    return await once(request, services, caller, act)


@router.post("/payouts/{payout_id}/cancel", **answers(PayoutShape, key="taken"))
async def cancel(
    request: Request, services: Services, caller: Canceller, payout_id: str
) -> Response:
    """Withdraw a payout that has not been sent."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        view = await services.payouts.cancel(caller.store_id, payout_id, caller.actor)
        return await keep_after(keyed, to_json(shown(view)), 200)

    return await once(request, services, caller, act)


# What each action needs said, and what it needs allowed beyond the route itself.
_NEEDS_SAID = {"reject": ("reason_code", "reason"), "hold": ("reason",)}
_NEEDS_ALLOWED = {
    "cancel": Permission.CANCEL,
    "retry": Permission.INTERVENE,
    "hold": Permission.INTERVENE,
    "release": Permission.INTERVENE,
}


def _check_batch(caller: Caller, body: BatchBody) -> None:
    permission = _NEEDS_ALLOWED.get(body.action)
    if permission is not None:
        caller.need(permission)
    for field in _NEEDS_SAID.get(body.action, ()):
        if not (getattr(body, field) or "").strip():
            raise InvalidField(field, "this action needs it")


async def _decide(
    services: Container, caller: Caller, body: BatchBody, item: BatchItem
) -> dict[str, Any]:
    try:
        await _act(services, caller, body, item)
    except ServiceError as error:
        return {"id": item.id, "ok": False, "code": error.code}
    return {"id": item.id, "ok": True}


async def _act(services: Container, caller: Caller, body: BatchBody, item: BatchItem) -> None:
    store_id, actor, interventions = caller.store_id, caller.actor, services.engine.interventions
    match body.action:
        case "approve":
            await services.payouts.approve(store_id, item.id, item.revision, actor)
        case "reject":
            await services.payouts.reject(
                store_id,
                item.id,
                item.revision,
                actor,
                reason_code=body.reason_code or "",
                reason=body.reason or "",
            )
        case "cancel":
            await services.payouts.cancel(store_id, item.id, actor, item.revision)
        case "retry":
            await interventions.retry(store_id, item.id, actor, item.revision)
        case "hold":
            reason, revision = body.reason or "", item.revision
            await interventions.hold(store_id, item.id, actor, reason=reason, revision=revision)
        case "release":
            await interventions.release(store_id, item.id, actor, item.revision)


def shown(view: PayoutView) -> dict[str, Any]:
    """Return a payout as the API tells of it."""
    rate = view.rate
    return {
        "id": view.id,
        "store_id": view.store_id,
        "pull_payment_id": view.pull_payment_id,
        "kind": view.kind,
        "status": view.status,
        "state": view.state,
        "revision": view.revision,
        "amount_sats": view.amount_sats,
        "amount_msat": view.amount_msat,
        "fee_msat": view.fee_msat,
        "debited_nanousd": view.debited_nanousd,
        "value_cents": view.value_cents,
        "currency": view.currency,
        "original_amount": view.original_amount,
        "rate": None
        if rate is None
        else {
            "numerator": rate.numerator,
            "denominator": rate.denominator,
            "source": rate.source,
            "at": rate.at,
        },
        "boltcard_id": view.boltcard_id,
        "boltcard_alias": view.boltcard_alias,
        "boltcard_uid": view.boltcard_uid,
        "card_verified": view.card_verified,
        "destination": view.destination,
        "payment_hash": view.payment_hash,
        "preimage": view.preimage,
        "evidence": view.evidence,
        "attempts": view.attempts,
        "risk": view.risk,
        "memo": view.memo,
        "error_code": view.error_code,
        "error_message": view.error_message,
        "metadata": view.metadata,
        "created_at": view.created_at,
        "approved_at": view.approved_at,
        "submitted_at": view.submitted_at,
        "completed_at": view.completed_at,
    }


def _event(event: PayoutEvent) -> dict[str, Any]:
    return {
        "number": event.number,
        "from": event.source,
        "to": event.target,
        "at": event.at,
        "actor": {"kind": event.actor_kind, "id": event.actor_id},
        "reason_code": event.reason_code,
        "reason": event.reason,
    }
