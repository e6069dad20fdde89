"""What is done with what arrives on the socket to Flash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from models.errors import ServiceError
from models.events import WalletChanged
from models.flash import InvoiceStatus
from models.money import Rate
from models.payout import SightingSource

if TYPE_CHECKING:
    from app.container import Container
    from services.wallet_worker import WalletWorker

_log = structlog.get_logger(__name__)


class FlashListeners:
    """Hands what arrives on the socket to tracking, rates and the worker."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.worker: WalletWorker | None = None

    async def status(self, payment_hash: str, status: InvoiceStatus) -> None:
        """Take the status of a payout's invoice as a sighting."""
        if status is InvoiceStatus.PENDING:
            return
        await self._sight(payment_hash, status)

    def price(self, rate: Rate) -> None:
        """Take a price."""
        self._container.rates.put(rate)

    def changed(self) -> None:
        """Tell the screens that the connection changed."""
        if self.worker is not None:
            store_id = self.worker.store_id
            self._container.hub.publish([WalletChanged(store_id, store_id)])

    async def incoming(self, payment_hash: str) -> None:
        """An invoice of the account itself was paid: ours, if we paid between own wallets."""
        await self._sight(payment_hash, InvoiceStatus.PAID)

    async def _sight(self, payment_hash: str, status: InvoiceStatus) -> None:
        try:
            await self._container.tracking.take_status(payment_hash, status, SightingSource.SOCKET)
        except ServiceError as error:
            # A hint that cannot be kept is not lost: the worker asks for itself.
            _log.warning("flash.sighting_not_kept", code=error.code)
            if self.worker is not None:
                await self.worker.catch_up()

    async def catch_up(self) -> None:
        """Look at everything open again: what happened in the gap was not told."""
        if self.worker is not None:
            await self.worker.catch_up()
