"""The websocket port: handshakes, their limits, and the sudden end of all sockets."""

from __future__ import annotations

import socket
from http import HTTPStatus
from typing import Final

from graphql import GraphQLSchema
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from app.sandbox.dialogue import Dialogue
from app.sandbox.documents import Documents
from app.sandbox.faults import Subject
from app.sandbox.limits import AddressLimiter
from app.sandbox.protocol import SUBPROTOCOL
from app.sandbox.web import MARK, PATH
from app.sandbox.world import World

_PER_MINUTE: Final = 10
_MAX_CONCURRENT: Final = 10
_MAX_FRAME: Final = 1_048_576
_CLOSE_S: Final = 1.0
_CUT: Final = 1006


class SocketServer:
    """Listens on the websocket port until it is closed."""

    def __init__(self, world: World, schema: GraphQLSchema) -> None:
        self._world = world
        self._schema = schema
        self._documents = Documents(schema)
        self._limiter = AddressLimiter(_PER_MINUTE, world.settings.ws_burst)
        self._server: Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Begin to accept on a bound socket."""
        self._server = await serve(
            self._talk,
            sock=listener,
            select_subprotocol=_select,
            process_request=self._admit,
            process_response=_mark,
            server_header=None,
            compression=None,
            ping_interval=None,
            close_timeout=_CLOSE_S,
            max_size=_MAX_FRAME,
        )

    async def close(self) -> None:
        """Stop listening and drop every socket."""
        if self._server is not None:
            self._server.close(close_connections=False)
            self.drop(_CUT)
            await self._server.wait_closed()

    @property
    def connections(self) -> list[ServerConnection]:
        """Return the sockets that are open."""
        return [] if self._server is None else list(self._server.connections)

    def drop(self, code: int) -> int:
        """End every socket, without a close frame for 1006, and return how many there were."""
        connections = self.connections
        for connection in connections:
            if code == _CUT:
                connection.transport.abort()
            else:
                self._world.spawn(connection.close(code))
        return len(connections)

    async def _talk(self, connection: ServerConnection) -> None:
        await Dialogue(self._world, self._schema, self._documents, connection).run()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Turn a handshake away as an ingress or the server itself would."""
        world = self._world
        if request.path.partition("?")[0] != PATH:
            return connection.respond(HTTPStatus.BAD_REQUEST, "Bad Request\n")
        is_faulty = world.faults.draw("handshake", Subject("handshake")) is not None
        if is_faulty or (world.settings.pace and not self._has_room(connection)):
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable\n")
        return None

    def _has_room(self, connection: ServerConnection) -> bool:
        address = (connection.remote_address or ("",))[0]
        if not self._limiter.allows(address, self._world.clock.now_ms()):
            return False
        mine = [c for c in self.connections if (c.remote_address or ("",))[0] == address]
        return len(mine) < _MAX_CONCURRENT


def _select(_connection: ServerConnection, offered: object) -> Subprotocol | None:
    """Pick the one that is spoken here; a socket without it opens and is then closed."""
    is_offered = isinstance(offered, (list, tuple)) and SUBPROTOCOL in offered
    return Subprotocol(SUBPROTOCOL) if is_offered else None


def _mark(_connection: ServerConnection, _request: Request, response: Response) -> None:
    response.headers[MARK[0]] = MARK[1]
