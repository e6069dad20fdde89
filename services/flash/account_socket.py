"""The socket of one account: what comes in, for those who have the token of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from gql.transport.exceptions import TransportQueryError

from models.flash import FlashConnection, SocketState
from models.instants import Clock
from services.flash import documents
from services.flash.answers import AUTH, first_error, listed_errors
from services.flash.pace import Need, Pace
from services.flash.socket import Socket, SocketHealth
from services.points import Watch, unwatched

LIMITED_PAUSE_S = 300.0  # before a refused token is tried again
# Flash allows ten sockets from one address; there is a public one, and somebody may look in.
ACCOUNTS_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class AccountListeners:
    """Who takes what one account hears."""

    incoming: Callable[[str], Awaitable[None]]
    changed: Callable[[], None]
    catch_up: Callable[[], Awaitable[None]]


class AccountSocket:
    """Is open while there is a token, and one of the process's few places for it."""

    def __init__(
        self,
        connection: FlashConnection,
        clock: Clock,
        handshakes: Pace,
        places: asyncio.Semaphore,
        listeners: AccountListeners,
        watch: Watch = unwatched,
    ) -> None:
        self.health = SocketHealth("account", limited=connection.token is None or places.locked())
        self._token = connection.token
        self._places = places
        self._listeners = listeners
        url = connection.ws_url
        self._socket = Socket(self.health, url, clock, handshakes, listeners.changed, watch)

    async def run(self) -> None:
        """Keep the account's socket open for ever; without a token there is none."""
        if self._token is None:
            return
        async with self._places:
            await self._socket.keep(Need.LOOK_UP, self._token, self._serve)

    async def _serve(self, session: Any) -> None:
        try:
            await self._take_updates(session)
        except TransportQueryError as error:
            # Flash acknowledges any token; only here does it say that one is not good.
            code, _ = first_error(listed_errors(error.errors))
            self.health.last_error = code
            self.health.limited = code in AUTH
        if self.health.limited:
            self._socket.become(SocketState.CUT_OFF)
            await asyncio.sleep(LIMITED_PAUSE_S)

    async def _take_updates(self, session: Any) -> None:
        async for result in self._socket.messages(session, documents.WATCH_UPDATES):
            updates = (result.data or {}).get("myUpdates") or {}
            if self.health.state is not SocketState.LIVE:
                self.health.limited = False
                await self._listeners.catch_up()
                self._socket.become(SocketState.LIVE)
            update = updates.get("update") or {}
            if update.get("__typename") == "LnUpdate" and update.get("status") == "PAID":
                await self._listeners.incoming(str(update.get("paymentHash")))
