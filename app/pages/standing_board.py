"""How a store stands: its wallet, what waits for a person, its connection to Flash.

The frame shows it on every page, whatever else a page looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.container import Container
from models.attention import Attention
from models.flash import SocketState
from models.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Standing:
    """What a frame shows of a store."""

    wallet: Wallet
    attention: Attention
    socket: SocketState


class StandingReader:
    """Reads how a store stands."""

    def __init__(self, container: Container, store_id: str) -> None:
        self._container = container
        self._store_id = store_id

    async def read(self, _before: Standing | None) -> Standing:
        """Return how it is now."""
        container, store_id = self._container, self._store_id
        return Standing(
            wallet=await container.wallets.read(store_id),
            attention=await container.figures.attention(store_id),
            socket=container.socket_state(store_id),
        )
