"""LNURL-withdraw: links, taps and their callbacks.

Every answer is HTTP 200 with JSON, errors too, because wallets and tills read nothing else
(LUD-01). The address of a callback comes from the settings, never from the request.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.answers import json_answer
from app.auth import container_of
from app.container import Container
from app.errors import INTERNAL, lnurl_reason
from app.http.claim_page import POLICY, claim_page
from models.errors import (
    InvoiceError,
    OutcomeUnknownError,
    ServiceError,
    TapError,
    WithdrawError,
)
from models.payout import Payout
from models.states import RELEASED, PayoutState
from services import bolt11, lnurl_withdraw
from services.card_crypto import tap_from_pairs
from services.withdrawals import Claim, Offer

_log = structlog.get_logger(__name__)

_CORS = {"Access-Control-Allow-Origin": "*"}
_HINT = re.compile(r"[0-9A-Za-z:_-]{1,64}\Z")
# A memo such as "Boltcard 04a1…" or "Card ID: 17" names a card, without proving it.
_MEMO_HINT = re.compile(r"(?:boltcard|card id)[\s:#]+([0-9A-Za-z:_-]{4,64})", re.IGNORECASE)
# What staff wrote as a reason is for staff.
DECIDED_BY_PEOPLE = frozenset({PayoutState.REJECTED, PayoutState.CANCELLED})
Endpoint = Callable[[Request], Awaitable[dict[str, Any]]]


def answered(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that turns every outcome into an LNURL answer."""

    async def route(request: Request) -> Response:
        if request.method == "HEAD":
            # A preview of a link must neither burn a counter nor draw money.
            return Response(headers=_CORS)
        try:
            body = await endpoint(request)
        except ServiceError as error:
            _log.info("lnurl.refused", reason=getattr(error, "reason", error.code))
            body = lnurl_withdraw.error(lnurl_reason(error))
        except Exception:  # noqa: BLE001  # the edge: a till must get an answer it can read
            _log.exception("lnurl.failed")
            body = lnurl_withdraw.error(INTERNAL)
        return json_answer(body, headers=_CORS)

    return route


async def offer_link(request: Request) -> Response:
    """Tell a wallet what a link may draw; a browser gets a page instead (LUD-17)."""
    services = container_of(request)
    if "text/html" in request.headers.get("accept", ""):
        page = await claim_page(services, request.path_params["claim_token"])
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        return HTMLResponse(page, headers=headers)

    async def offer(request: Request) -> dict[str, Any]:
        token = request.path_params["claim_token"]
        found = await services.withdrawals.offer_link(token)
        return _offered(services, found, f"/lnurlw/{token}/claim", _hint(request))

    return await answered(offer)(request)


async def tap(request: Request) -> dict[str, Any]:
    """Take a read of a card and tell the till what it may draw."""
    services = container_of(request)
    query = tap_from_pairs(request.query_params.multi_items())
    try:
        opened = await services.boltcards.take_tap(query, _hint(request))
    except OutcomeUnknownError:
        raise TapError("unavailable", "This tap could not be taken; tap again.") from None
    request.app.state.allowance.of_card(opened.card.id, request.scope)
    return _offered(services, services.withdrawals.offer_tap(opened), "/boltcard/claim", None)


async def claim_link(request: Request) -> dict[str, Any]:
    """Draw by a link."""
    return await _claim(request, request.path_params["claim_token"])


async def claim_tap(request: Request) -> dict[str, Any]:
    """Draw by a tap."""
    return await _claim(request, None)


async def _claim(request: Request, claim_token: str | None) -> dict[str, Any]:
    params = request.query_params.multi_items()
    names = [name for name, _ in params]
    if len(names) != len(set(names)):
        raise WithdrawError("bad_request", "This withdrawal request cannot be read.")
    found = dict(params)
    if not found.get("k1"):
        raise WithdrawError("bad_request", "k1 is missing; scan or tap again.")
    if not found.get("pr"):
        raise InvoiceError("missing", "The invoice (pr) is missing.")
    invoice = bolt11.decode(found["pr"].strip())
    hint = _hint(request) or _memo_hint(invoice.description)
    claim = Claim(found["k1"].strip().lower(), invoice, hint, claim_token)
    try:
        payout = await container_of(request).withdrawals.claim(claim)
    except OutcomeUnknownError:
        # It may be accepted, and then it will be paid: ERROR would not be true.
        return lnurl_withdraw.ok()
    return _answer(payout)


def _answer(payout: Payout) -> dict[str, Any]:
    """Say OK for what is paid, running or waiting; ERROR for what certainly is not (LUD-03)."""
    if payout.state in DECIDED_BY_PEOPLE:
        return lnurl_withdraw.error("The payout was turned down.")
    if payout.state in RELEASED:
        return lnurl_withdraw.error(payout.error_message or "The payout was not made.")
    return lnurl_withdraw.ok()


def _offered(services: Container, offer: Offer, path: str, hint: str | None) -> dict[str, Any]:
    callback = services.settings.base_url + path
    if hint is not None:
        callback += f"?card={hint}"
    return lnurl_withdraw.withdraw_request(
        callback=callback,
        k1=offer.k1,
        description=offer.description,
        min_msat=offer.min_msat,
        max_msat=offer.max_msat,
    )


def _hint(request: Request) -> str | None:
    """Return what a claimant says of the card: a header or parameter, believed by nobody."""
    query = request.query_params
    for said in (request.headers.get("x-boltcard-uid"), query.get("card"), query.get("boltcard")):
        if said and _HINT.match(said):
            return said
    return None


def _memo_hint(description: str | None) -> str | None:
    found = _MEMO_HINT.search(description or "")
    return None if found is None else found.group(1)


# What a till waits for: these answer whatever happens and never raise.
BY_CARD = {"/boltcard": answered(tap), "/boltcard/claim": answered(claim_tap)}
CLAIM_BY_LINK = answered(claim_link)


def routes() -> list[BaseRoute]:
    """Return the routes, plain ones."""
    return [
        Route("/lnurlw/{claim_token}", offer_link, methods=["GET"]),
        Route("/lnurlw/{claim_token}/claim", CLAIM_BY_LINK, methods=["GET"]),
        *(Route(path, endpoint, methods=["GET"]) for path, endpoint in BY_CARD.items()),
    ]
