"""What all wallets share of the way to Flash: it counts requests and sockets by their address."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from models.errors import ServiceError
from models.events import WalletChanged
from models.flash import FlashConnection, InvoiceStatus
from models.payout import SightingSource
from services.flash.account_socket import ACCOUNTS_MOST, AccountListeners, AccountSocket
from services.flash.pace import Pace
from services.flash.public_socket import PublicListeners, PublicSocket
from services.flash.socket import REQUESTS_A_HANDSHAKE

if TYPE_CHECKING:
    from app.container import Container
    from services.wallet_worker import WalletWorker

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FlashAddress:
    """The requests, handshakes and sockets of one process, and its public socket."""

    pace: Pace
    handshakes: Pace
    places: asyncio.Semaphore
    public: PublicSocket


def open_address(container: Container) -> FlashAddress:
    """Return what the wallets are going to share; nothing is asked yet."""
    clock = asyncio.get_running_loop().time
    per_minute = container.settings.flash_requests_per_minute
    handshakes = Pace(max(1, per_minute // REQUESTS_A_HANDSHAKE), clock)
    everyone = _Everyone(container)
    public = container.wires.public_socket(
        container.settings.flash_ws_url,
        container.clock,
        handshakes,
        PublicListeners(everyone.status, container.rates.put, everyone.changed, everyone.catch_up),
        container.wires.watch,
    )
    return FlashAddress(
        Pace(per_minute, clock), handshakes, asyncio.Semaphore(ACCOUNTS_MOST), public
    )


def open_account(
    container: Container,
    address: FlashAddress,
    connection: FlashConnection,
    worker: WalletWorker,
) -> AccountSocket:
    """Return the socket of one store's account."""

    def changed() -> None:
        container.hub.publish([WalletChanged(worker.store_id, worker.store_id)])

    async def incoming(payment_hash: str) -> None:
        # Ours too, if we paid between own wallets.
        await _sight(container, payment_hash, InvoiceStatus.PAID)

    return container.wires.account_socket(
        connection,
        container.clock,
        address.handshakes,
        address.places,
        AccountListeners(incoming, changed, worker.catch_up),
        container.wires.watch,
    )


class _Everyone:
    """Hands what the public socket hears to tracking, and to all who are connected."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def status(self, payment_hash: str, status: InvoiceStatus) -> None:
        """Take the status of a payout's invoice as a sighting."""
        if status is not InvoiceStatus.PENDING:
            await _sight(self._container, payment_hash, status)

    def changed(self) -> None:
        """Tell the screens that the connection changed."""
        stores = list(self._container.connected)
        self._container.hub.publish([WalletChanged(each, each) for each in stores])

    async def catch_up(self) -> None:
        """Look at everything open again: what happened in the gap was not told."""
        for connected in list(self._container.connected.values()):
            await connected.worker.catch_up()


async def _sight(container: Container, payment_hash: str, status: InvoiceStatus) -> None:
    try:
        await container.tracking.take_status(payment_hash, status, SightingSource.SOCKET)
    except ServiceError as error:
        # A hint that cannot be kept is not lost: the workers ask for themselves.
        _log.warning("flash.sighting_not_kept", code=error.code)
        for connected in list(container.connected.values()):
            await connected.worker.catch_up()
