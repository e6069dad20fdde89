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
        if self._loopback_only and not _is_local_name(scope):
            await _refuse(scope, receive, send, 421, "This demo answers on this machine only.")
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        request_id = f"rq_{secrets.token_hex(8)}"
        scope["request_id"] = request_id
        if len(scope.get("query_string", b"")) > QUERY_LIMIT:
            await _refuse(scope, receive, send, 414, "The query is too long.")
            return
        await self._serve(scope, receive, send, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [
                    *message.get("headers", ()),
                    *_HEADERS,
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, _Limited(receive), send_with_headers)
        except _TooLarge:
            await _refuse(scope, receive, send_with_headers, 413, "The body is too large.")
        except Exception:
            # The path holds no secret of ours but a claim token, so only its first part is named.
            part = scope["path"].split("/")[1] if "/" in scope["path"] else ""
            _log.exception("request.failed", request_id=request_id, part=part)
            if started:
                raise
            await _refuse(scope, receive, send_with_headers, 500, "Something went wrong here.")


class _TooLarge(Exception):
    """The body is over its limit."""


class _Limited:
    """Counts what is received and stops at the limit."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > BODY_LIMIT:
            raise _TooLarge
        return message


def _is_local_name(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1").lower()
            bare = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            return bare in {"127.0.0.1", "localhost", "[::1]"}
    return False


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    codes = {413: "too_large", 414: "too_large", 500: "internal"}
    body = {
        "type": "about:blank",
        "title": "Error",
        "status": status,
        "code": codes.get(status, "invalid"),
        "detail": detail,
        "errors": [],
        "request_id": scope.get("request_id", ""),
    }
    response: Response = json_answer(body, status, media_type="application/problem+json")
    await response(scope, receive, send)
