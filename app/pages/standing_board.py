"""How a store stands: its wallet, what waits for a person, its connection to Flash.

The frame shows it on every page, whatever else a page looks at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from app.container import Container
from app.pages.connection import connection_of
from components.prepared import Prepared
from models.attention import Attention, Need, needs_of
from models.connection import Connection
from models.errors import UnavailableError
from models.events import WalletChanged
from models.flash import SocketState
from models.standing import WalletStanding
from models.store import Store
from models.wallet import Wallet

FUNDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a frame shows of a store; `trouble` says why it could not be read anew."""

    wallet: Wallet
    attention: Attention
    socket: SocketState
    funds: WalletStanding
    connection: Connection | None
    needs: tuple[Need, ...]
    trouble: str | None = None
    prepared: Prepared = field(default_factory=Prepared, compare=False)


class StandingReader:
    """Reads how a store stands; the sums at most once a second."""

    def __init__(self, container: Container, store: Store, every_s: float = FUNDS_S) -> None:
        self._container = container
        self._store = store
        self._every_s = every_s
        self._funds_read_at = 0.0
        self._reads_later = False

    async def read(self, before: Standing | None) -> Standing:
        """Return how it is now; if nothing can be read, how it was, and why."""
        try:
            return await self._read(before)
        except UnavailableError as error:
            if before is None:
                raise
            return replace(before, trouble=error.message, prepared=Prepared())

    async def _read(self, before: Standing | None) -> Standing:
        container, store_id = self._container, self._store.id
        wallet = await container.wallets.read(store_id)
        attention = await container.figures.attention(store_id)
        funds = await self._read_funds(None if before is None else before.funds)
        connection = connection_of(container, wallet)
        return Standing(
            wallet=wallet,
            attention=attention,
            socket=container.socket_state(store_id),
            funds=funds,
            connection=connection,
            needs=needs_of(attention, wallet, funds, connection),
        )

    async def _read_funds(self, before: WalletStanding | None) -> WalletStanding:
        loop = asyncio.get_running_loop()
        if before is not None and loop.time() - self._funds_read_at < self._every_s:
            # The last change of a burst must not wait for the slow poll.
            if not self._reads_later:
                self._reads_later = True
                loop.call_later(self._every_s, self._hint)
            return before
        self._funds_read_at = loop.time()
        return await self._container.standings.read(self._store)

    def _hint(self) -> None:
        self._reads_later = False
        self._container.hub.publish([WalletChanged(self._store.id, self._store.id)])
