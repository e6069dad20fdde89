"""Which stores are connected to Flash: by the operator's environment, or by what owners entered."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from app.flash_address import open_account
from models.errors import GatewayError
from models.events import WalletChanged
from models.flash import ENVIRONMENT, FlashConnection
from models.store import DatabaseKind, Store
from services.flash.account_socket import AccountSocket
from services.flash.client import FlashClient
from services.flash.pace import Pace
from services.flash.status_batch import StatusBatch
from services.sender import Tools
from services.storage import store as store_storage
from services.wallet_worker import WalletWorker

if TYPE_CHECKING:
    from app.container import Container

_log = structlog.get_logger(__name__)

LOOK_S = 1.0
FLASH_LOOK_S = 2.0
# With the three seconds that open requests have, well within what a service manager waits.
DRAIN_S = 8.0
_LOOPS = ("worker", "account socket", "wake")


@dataclass(slots=True)
class Connected:
    """What runs for a store that is connected to Flash."""

    worker: WalletWorker
    account: AccountSocket
    pace: Pace
    # Of which credential: the environment's, or one that is kept.
    id: str


async def keep_connected(container: Container) -> None:
    """Connect stores as soon as there is a credential, and let go of those without."""
    while True:
        # Cleared before the look: what changes meanwhile is looked at again.
        container.connections.changed.clear()
        await look(container)
        try:
            async with asyncio.timeout(LOOK_S):
                await container.connections.changed.wait()
        except TimeoutError:
            pass


async def look(container: Container) -> None:
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


async def drain(container: Container) -> None:
    """Have every worker begin nothing more and take the answers that are under way."""
    workers = [connected.worker for connected in container.connected.values()]
    await asyncio.gather(*(worker.drain(DRAIN_S) for worker in workers))


async def disconnect(container: Container, store_id: str) -> None:
    """End the worker and the sockets of a store; a send that takes long is looked up later."""
    await container.connected[store_id].worker.drain(DRAIN_S)
    await container.supervisor.end(*(f"{loop} {store_id}" for loop in _LOOPS))
    connected = container.connected.pop(store_id)
    await connected.worker.tools.client.close()
    if container.address is not None:
        container.address.public.unwant(connected.worker.currency)
    _log.info("flash.disconnected", store_id=store_id)
    container.hub.publish([WalletChanged(store_id, store_id)])


async def _settle_kind(container: Container, client: FlashClient) -> None:
    """Let a database that has paid nothing yet take the kind of the server it first meets."""
    while True:
        try:
            await client.fetch_price("USD")
        except GatewayError as error:
            if not client.has_answered:
                _log.warning("flash.unreachable", detail=error.message)
                await asyncio.sleep(FLASH_LOOK_S)
                continue
        break
    met = DatabaseKind.DEMO if client.is_sandbox else DatabaseKind.REAL
    if met is container.kind:
        return
    now = container.clock.utc_now()
    is_so = await container.database.write(store_storage.become_kind, met, now)
    # Another instance may have met the server first, and have paid since.
    if is_so or await container.database.read(store_storage.read_kind) is met:
        container.kind = met
        _log.warning("database.kind", kind=met)


async def connect(
    container: Container, store: Store, connection: FlashConnection, connection_id: str
) -> Connected:
    """Start the worker and the sockets of a store."""
    address = container.address
    assert address is not None, "stores are connected while the service runs"
    pace = address.pace.beside()
    client = container.wires.client(connection, container.wires.watch)
    await client.open()
    try:
        await _settle_kind(container, client)
    except BaseException:
        await client.close()
        raise
    tools = Tools(
        database=container.database,
        vault=container.vault,
        clock=container.clock,
        tracking=container.tracking,
        rates=container.rates,
        client=client,
        socket=address.public,
        pace=pace,
        statuses=StatusBatch(client, pace),
        resolver=container.engine.resolver,
        bookkeeper=container.engine.bookkeeper(
            container.database, container.clock, client, pace, container.tracking
        ),
        is_allowed_server=partial(_may_pay_through, container),
        before_send=container.engine.epochs.advance,
    )
    owner = f"{os.getpid()}-{container.ids.new('wk')}"
    worker = WalletWorker(store.id, store.currency, owner, tools, connection_id)
    account = open_account(container, address, connection, worker)
    connected = Connected(worker, account, pace, connection_id)
    container.connected[store.id] = connected
    address.public.want(store.currency)
    for name, loop in (
        ("worker", worker.run),
        ("account socket", account.run),
        ("wake", partial(_wake_worker, container, worker)),
    ):
        container.supervisor.start(f"{name} {store.id}", loop)
    return connected


def _may_pay_through(container: Container, is_sandbox: bool) -> bool:
    """A demo pays through nothing but its sandbox; a real database never through one."""
    return is_sandbox is (container.kind is DatabaseKind.DEMO)


async def _wake_worker(container: Container, worker: WalletWorker) -> None:
    with container.hub.listen_store(worker.store_id) as changes:
        while True:
            worker.told(await changes.wait())
            if changes.take_overflow():
                worker.wake.set()
