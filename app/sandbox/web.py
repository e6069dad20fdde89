"""The HTTP port: the API, the control API, the Lightning Address host, and a health check.

uvicorn's protocol is used without its server, because the sandbox has to cut connections, stop
at once, and mark every answer, also those to requests that cannot be parsed.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, cast

import uvicorn
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.sandbox.address_host import AddressHost
from app.sandbox.control import Control
from app.sandbox.gateway import Gateway
from app.sandbox.misfortune import TRANSPORT
from app.sandbox.world import World

MARK: Final = ("Flash-Sandbox", "1")
"""The header that tells a stand-in from the real thing."""

PATH: Final = "/graphql"
_MAX_CONNECTIONS: Final = 80
_KEEP_ALIVE_S: Final = 75
_BACKLOG: Final = 512


class _Connection(HttpToolsProtocol):
    """A connection that its requests can find, so that a fault may cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


class WebServer:
    """Listens on the HTTP port until it is closed."""

    def __init__(self, world: World, schema: GraphQLSchema, control: Control) -> None:
        self._paced = world.settings.pace
        self._state = ServerState()
        self._state.default_headers = [(MARK[0].encode(), MARK[1].encode())]
        self._is_closing = False
        self._config = uvicorn.Config(
            self._until_closed(Gateway(world, schema), _application(world, control)),
            http=_Connection,
            ws="none",
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            limit_concurrency=_MAX_CONNECTIONS if self._paced else None,
        )
        self._config.load()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Begin to answer on a bound socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._config, self._state, {}), sock=listener, backlog=_BACKLOG
        )

    def cut(self) -> None:
        """Drop every connection without an answer."""
        for connection in tuple(self._state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        """Stop listening, drop the connections, and wait for their calls to end."""
        self._is_closing = True
        if self._server is not None:
            self._server.close()
        self.cut()
        # One turn of the loop, so that the protocols notice that they are disconnected.
        await asyncio.sleep(0)
        calls = tuple(self._state.tasks)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _until_closed(self, gateway: ASGIApp, rest: ASGIApp) -> ASGIApp:
        """Send the API's calls to it without a detour, and let cancelled ones end quietly."""

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await (gateway if scope["path"] == PATH else rest)(scope, receive, send)
            except asyncio.CancelledError:
                if not self._is_closing:
                    raise

        return call


def _application(world: World, control: Control) -> Starlette:
    routes = [Route("/healthz", _healthz), *control.routes(), *AddressHost(world).routes()]
    return Starlette(routes=routes)


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("OK")
