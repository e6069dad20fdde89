"""Keeps a socket to Flash open: how it is doing, when it comes back, and what it must not do.

The library's own reconnecting is not used: after every reconnect there is a catch-up to do, and
Flash allows few handshakes a minute. What arrives is a hint or a sighting, handed to callbacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import WebSocketException

from models.flash import SocketState
from models.instants import Clock
from services.flash import documents
from services.flash.client import CAPABILITIES
from services.flash.pace import Need, Pace
from services.points import Watch

_log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
BACKOFF_S = (1.0, 3.0, 8.0, 15.0, 30.0)
PING_INTERVAL_S = 15.0
STEADY = timedelta(seconds=60)
# From one address Flash allows sixty requests a minute, and ten handshakes.
REQUESTS_A_HANDSHAKE: Final = 6


@dataclass(slots=True)
class SocketHealth:
    """How a socket is doing."""

    name: str
    state: SocketState = SocketState.CUT_OFF
    connects: int = 0
    since: datetime | None = None
    last_message_at: datetime | None = None
    last_error: str | None = None
    limited: bool = False


class Socket:
    """One socket that is opened again for ever, within the handshakes of its address."""

    def __init__(
        self,
        health: SocketHealth,
        ws_url: str,
        clock: Clock,
        handshakes: Pace,
        changed: Callable[[], None],
        watch: Watch,
    ) -> None:
        self.health = health
        self._ws_url = ws_url
        self._clock = clock
        self._handshakes = handshakes
        self._changed = changed
        self._watch = watch

    async def keep(
        self, need: Need, token: str | None, serve: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Keep it open for ever, and have each session served until it breaks."""
        health, failures = self.health, 0
        while True:
            await self._handshakes.take(need)
            client = Client(transport=self._transport(token), fetch_schema_from_transport=False)
            point = f"wire:socket {health.name}"
            try:
                self._watch(f"{point}:before")
                session = await client.connect_async(reconnecting=False)  # type: ignore[no-untyped-call]
                _leave_if_cancelled()
                self._watch(f"{point}:after")
                health.connects += 1
                health.since = self._clock.utc_now()
                self.become(SocketState.CATCHING_UP)
                await serve(session)
            except (TransportError, WebSocketException, OSError, TimeoutError) as error:
                health.last_error = type(error).__name__
            finally:
                self.become(SocketState.CUT_OFF)
                with suppress(Exception):  # closing a broken socket may fail; it is gone anyway
                    await client.close_async()  # type: ignore[no-untyped-call]
            _leave_if_cancelled()
            if health.since is not None and self._clock.utc_now() - health.since > STEADY:
                failures = 0  # it held for a while: this is a new trouble, not the old one
            _log.info("flash.socket_lost", socket=health.name, error=health.last_error)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1

    def become(self, state: SocketState) -> None:
        """Take a state, and tell it if it is new."""
        if self.health.state is not state:
            self.health.state = state
            self._changed()

    async def messages(self, session: Any, request: GraphQLRequest) -> AsyncIterator[Any]:
        """Yield what a subscription is told."""
        async for result in session.subscribe(request, get_execution_result=True):
            self.health.last_message_at = self._clock.utc_now()
            self._watch(f"wire:{documents.name_of(request)}:told")
            yield result

    def _transport(self, token: str | None) -> WebsocketsTransport:
        payload = {} if token is None else {"Authorization": f"Bearer {token}"}
        return WebsocketsTransport(
            self._ws_url,
            headers=CAPABILITIES,
            init_payload=payload | CAPABILITIES,
            connect_timeout=CONNECT_TIMEOUT_S,
            ack_timeout=CONNECT_TIMEOUT_S,
            close_timeout=1,
            connect_args={"ping_interval": PING_INTERVAL_S, "ping_timeout": PING_INTERVAL_S},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )


def _leave_if_cancelled() -> None:
    """Raise CancelledError in a task that was asked to end and whose request got lost.

    A wait with a time limit that is over in the same moment swallows it; a task group that is
    cancelled while one of its tasks fails raises the failure only.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
