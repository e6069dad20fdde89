"""How a store is connected to Flash: its sockets, its worker and its pace, as screens show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.flash import SocketState


@dataclass(frozen=True, slots=True)
class SocketSign:
    """How one socket is doing; a limited one has no right to more, which is no error."""

    name: str
    state: SocketState
    limited: bool
    connects: int
    since: datetime | None
    last_message_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    """What of a store's connection is worth a look; `paused_s` is how long Flash said to wait."""

    sockets: tuple[SocketSign, ...]
    connected: bool
    away_since: datetime | None
    last_error: str | None
    holds_lease: bool
    lease_until: datetime | None
    working_on: int
    waiting: int
    free_requests: int
    requests_per_minute: int
    paused_s: int
    is_refused: bool = False
