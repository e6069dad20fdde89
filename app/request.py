"""The outermost layer of HTTP: request ids, size limits, headers, and errors nobody expected."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from random import getrandbits

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.allowance import Allowance, is_local_name
from app.answers import json_answer
from app.policy import give_nonce, with_policy
from app.settings import ADDRESS_LIMIT
from models.errors import UnavailableError

_log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024
QUERY_LIMIT = 8 * 1024
_LNURL = ("/lnurlw/", "/boltcard")
_FOR_PROGRAMS = ("/lnurlw/", "/boltcard/claim", "/v1/")
# These are for whoever floods, and for the proxy before us.
_ANY_STATUS = frozenset({421, 429})
# A body that comes drop by drop would hold a connection for ever.
BODY_TIME_S = 15.0
HEADER_FIELDS = 100
HEADER_LIMIT = 32 * 1024


def request_id_of(request: Request) -> str:
    """Return the id that a request was given."""
    return str(request.scope.get("request_id", ""))


class Edge:
    """Wraps the application; a demo answers only names that mean this machine."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        loopback_only: bool = False,
        is_secure: bool = False,
        allowance: Allowance | None = None,
        body_time_s: float = BODY_TIME_S,
    ) -> None:
        self._app = app
        self._loopback_only = loopback_only
        self._is_secure = is_secure
        self._allowance = Allowance() if allowance is None else allowance
        self._body_time_s = body_time_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        is_strange = self._loopback_only and not is_local_name(scope)
        scope["client"] = _known_client(scope)
        if scope["type"] == "websocket":
            if is_strange or self._allowance.of_request(scope):
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        # It names a request and opens nothing, so the system's randomness is not asked for it.
        scope["request_id"] = f"rq_{getrandbits(64):016x}"
        if not _is_for_programs(scope["path"]):
            give_nonce(scope)
        refusal = _unservable(scope, is_strange=is_strange)
        if refusal is None and (wait_s := self._allowance.of_request(scope)):
            refusal = Refusal(429, "Too many requests; wait a little.", wait_s)
        await self._serve(scope, receive, send, refusal)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, refusal: Refusal | None
    ) -> None:
        started, limited = False, _Limited(receive, self._body_time_s)

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                mark = (b"x-request-id", scope["request_id"].encode())
                headers = with_policy(scope, message.get("headers", ()), is_secure=self._is_secure)
                message["headers"] = [*headers, mark]
            await send(message)

        async def send_unless_over(message: Message) -> None:
            if not limited.is_over:  # what is said of half a body is of no interest
                await send_marked(message)

        if refusal is not None:
            await _refuse(scope, receive, send_marked, refusal)
            return
        try:
            await self._app(scope, limited, send_unless_over)
        except _TooLarge:
            pass
        except Exception as error:  # the edge: whoever asked gets an answer
            failed = _told(scope, error)
            if started:
                raise
            await _refuse(scope, receive, send_marked, failed)
        if limited.is_over and not started:
            await _refuse(scope, receive, send_marked, limited.refusal)


def _is_for_programs(path: str) -> bool:
    """Tell whether no screen is answered there, so that no script needs a nonce."""
    return path == "/boltcard" or path.startswith(_FOR_PROGRAMS)


def _told(scope: Scope, error: Exception) -> Refusal:
    """Write down what nobody expected, and return what is said of it."""
    if isinstance(error, UnavailableError):  # of a door: what stands behind them answers itself
        return Refusal(503, error.message)
    # The path holds no secret of ours but a claim token, so only its first part is named.
    part = scope["path"].split("/")[1] if "/" in scope["path"] else ""
    _log.exception("request.failed", request_id=scope["request_id"], part=part)
    return Refusal(500, "Something went wrong here.")


class _TooLarge(Exception):
    """The body is over its limit."""


class _Limited:
    """Counts what is received, and stops at a limit of size or time."""

    def __init__(self, receive: Receive, time_s: float) -> None:
        self._receive = receive
        self._size = 0
        self._time_s = time_s
        self._until: float | None = None
        self._is_whole = False
        self._is_late = False

    @property
    def is_over(self) -> bool:
        """Tell whether a limit was passed."""
        return self._is_late or self._size > BODY_LIMIT

    @property
    def refusal(self) -> Refusal:
        """Return which limit was passed."""
        if self._is_late:
            return Refusal(408, "The body came too slowly.")
        return Refusal(413, "The body is too large.")

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes now is the end of the connection, whenever that may be
            return await self._receive()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._time_s
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self._is_late = True
            raise _TooLarge from None
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self.is_over:
            raise _TooLarge
        return message


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused unseen."""

    status: int
    detail: str
    retry_after_s: int = 0


def _unservable(scope: Scope, *, is_strange: bool) -> Refusal | None:
    if is_strange:
        return Refusal(421, "This demo answers on this machine only.")
    if "\x00" in scope["path"]:
        return Refusal(404, "There is nothing here.")
    if len(scope["path"]) + len(scope.get("query_string", b"")) > QUERY_LIMIT:
        return Refusal(414, "The address is too long.")
    headers = scope["headers"]
    if len(headers) > HEADER_FIELDS or sum(map(_size, headers)) > HEADER_LIMIT:
        return Refusal(431, "There are too many header fields, or they are too large.")
    return None


def _size(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1])


def _known_client(scope: Scope) -> tuple[str, int] | None:
    """Return the visitor's address if it is one: a proxy hands on what it was told."""
    client = scope.get("client")
    if client is None or len(client[0]) > ADDRESS_LIMIT:
        return None
    host = _as_address(client[0])
    return None if host is None else (host, client[1])


@lru_cache(maxsize=1024)
def _as_address(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None


_CODES = {
    404: "not_found",
    408: "too_slow",
    413: "too_large",
    414: "too_large",
    429: "rate_limited",
    431: "too_large",
    500: "internal",
    503: "unavailable",
}


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    body = {
        "type": "about:blank",
        "title": "Error",
        "status": refusal.status,
        "code": _CODES.get(refusal.status, "invalid"),
        "detail": refusal.detail,
        "errors": [],
        "request_id": scope["request_id"],
    }
    headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
    kind = "application/problem+json"
    response: Response = json_answer(body, refusal.status, media_type=kind, headers=headers)
    if scope["path"].startswith(_LNURL) and refusal.status not in _ANY_STATUS:
        # Wallets and tills read nothing of an answer with another status (LUD-01).
        cors = {"Access-Control-Allow-Origin": "*"}
        reason = {"status": "ERROR", "reason": refusal.detail}
        response = json_answer(reason, headers=cors)
    await response(scope, receive, send)
