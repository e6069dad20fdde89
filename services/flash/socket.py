"""The live connection to Flash: prices, the status of payouts' invoices, incoming payments.

The library's own reconnecting is not used: after every reconnect there is a catch-up to do, and
Flash allows few handshakes a minute. What arrives is a hint or a sighting, handed to callbacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import WebSocketException

from models.flash import FlashConnection, InvoiceStatus, SocketState
from models.instants import Clock
from models.money import Rate
from services.flash import documents
from services.flash.answers import AUTH, first_error
from services.flash.client import CAPABILITIES
from services.flash.invoice_status import read_status
from services.flash.price import read_price
from services.points import Watch, unwatched

_log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
# Flash allows ten handshakes a minute from one address; two sockets share that.
BACKOFF_S = (1.0, 3.0, 8.0, 15.0, 30.0)
PING_INTERVAL_S = 15.0
STEADY = timedelta(seconds=60)
LIMITED_PAUSE_S = 300.0  # before a refused token is tried again
WATCH_LIMIT = 500  # invoices watched at once; further ones are asked about instead


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


@dataclass(slots=True)
class Listeners:
    """Who takes what arrives on a socket."""

    status: Callable[[str, InvoiceStatus], Awaitable[None]]
    price: Callable[[Rate], None]
    incoming: Callable[[str], Awaitable[None]]
    changed: Callable[[], None]
    catch_up: Callable[[], Awaitable[None]]


class FlashSocket:
    """An anonymous socket for prices and invoices, and one for the account if there is a token."""

    def __init__(
        self,
        connection: FlashConnection,
        currency: str,
        clock: Clock,
        listeners: Listeners,
        watch: Watch = unwatched,
    ) -> None:
        self._connection = connection
        self._currency = currency
        self._clock = clock
        self._listeners = listeners
        self._watch = watch
        self._invoices: dict[str, str] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._new_watch = asyncio.Event()
        self.public = SocketHealth("prices and invoices")
        self.account = SocketHealth("account", limited=connection.token is None)

    @property
    def state(self) -> SocketState:
        """Return the state of the socket that carries payouts' invoices."""
        return self.public.state

    def watch(self, payment_hash: str, invoice: str) -> None:
        """Watch the status of an invoice until it is dropped; beyond the limit, do nothing."""
        if payment_hash not in self._invoices and len(self._invoices) < WATCH_LIMIT:
            self._invoices[payment_hash] = invoice
            self._new_watch.set()

    def drop(self, payment_hash: str) -> None:
        """Stop watching an invoice."""
        self._invoices.pop(payment_hash, None)
        task = self._watching.pop(payment_hash, None)
        if task is not None:
            task.cancel()

    async def run_public(self) -> None:
        """Keep the anonymous socket open for ever."""
        await self._keep(self.public, {}, self._serve_public)

    async def run_account(self) -> None:
        """Keep the account's socket open for ever; without a token there is none."""
        if self._connection.token is None:
            return
        payload = {"Authorization": f"Bearer {self._connection.token}"}
        await self._keep(self.account, payload, self._serve_account)

    async def _keep(
        self,
        health: SocketHealth,
        init_payload: dict[str, str],
        serve: Callable[[SocketHealth, Any], Awaitable[None]],
    ) -> None:
        failures = 0
        while True:
            transport = WebsocketsTransport(
                self._connection.ws_url,
                headers=CAPABILITIES,
                init_payload=init_payload | CAPABILITIES,
                connect_timeout=CONNECT_TIMEOUT_S,
                ack_timeout=CONNECT_TIMEOUT_S,
                close_timeout=1,
                connect_args={"ping_interval": PING_INTERVAL_S, "ping_timeout": PING_INTERVAL_S},
                subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            )
            client = Client(transport=transport, fetch_schema_from_transport=False)
            point = f"wire:socket {health.name}"
            try:
                self._watch(f"{point}:before")
                session = await client.connect_async(reconnecting=False)  # type: ignore[no-untyped-call]
                _leave_if_cancelled()
                self._watch(f"{point}:after")
                health.connects += 1
                health.since = self._clock.utc_now()
                self._become(health, SocketState.CATCHING_UP)
                await serve(health, session)
            except (TransportError, WebSocketException, OSError, TimeoutError) as error:
                health.last_error = type(error).__name__
            finally:
                self._become(health, SocketState.CUT_OFF)
                with suppress(Exception):  # closing a broken socket may fail; it is gone anyway
                    await client.close_async()  # type: ignore[no-untyped-call]
            _leave_if_cancelled()
            if health.since is not None and self._clock.utc_now() - health.since > STEADY:
                failures = 0  # it held for a while: this is a new trouble, not the old one
            _log.info("flash.socket_lost", socket=health.name, error=health.last_error)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1

    def _become(self, health: SocketHealth, state: SocketState) -> None:
        if health.state is not state:
            health.state = state
            self._listeners.changed()

    async def _serve_public(self, health: SocketHealth, session: Any) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                price = documents.with_input(documents.WATCH_PRICE, currency=self._currency)
                group.create_task(self._take_prices(health, session, price))
                group.create_task(self._take_statuses(health, session, group))
                await self._listeners.catch_up()
                self._become(health, SocketState.LIVE)
                # Only here, not at its end, does a group take back the cancellation it works by.
                await asyncio.Event().wait()
        except* (TransportError, WebSocketException, OSError) as errors:
            health.last_error = type(errors.exceptions[0]).__name__

    async def _take_prices(
        self, health: SocketHealth, session: Any, request: GraphQLRequest
    ) -> None:
        async for result in self._messages(health, session, request):
            payload = ((result.data or {}).get("realtimePrice") or {}).get("realtimePrice")
            rate = read_price(payload, self._currency)
            if rate is not None:
                self._listeners.price(rate)
        msg = "the price subscription ended"
        raise TransportError(msg)

    async def _take_statuses(
        self, health: SocketHealth, session: Any, group: asyncio.TaskGroup
    ) -> None:
        self._watching.clear()
        while True:
            self._new_watch.clear()
            for payment_hash, invoice in self._invoices.items():
                if payment_hash not in self._watching:
                    self._watching[payment_hash] = group.create_task(
                        self._take_status(health, session, payment_hash, invoice)
                    )
            await self._new_watch.wait()

    async def _take_status(
        self, health: SocketHealth, session: Any, payment_hash: str, invoice: str
    ) -> None:
        request = documents.with_input(documents.WATCH_STATUS, paymentRequest=invoice)
        try:
            async for result in self._messages(health, session, request):
                status = read_status((result.data or {}).get("lnInvoicePaymentStatus"))
                if status is not None:
                    await self._listeners.status(payment_hash, status)
        except TransportQueryError:
            # This one invoice cannot be watched; the worker goes on asking about it.
            _log.info("flash.invoice_not_watched")

    async def _serve_account(self, health: SocketHealth, session: Any) -> None:
        try:
            await self._take_updates(health, session)
        except TransportQueryError as error:
            # Flash acknowledges any token; only here does it say that one is not good.
            code, _ = first_error(error.errors or ())
            health.last_error = code
            health.limited = code in AUTH
        if health.limited:
            self._become(health, SocketState.CUT_OFF)
            await asyncio.sleep(LIMITED_PAUSE_S)

    async def _take_updates(self, health: SocketHealth, session: Any) -> None:
        async for result in self._messages(health, session, documents.WATCH_UPDATES):
            updates = (result.data or {}).get("myUpdates") or {}
            if health.state is not SocketState.LIVE:
                health.limited = False
                await self._listeners.catch_up()
                self._become(health, SocketState.LIVE)
            update = updates.get("update") or {}
            if update.get("__typename") == "LnUpdate" and update.get("status") == "PAID":
                await self._listeners.incoming(str(update.get("paymentHash")))

    async def _messages(
        self, health: SocketHealth, session: Any, request: GraphQLRequest
    ) -> AsyncIterator[Any]:
        async for result in session.subscribe(request, get_execution_result=True):
            health.last_message_at = self._clock.utc_now()
            self._watch(f"wire:{documents.name_of(request)}:told")
            yield result


def _leave_if_cancelled() -> None:
    """Raise CancelledError in a task that was asked to end and whose request got lost.

    A wait with a time limit that is over in the same moment swallows it; a task group that is
    cancelled while one of its tasks fails raises the failure only.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
