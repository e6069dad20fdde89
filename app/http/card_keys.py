"""What the Bolt Card programmer app asks: the keys of one card, once, by a link.

A plain look at a link gives nothing out: browsers and previews get a page. The app reads a reason
only from a field of that name, so refusals carry one beside their status.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.answers import json_answer
from app.auth import container_of
from app.container import Container
from app.errors import INTERNAL
from app.http.notice_page import notice_page
from app.http.pull_payments import to_lnurlw
from app.throttle import Throttle
from models.card_link import HandedKeys, LinkAction, MadeLink
from models.errors import (
    InvalidField,
    NotFoundError,
    RateLimited,
    RuleError,
    ServiceError,
    UnavailableError,
)
from services.card_crypto import parse_uid
from services.card_link import card_deeplink

_log = structlog.get_logger(__name__)

PATH = "/card-keys"
BODY_LIMIT = 4_096
ASKS_PER_MINUTE = 30
_KEY_NAMES = ("k0", "k1", "k2", "k3", "k4")
Ask = Callable[[Request, Container], Awaitable[dict[str, Any]]]


def card_base(services: Container) -> str:
    """Return what is written on a card before `p` and `c`."""
    return to_lnurlw(f"{services.settings.base_url}/boltcard")


def link_url(services: Container, made: MadeLink) -> str:
    """Return the address that a link's token opens."""
    return f"{services.settings.base_url}{PATH}/{made.token}"


def shown_link(services: Container, made: MadeLink) -> dict[str, Any]:
    """Return a new link as the API tells of it; the token is not shown again."""
    url = link_url(services, made)
    return {
        "id": made.id,
        "action": made.action,
        "url": url,
        "deeplink": card_deeplink(made.action.value, url),
        "scan_url": f"{url}/scan" if made.action is LinkAction.PROGRAM else None,
        "expires_at": made.expires_at,
    }


def wipe_json(handed: HandedKeys) -> dict[str, Any]:
    """Return keys as the app takes them by hand, to reset a card (Boltcard, wipe by QR)."""
    keys = {name: getattr(handed.keys, name).hex() for name in _KEY_NAMES}
    return {"version": 1, "action": "wipe", **keys}


def routes() -> list[BaseRoute]:
    """Return the routes; each service has a throttle of its own."""
    throttle = Throttle(ASKS_PER_MINUTE, 60.0, monotonic)
    return [
        Route(f"{PATH}/{{token}}", _answered(throttle, _by_post), methods=["POST"]),
        Route(f"{PATH}/{{token}}", _page, methods=["GET"]),
        Route(f"{PATH}/{{token}}/scan", _answered(throttle, _by_scan), methods=["GET"]),
    ]


async def _by_post(request: Request, services: Container) -> dict[str, Any]:
    """Answer the app that a `boltcard://` link has opened."""
    body = await _body_of(request)
    token, address = request.path_params["token"], _address_of(request)
    if isinstance(read := body.get("LNURLW"), str):
        handed = await services.card_links.reset(token, read, address)
        return _keys_of(services, handed)
    if not isinstance(uid := body.get("UID"), str):
        raise InvalidField("UID", "Say which card it is: UID to program it, LNURLW to reset it.")
    handed = await services.card_links.program(token, parse_uid(uid), address)
    return _keys_of(services, handed)


async def _by_scan(request: Request, services: Container) -> dict[str, Any]:
    """Answer an app that scanned a plain address and does not say which card it holds."""
    token = request.path_params["token"]
    handed = await services.card_links.program(token, None, _address_of(request))
    return _keys_of(services, handed) | {
        "protocol_name": "new_bolt_card_response",
        "protocol_version": 1,
        "card_name": handed.alias,
    }


def _keys_of(services: Container, handed: HandedKeys) -> dict[str, Any]:
    """Return the keys in both spellings: older and newer apps read one of them each."""
    base = card_base(services)
    keys = {name: getattr(handed.keys, name).hex() for name in _KEY_NAMES}
    upper = {name.upper(): key for name, key in keys.items()}
    return {**keys, **upper, "lnurlw_base": base, "LNURLW": base}


async def _page(request: Request) -> Response:
    """Tell a person what a link is for; looking at it uses nothing up."""
    del request
    text = "Open it with the Bolt Card programmer app, which then asks for the card."
    page = notice_page("This link programs a card", text)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _answered(throttle: Throttle, ask: Ask) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        if request.method == "HEAD":
            return Response()
        if "text/html" in request.headers.get("accept", ""):
            return await _page(request)
        try:
            throttle.check(_address_of(request) or "")
            return json_answer(await ask(request, container_of(request)))
        except ServiceError as error:
            _log.info("card_keys.refused", code=error.code, reason=getattr(error, "reason", None))
            return _refusal(_status_of(error), error.message)
        except Exception:  # noqa: BLE001  # the edge: the app must get an answer it can read
            _log.exception("card_keys.failed")
            return _refusal(500, INTERNAL)

    return route


def _refusal(status: int, reason: str) -> Response:
    return json_answer({"status": "ERROR", "reason": reason}, status)


def _status_of(error: ServiceError) -> int:
    known: list[tuple[type[ServiceError], int]] = [
        (RateLimited, 429),
        (NotFoundError, 404),
        (UnavailableError, 503),
        (InvalidField, 422),
        (RuleError, 409),
    ]
    return next((status for kind, status in known if isinstance(error, kind)), 500)


async def _body_of(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        body = json.loads(raw) if len(raw) <= BODY_LIMIT else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise InvalidField("body", "This request cannot be read.")
    return body


def _address_of(request: Request) -> str | None:
    return request.client.host if request.client else None
