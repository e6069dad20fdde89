"""The outermost layer of HTTP: request ids, size limits, headers, and errors nobody expected."""

from __future__ import annotations

import secrets

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answers import json_answer

_log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024
QUERY_LIMIT = 8 * 1024
_LNURL = ("/lnurlw/", "/boltcard")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)


def request_id_of(request: Request) -> str:
    """Return the id that a request was given."""
    return str(request.scope.get("request_id", ""))


class Edge:
    """Wraps the application; a demo answers only names that mean this machine."""

    def __init__(self, app: ASGIApp, *, loopback_only: bool = False) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        is_strange = self._loopback_only and not _is_local_name(scope)
        if scope["type"] == "websocket":
            if is_strange:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        scope["request_id"] = f"rq_{secrets.token_hex(8)}"
        await self._serve(scope, receive, send, _unservable(scope, is_strange=is_strange))

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, refusal: tuple[int, str] | None
    ) -> None:
        started, limited = False, _Limited(receive)

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                mark = (b"x-request-id", scope["request_id"].encode())
                message["headers"] = [*message.get("headers", ()), *_HEADERS, mark]
            await send(message)

        async def send_unless_over(message: Message) -> None:
            if not limited.is_over:  # what is said of half a body is of no interest
                await send_marked(message)

        if refusal is not None:
            await _refuse(scope, receive, send_marked, *refusal)
            return
        try:
            await self._app(scope, limited, send_unless_over)
        except _TooLarge:
            pass
        except Exception:
            # The path holds no secret of ours but a claim token, so only its first part is named.
            part = scope["path"].split("/")[1] if "/" in scope["path"] else ""
            _log.exception("request.failed", request_id=scope["request_id"], part=part)
            if started:
                raise
            await _refuse(scope, receive, send_marked, 500, "Something went wrong here.")
        if limited.is_over and not started:
            await _refuse(scope, receive, send_marked, 413, "The body is too large.")


class _TooLarge(Exception):
    """The body is over its limit."""


class _Limited:
    """Counts what is received and stops at the limit."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    @property
    def is_over(self) -> bool:
        """Tell whether the limit was passed."""
        return self._size > BODY_LIMIT

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self.is_over:
            raise _TooLarge
        return message


def _is_local_name(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1").lower()
            bare = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            return bare in {"127.0.0.1", "localhost", "[::1]"}
    return False


def _unservable(scope: Scope, *, is_strange: bool) -> tuple[int, str] | None:
    """Return why a request is refused unseen: a status and words."""
    if is_strange:
        return 421, "This demo answers on this machine only."
    if "\x00" in scope["path"]:
        return 404, "There is nothing here."
    if len(scope.get("query_string", b"")) > QUERY_LIMIT:
        return 414, "The query is too long."
    return None


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    codes = {404: "not_found", 413: "too_large", 414: "too_large", 500: "internal"}
    body = {
        "type": "about:blank",
        "title": "Error",
        "status": status,
        "code": codes.get(status, "invalid"),
        "detail": detail,
        "errors": [],
        "request_id": scope["request_id"],
    }
    response: Response = json_answer(body, status, media_type="application/problem+json")
    if scope["path"].startswith(_LNURL) and status != 421:  # noqa: PLR2004
        # Wallets and tills read nothing of an answer with another status (LUD-01).
        headers = {"Access-Control-Allow-Origin": "*"}
        response = json_answer({"status": "ERROR", "reason": detail}, headers=headers)
    await response(scope, receive, send)
