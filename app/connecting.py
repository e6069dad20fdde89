"""Which stores are connected to Flash: by the operator's environment, or by what owners entered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from models.events import WalletChanged
from models.flash import ENVIRONMENT, FlashConnection
from models.store import Store

if TYPE_CHECKING:
    from app.container import Container

_log = structlog.get_logger(__name__)

LOOK_S = 1.0
_LOOPS = ("worker", "socket", "account socket", "wake")

Connect = Callable[["Container", Store, FlashConnection, str], Awaitable[object]]


async def keep_connected(container: Container, connect: Connect) -> None:
    """Connect stores as soon as there is a credential, and let go of those without."""
    while True:
        # Cleared before the look: what changes meanwhile is looked at again.
        container.connections.changed.clear()
        await look(container, connect)
        try:
            async with asyncio.timeout(LOOK_S):
                await container.connections.changed.wait()
        except TimeoutError:
            pass


async def look(container: Container, connect: Connect) -> None:
    """Compare what is connected with what should be, once."""
    stores = {store.id: store for store in await container.stores.all()}
    kept = {each.store_id: each for each in await container.connections.all()}
    operators = operators_store(container, list(stores.values()))
    wanted = {store_id: each.id for store_id, each in kept.items()}
    if operators is not None:
        wanted[operators.id] = ENVIRONMENT
    for store_id, connected in list(container.connected.items()):
        if wanted.get(store_id) != connected.id:
            await disconnect(container, store_id)
    for store_id, wanted_id in wanted.items():
        if store_id in container.connected or store_id not in stores:
            continue
        await container.stores.load_keys()
        connection = container.settings.flash
        if wanted_id != ENVIRONMENT or connection is None:
            try:
                connection = container.connections.open(kept[store_id])
            except ValueError:  # the other stores' wallets must not wait for this one's
                _log.exception("flash.credential_not_opened", store_id=store_id)
                continue
        await connect(container, stores[store_id], connection, wanted_id)


def operators_store(container: Container, stores: list[Store]) -> Store | None:
    """Return the store that the environment connects, if it holds a credential."""
    if container.settings.flash is None:
        return None
    wanted = container.settings.flash_store
    found = (store for store in stores if (store.id == wanted if wanted else store.is_first))
    return next(found, None)


async def disconnect(container: Container, store_id: str) -> None:
    """End the worker and the sockets of a store; a send on the wire is looked up later."""
    await container.supervisor.end(*(f"{loop} {store_id}" for loop in _LOOPS))
    connected = container.connected.pop(store_id)
    await connected.worker.tools.client.close()
    _log.info("flash.disconnected", store_id=store_id)
    container.hub.publish([WalletChanged(store_id, store_id)])
