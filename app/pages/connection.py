"""What a store's worker, sockets and pace say of themselves, gathered for the screens."""

from __future__ import annotations

from app.container import Container
from models.connection import Connection, SocketSign
from models.wallet import Wallet
from services.flash.socket import SocketHealth


def connection_of(container: Container, wallet: Wallet) -> Connection | None:
    """Return how a store is connected to Flash; nothing if it is not meant to be."""
    connected = container.connected.get(wallet.store_id)
    if connected is None or container.address is None:
        return None
    health, public = connected.worker.health, container.address.public.health
    return Connection(
        sockets=(_sign(public), _sign(connected.account.health)),
        connected=health.connected,
        away_since=health.away_since,
        last_error=health.last_error,
        is_refused=health.is_refused,
        holds_lease=health.holds_lease,
        lease_until=wallet.lease_until,
        working_on=health.working_on,
        waiting=health.waiting,
        free_requests=connected.pace.free,
        requests_per_minute=container.settings.flash_requests_per_minute,
        paused_s=int(connected.pace.wait_s(0)),
    )


def _sign(health: SocketHealth) -> SocketSign:
    return SocketSign(
        name=health.name,
        state=health.state,
        limited=health.limited,
        connects=health.connects,
        since=health.since,
        last_message_at=health.last_message_at,
        last_error=health.last_error,
    )
