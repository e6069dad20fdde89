"""What the workers of connected stores can tell others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from services.bookkeeper import Bookkeeper
from services.wallet_worker import WalletWorker


class Working(Protocol):
    """A store that is connected."""

    @property
    def worker(self) -> WalletWorker:
        """Return its worker."""
        ...


class Workers:
    """Answers for the worker of a store, if this instance has one."""

    def __init__(self, connected: Mapping[str, Working]) -> None:
        self._connected = connected

    def expected_wait_s(self, store_id: str) -> float | None:
        """Return how long a new payout would wait, or nothing if none can be sent at all."""
        connected = self._connected.get(store_id)
        return None if connected is None else connected.worker.expected_wait_s()

    def bookkeeper(self, store_id: str) -> Bookkeeper | None:
        """Return what keeps the books of the wallet, if it is this instance that works for it."""
        connected = self._connected.get(store_id)
        if connected is None or not connected.worker.health.connected:
            return None
        return connected.worker.tools.bookkeeper
