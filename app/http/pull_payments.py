"""Pull payments over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictBool, StrictInt, StrictStr
from starlette.responses import Response

from app.answers import json_answer, to_json
from app.auth import Caller, Creator, Reader, Services
from app.container import Container
from app.http.cursor import read_cursor, write_cursor
from app.http.shapes.pull_payment import PullPaymentShape, PullPaymentsShape
from app.http.shapes.shape import answers
from app.http.strict import Strict
from app.idempotency import Once, keep_after, once
from models.errors import InvalidField
from models.ids import PULL_PAYMENT
from models.instants import parse_moment
from models.permission import Permission
from models.pull_payment import PullPayment
from services import lnurl
from services.pull_payments import NewPullPayment, PullPaymentChange
from services.storage.statement import Transaction

router = APIRouter(tags=["pull payments"])
_LINKS = ("claim_url", "lnurl", "lnurlw")
Name = Annotated[StrictStr, Field(min_length=1, max_length=100)]
Moment = Annotated[StrictStr, Field(max_length=40)]


class PullPaymentBody(Strict):
    """A new pull payment; the amount is in minor units of the currency (SATS, USD…)."""

    name: Name
    currency: Annotated[StrictStr, Field(min_length=3, max_length=4)]
    amount: Annotated[StrictInt, Field(ge=1)]
    min_sats: Annotated[StrictInt, Field(ge=1)] | None = None
    max_sats: Annotated[StrictInt, Field(ge=1)] | None = None
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    auto_approve: StrictBool


class PullPaymentPatch(Strict):
    """What may be changed; fields that are left out stay."""

    name: Name | None = None
    amount: Annotated[StrictInt, Field(ge=1)] | None = None
    min_sats: Annotated[StrictInt, Field(ge=1)] | None = None
    max_sats: Annotated[StrictInt, Field(ge=1)] | None = None
    expires_at: Moment | None = None
    auto_approve: StrictBool | None = None
    archived: StrictBool | None = None
    new_link: StrictBool = False


class PageQuery(Strict):
    """How a list is paged."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


@router.post("/pull-payments", status_code=201, **answers(PullPaymentShape, 201, key="taken"))
async def create(
    request: Request, services: Services, caller: Creator, body: PullPaymentBody
) -> Response:
    """Make a pull payment."""
    zone = await _zone(services, caller)
    wanted = NewPullPayment(
        name=body.name,
        currency=body.currency.upper(),
        amount=body.amount,
        auto_approve=body.auto_approve,
        min_sats=body.min_sats,
        max_sats=body.max_sats,
        starts_at=_moment("starts_at", body.starts_at, zone),
        expires_at=_moment("expires_at", body.expires_at, zone, end=True),
    )

    async def act(keyed: Once) -> tuple[bytes, int]:
        def keep(tx: Transaction, made: PullPayment) -> None:
            keyed.keep(tx, to_json(shown(services, caller, made)), 201)

        made = await services.pull_payments.create(caller.store_id, wanted, caller.actor, keep)
        return to_json(shown(services, caller, made)), 201

    return await once(request, services, caller, act, hidden=_hidden_from(caller))


@router.get("/pull-payments", **answers(PullPaymentsShape))
async def list_pull_payments(
    services: Services, caller: Reader, query: Annotated[PageQuery, Query()]
) -> Response:
    """List pull payments, newest first."""
    before = read_cursor(query.cursor, PULL_PAYMENT)
    found = await services.pull_payments.page(caller.store_id, query.limit + 1, before)
    items = found[: query.limit]
    following = None
    if len(found) > query.limit:
        following = (items[-1].created_at, items[-1].id)
    return json_answer(
        {
            "items": [shown(services, caller, item) for item in items],
            "next_cursor": write_cursor(following),
        }
    )


@router.get("/pull-payments/{pull_payment_id}", **answers(PullPaymentShape))
async def read(services: Services, caller: Reader, pull_payment_id: str) -> Response:
    """Return one pull payment."""
    found = await services.pull_payments.read(caller.store_id, pull_payment_id)
    return json_answer(shown(services, caller, found))


@router.patch("/pull-payments/{pull_payment_id}", **answers(PullPaymentShape, key="taken"))
async def change(
    request: Request,
    services: Services,
    caller: Creator,
    pull_payment_id: str,
    body: PullPaymentPatch,
) -> Response:
    """Change a pull payment."""
    zone = await _zone(services, caller)
    wanted = PullPaymentChange(
        name=body.name,
        amount=body.amount,
        min_sats=body.min_sats,
        max_sats=body.max_sats,
        expires_at=_moment("expires_at", body.expires_at, zone, end=True),
        auto_approve=body.auto_approve,
        archived=body.archived,
        new_link=body.new_link,
    )

    async def act(keyed: Once) -> tuple[bytes, int]:
        changed = await services.pull_payments.change(
            caller.store_id, pull_payment_id, wanted, caller.actor
        )
        return await keep_after(keyed, to_json(shown(services, caller, changed)), 200)

    return await once(request, services, caller, act, hidden=_hidden_from(caller))


def shown(services: Container, caller: Caller, pull_payment: PullPayment) -> dict[str, Any]:
    """Return a pull payment as the API tells of it; its links only to those who may draw."""
    links = dict.fromkeys(_LINKS)
    if caller.may(Permission.SEE_LINKS):
        token = services.pull_payments.claim_token(pull_payment)
        url = f"{services.settings.base_url}/lnurlw/{token}"
        links = {"claim_url": url, "lnurl": lnurl.encode(url), "lnurlw": to_lnurlw(url)}
    return {
        "id": pull_payment.id,
        "store_id": pull_payment.store_id,
        "name": pull_payment.name,
        "currency": pull_payment.currency,
        "amount": pull_payment.budget,
        "min_sats": pull_payment.min_sats,
        "max_sats": pull_payment.max_sats,
        "starts_at": pull_payment.starts_at,
        "expires_at": pull_payment.expires_at,
        "auto_approve": pull_payment.auto_approve,
        "archived": pull_payment.state == "archived",
        "status": pull_payment.phase(services.clock.utc_now()),
        "remaining": pull_payment.remaining,
        "reserved": pull_payment.reserved,
        "paid": pull_payment.paid,
        **links,
        "created_at": pull_payment.created_at,
    }


def _hidden_from(caller: Caller) -> tuple[str, ...]:
    return () if caller.may(Permission.SEE_LINKS) else _LINKS


def to_lnurlw(url: str) -> str:
    """Return the LUD-17 form of one of our own links."""
    return "lnurlw://" + url.partition("://")[2]


async def _zone(services: Container, caller: Caller) -> ZoneInfo:
    store = await services.stores.read(caller.store_id)
    assert store is not None
    return ZoneInfo(store.time_zone)


def _moment(field: str, text: str | None, zone: ZoneInfo, *, end: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_moment(text, zone, end=end)
    except (ValueError, OverflowError):
        raise InvalidField(
            field, "give a date such as 2026-11-20, or a time with an offset"
        ) from None
