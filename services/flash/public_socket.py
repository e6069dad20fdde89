"""The one anonymous socket of a process: prices, and the status of every payout's invoice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from gql.transport.exceptions import TransportError, TransportQueryError
from websockets.exceptions import WebSocketException

from models.flash import InvoiceStatus, SocketState
from models.instants import Clock
from models.money import Rate
from services.flash import documents
from services.flash.invoice_status import read_status
from services.flash.pace import Need, Pace
from services.flash.price import read_price
from services.flash.socket import Socket, SocketHealth
from services.points import Watch, unwatched

_log = structlog.get_logger(__name__)

WATCH_LIMIT: Final = 500  # invoices watched at once; further ones are asked about instead


@dataclass(frozen=True, slots=True)
class PublicListeners:
    """Who takes what everybody may hear."""

    status: Callable[[str, InvoiceStatus], Awaitable[None]]
    price: Callable[[Rate], None]
    changed: Callable[[], None]
    catch_up: Callable[[], Awaitable[None]]


class PublicSocket:
    """Is open while anybody wants a price; all stores share it."""

    def __init__(
        self,
        ws_url: str,
        clock: Clock,
        handshakes: Pace,
        listeners: PublicListeners,
        watch: Watch = unwatched,
    ) -> None:
        self.health = SocketHealth("prices and invoices")
        self._listeners = listeners
        self._socket = Socket(self.health, ws_url, clock, handshakes, listeners.changed, watch)
        self._currencies: Counter[str] = Counter()
        self._invoices: dict[str, str] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._wanted = asyncio.Event()

    def want(self, currency: str) -> None:
        """Have the price in a currency told, until it is wanted no more."""
        self._currencies[currency] += 1
        self._wanted.set()

    def unwant(self, currency: str) -> None:
        """Take back one wish for a price."""
        self._currencies[currency] -= 1
        if self._currencies[currency] <= 0:
            del self._currencies[currency]
            self._forget(currency)

    def watch(self, payment_hash: str, invoice: str) -> None:
        """Watch the status of an invoice until it is dropped; beyond the limit, do nothing."""
        if payment_hash not in self._invoices and len(self._invoices) < WATCH_LIMIT:
            self._invoices[payment_hash] = invoice
            self._wanted.set()

    def drop(self, payment_hash: str) -> None:
        """Stop watching an invoice."""
        self._invoices.pop(payment_hash, None)
        self._forget(payment_hash)

    async def run(self) -> None:
        """Keep the socket open for ever, from when the first price is wanted."""
        while not self._currencies:
            self._wanted.clear()
            await self._wanted.wait()
        await self._socket.keep(Need.SEND, None, self._serve)

    def _forget(self, name: str) -> None:
        task = self._following.pop(name, None)
        if task is not None:
            task.cancel()

    async def _serve(self, session: Any) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(session, group))
                await self._listeners.catch_up()
                self._socket.become(SocketState.LIVE)
                # Only here, not at its end, does a group take back the cancellation it works by.
                await asyncio.Event().wait()
        except* (TransportError, WebSocketException, OSError) as errors:
            self.health.last_error = type(errors.exceptions[0]).__name__

    async def _follow(self, session: Any, group: asyncio.TaskGroup) -> None:
        """Subscribe to whatever is wanted and not followed yet."""
        self._following.clear()
        while True:
            self._wanted.clear()
            for currency in self._currencies:
                if currency not in self._following:
                    prices = self._take_prices(session, currency)
                    self._following[currency] = group.create_task(prices)
            for payment_hash, invoice in self._invoices.items():
                if payment_hash not in self._following:
                    statuses = self._take_statuses(session, payment_hash, invoice)
                    self._following[payment_hash] = group.create_task(statuses)
            await self._wanted.wait()

    async def _take_prices(self, session: Any, currency: str) -> None:
        request = documents.with_input(documents.WATCH_PRICE, currency=currency)
        async for result in self._socket.messages(session, request):
            payload = ((result.data or {}).get("realtimePrice") or {}).get("realtimePrice")
            rate = read_price(payload, currency)
            if rate is not None:
                self._listeners.price(rate)
        msg = "the price subscription ended"
        raise TransportError(msg)

    async def _take_statuses(self, session: Any, payment_hash: str, invoice: str) -> None:
        request = documents.with_input(documents.WATCH_STATUS, paymentRequest=invoice)
        try:
            async for result in self._socket.messages(session, request):
                status = read_status((result.data or {}).get("lnInvoicePaymentStatus"))
                if status is not None:
                    await self._listeners.status(payment_hash, status)
        except TransportQueryError:
            # This one invoice cannot be watched; the worker goes on asking about it.
            _log.info("flash.invoice_not_watched")
