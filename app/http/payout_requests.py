"""Asking for a payout over HTTP, and what it would come to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, StrictInt, StrictStr
from starlette.responses import Response

from app.answers import json_answer, to_json
from app.auth import Creator, Services
from app.http.payouts import shown
from app.http.shapes.payout import PayoutShape, PreviewShape
from app.http.shapes.shape import answers
from app.http.strict import Strict
from app.idempotency import Once, once
from models.money import MAX_MINOR
from models.payout import Payout
from models.payout_request import PayoutPreview, PayoutRequest
from services.lnurl import MAX_LENGTH
from services.storage.statement import Transaction

router = APIRouter(tags=["payouts"])


class PayoutBody(Strict):
    """A new payout; the amount is in minor units of the currency (SATS, BTC in sats, USD…).

    An invoice that names its amount needs neither.
    """

    destination: Annotated[StrictStr, Field(min_length=1, max_length=MAX_LENGTH)]
    amount: Annotated[StrictInt, Field(ge=1, le=MAX_MINOR)] | None = None
    currency: Annotated[StrictStr, Field(min_length=3, max_length=4)] | None = None
    pull_payment_id: Annotated[StrictStr, Field(max_length=64)] | None = None
    memo: Annotated[StrictStr, Field(max_length=300)] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    def as_request(self) -> PayoutRequest:
        """Return the body as the service takes it."""
        return PayoutRequest(
            destination=self.destination,
            amount=self.amount,
            currency=self.currency,
            pull_payment_id=self.pull_payment_id,
            memo=self.memo,
            metadata=self.metadata,
        )


@router.post("/payouts", status_code=201, **answers(PayoutShape, 201, key="demanded"))
async def create(
    request: Request, services: Services, caller: Creator, body: PayoutBody
) -> Response:
    """Make a payout; it waits for approval unless its pull payment approves by itself."""

    async def act(keyed: Once) -> tuple[bytes, int]:
        answer = b""

        def keep(tx: Transaction, made: Payout) -> None:
            nonlocal answer
            answer = to_json(shown(services.payouts.view(tx, made)))
            keyed.keep(tx, answer, 201)

        await services.engine.requests.create(
            caller.store_id, body.as_request(), caller.actor, keep
        )
        return answer, 201

    return await once(request, services, caller, act, demanded=True)


@router.post("/payouts/preview", **answers(PreviewShape))
async def preview(services: Services, caller: Creator, body: PayoutBody) -> Response:
    """Tell what a payout would come to; nothing is made."""
    found = await services.engine.requests.preview(caller.store_id, body.as_request())
    return json_answer(_shown_preview(found))


def _shown_preview(found: PayoutPreview) -> dict[str, Any]:
    rate = found.rate
    return {
        "destination_kind": found.kind,
        "destination": found.destination,
        "host": found.host,
        "callback_host": found.callback_host,
        "description": found.description,
        "amount_msat": found.amount_msat,
        "amount_sats": found.amount_sats,
        "original_amount": found.units,
        "currency": found.currency,
        "value_cents": found.value_cents,
        "rate": None
        if rate is None
        else {
            "numerator": rate.numerator,
            "denominator": rate.denominator,
            "source": rate.source,
            "at": rate.at,
        },
        "locked_until": found.locked_until,
        "invoice_expires_at": found.invoice_expires_at,
        "risk": found.risk,
        "needs_approval": found.needs_approval,
    }
