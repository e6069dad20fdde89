"""The door of the live socket: the own origin, a live session, and that session's page only."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import structlog
from nicegui import Client, core
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import Container
from app.origin import is_own_origin
from app.sessions import standing_of
from app.tabs import Tabs
from models.store import DatabaseKind

_log = structlog.get_logger(__name__)

PATH = "/_nicegui_ws/"


class SocketDoor:
    """Refuses, before NiceGUI sees it, a socket that has no business here."""

    def __init__(self, app: ASGIApp, container: Container, tabs: Tabs) -> None:
        self._app = app
        self._container = container
        self._tabs = tabs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a handshake through, or refuse it."""
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        reason = await self._refusal(HTTPConnection(scope))
        if reason is None:
            await self._app(scope, receive, send)
            return
        _log.info("socket.refused", reason=reason)
        await _refuse(scope, send)

    async def _refusal(self, connection: HTTPConnection) -> str | None:
        if not is_own_origin(connection, self._container):
            return "origin"
        if self._container.kind is DatabaseKind.DEMO:
            return None
        standing = await standing_of(connection, self._container)
        if standing is None:
            return "session"
        named = parse_qs(connection.url.query).get("client_id", [])
        if len(named) != 1:
            return "client"
        client = Client.instances.get(named[0])
        # An unknown one may be of before a restart: NiceGUI then has the browser load it anew.
        if client is not None and not self._tabs.open(client, standing.session.id):
            return "page"
        return None


def guard_origin(container: Container) -> None:
    """Have the socket's own check of the origin go by the settings, as the door does.

    By itself it compares with what a proxy says of the scheme, and a proxy may say nothing.
    """

    def is_own(_origin: str | None, environ: dict[str, Any]) -> bool:
        return is_own_origin(HTTPConnection(environ["asgi.scope"]), container)

    core.sio.eio.cors_allowed_origins = is_own


def guard_events(tabs: Tabs) -> None:
    """Have a socket speak for the page that it shook hands for, and for no other."""
    handlers: dict[str, Any] = core.sio.handlers["/"]
    for name in ("event", "javascript_response", "ack", "log"):
        handlers[name] = _guarded(handlers[name], tabs, counts=name == "event")


def _guarded(handler: Any, tabs: Tabs, *, counts: bool) -> Any:
    inner = getattr(handler, "inner", handler)

    def guarded(sid: str, message: Any) -> Any:
        client_id = message.get("client_id") if isinstance(message, dict) else None
        if not isinstance(client_id, str) or client_id not in core.sio.rooms(sid):
            return None
        if counts:
            tabs.use(client_id)
        return inner(sid, message)

    guarded.inner = inner  # type: ignore[attr-defined]  # several applications in one process
    return guarded


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"This socket is not for you.\n"})
