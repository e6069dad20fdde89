"""The one composition root: builds every service and keeps the background loops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from app.connecting import keep_connected
from app.doors import Doors, build_doors
from app.engine import Engine, build_engine
from app.flash_listeners import FlashListeners
from app.loop_lag import LoopLag
from app.settings import Settings
from app.wires import Wires
from app.workers import Workers
from models.errors import GatewayError, SettingError, UnavailableError
from models.flash import FlashConnection, SocketState
from models.ids import Ids
from models.instants import Clock
from models.migrations import run as migrations
from models.store import DatabaseKind, Store
from services.boltcards import Boltcards
from services.books import Books
from services.card_links import CardLinks
from services.card_views import CardViews
from services.choices import Choices
from services.clock import SystemClock
from services.connections import Connections
from services.database import Database, sqlite_path
from services.exports import Exports
from services.figures import Figures
from services.flash.client import FlashClient
from services.flash.pace import Pace
from services.flash.socket import FlashSocket, Listeners
from services.flash.status_batch import StatusBatch
from services.housekeeping import Housekeeping
from services.hub import Hub
from services.payout_details import PayoutDetails
from services.payouts import Payouts
from services.points import Watch, unwatched
from services.pull_payments import PullPayments
from services.rates import Rates
from services.relay import Relay
from services.reports import Reports
from services.saved_views import SavedViews
from services.sender import Tools
from services.standing import Standings
from services.storage import store as store_storage
from services.stores import Stores
from services.supervisor import Supervisor
from services.tracking import Tracking
from services.vault import Vault, load_master_key
from services.wallet_worker import WalletWorker
from services.wallets import Wallets
from services.withdrawals import Withdrawals

_log = structlog.get_logger(__name__)

STORE_LOOK_S = 1.0
FLASH_LOOK_S = 2.0


@dataclass(slots=True)
class Connected:
    """What runs for a store that is connected to Flash."""

    worker: WalletWorker
    socket: FlashSocket
    pace: Pace
    # Of which credential: the environment's, or one that is kept.
    id: str


@dataclass(slots=True)
class Container:
    """Everything that pages, routes and commands are handed."""

    settings: Settings
    kind: DatabaseKind
    clock: Clock
    ids: Ids
    vault: Vault
    database: Database
    hub: Hub
    rates: Rates
    supervisor: Supervisor
    tracking: Tracking
    stores: Stores
    pull_payments: PullPayments
    boltcards: Boltcards
    card_links: CardLinks
    card_views: CardViews
    withdrawals: Withdrawals
    payouts: Payouts
    figures: Figures
    choices: Choices
    saved_views: SavedViews
    reports: Reports
    exports: Exports
    wallets: Wallets
    standings: Standings
    books: Books
    details: PayoutDetails
    engine: Engine
    doors: Doors
    connections: Connections
    lag: LoopLag
    relay: Relay | None
    wires: Wires
    connected: dict[str, Connected] = field(default_factory=dict)
    # Flash counts requests by address, whichever wallet they are for.
    pace: Pace | None = None

    def socket_state(self, store_id: str) -> SocketState:
        """Return how a store's live connection to Flash is."""
        connected = self.connected.get(store_id)
        return SocketState.CUT_OFF if connected is None else connected.socket.state


def build(
    settings: Settings, kind: DatabaseKind, clock: Clock | None = None, watch: Watch = unwatched
) -> Container:
    """Build the services on a database that has its schema; a watch may end it at any point.

    Raises:
        SettingError: The master key is missing or unsafe, or the database is of the other kind.
    """
    return build_by(Wires(watch=watch), settings, kind, clock or SystemClock())


def build_by(wires: Wires, settings: Settings, kind: DatabaseKind, clock: Clock) -> Container:
    """Build the services that reach the world outside by these wires.

    Raises:
        SettingError: The master key is missing or unsafe, or the database is of the other kind.
    """
    ids = Ids(clock, wires.randomness)
    vault = _open_vault(settings)
    database = wires.database(settings.database, wires.watch)
    hub, rates = Hub(), Rates(clock)
    relay = None if database.dialect == "sqlite" else wires.relay(settings.database, hub)
    database.listen(hub.publish if relay is None else relay.told)
    boltcards = Boltcards(database, vault, clock, ids)
    connected: dict[str, Connected] = {}
    workers = Workers(connected)
    payouts = Payouts(database, vault, clock, boltcards)
    figures = Figures(database, clock, boltcards)
    database_parts = (database, vault, clock, ids)
    stores = Stores(*database_parts)
    tracking = Tracking(*database_parts)
    return Container(
        settings=settings,
        kind=kind,
        clock=clock,
        ids=ids,
        vault=vault,
        database=database,
        hub=hub,
        rates=rates,
        supervisor=Supervisor(clock),
        tracking=tracking,
        stores=stores,
        pull_payments=PullPayments(*database_parts),
        boltcards=boltcards,
        card_links=CardLinks(database, clock, ids, boltcards),
        card_views=CardViews(database, clock, boltcards),
        withdrawals=Withdrawals(
            *database_parts, hub=hub, rates=rates, expected_wait_s=workers.expected_wait_s
        ),
        payouts=payouts,
        figures=figures,
        choices=Choices(database, boltcards),
        saved_views=SavedViews(database, clock, ids),
        reports=Reports(database, boltcards),
        exports=Exports(database, vault, clock, boltcards, figures, settings.data_dir),
        wallets=Wallets(database, clock),
        standings=Standings(database, clock, rates),
        books=Books(database, clock),
        details=PayoutDetails(database, payouts),
        engine=build_engine(settings, *database_parts, rates, tracking, workers, wires=wires),
        doors=build_doors(*database_parts, stores),
        connections=Connections(*database_parts, (settings.flash_api_url, settings.flash_ws_url)),
        lag=LoopLag(),
        relay=relay,
        wires=wires,
        connected=connected,
    )


def _open_vault(settings: Settings) -> Vault:
    # Without a store nothing is sealed yet, so a new master key does no harm.
    is_fresh = migrations.is_without_stores(settings.database)
    return Vault(load_master_key(settings.key_file, may_create=is_fresh))


def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    if settings.database.startswith("sqlite:"):
        _make_folder(settings)
    migrations.upgrade(settings.database)


def prepare(settings: Settings) -> None:
    """Migrate an embedded SQLite; refuse a PostgreSQL with an old schema.

    Raises:
        UnavailableError: The PostgreSQL schema is not the newest.
    """
    if settings.database.startswith("sqlite:"):
        migrate(settings)
        return
    found = migrations.current(settings.database)
    if found != migrations.head():
        msg = f"The database has schema {found or 'none'}: run `flash-payouts migrate` first."
        raise UnavailableError(msg)


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[Container]:
    """Load what is kept in memory, run the background loops, and end them all at the end."""
    try:
        await _check_kind(container)
        await container.engine.epochs.check()
        await container.stores.load_keys()
        await container.boltcards.load_keys()
        container.supervisor.start("lag", container.lag.run)
        container.supervisor.start("epoch", container.engine.epochs.run)
        if container.relay is not None:
            container.supervisor.start("hints told", container.relay.tell)
            container.supervisor.start("hints heard", container.relay.hear)
            container.supervisor.start("store keys", partial(_learn_stores, container))
        container.supervisor.start("stores", partial(keep_connected, container, connect))
        housekeeping = Housekeeping(container.database, container.clock)
        container.supervisor.start("rates", container.engine.rate_watch.run)
        container.supervisor.start("night watch", container.engine.night_watch.run)
        container.supervisor.start("comparisons", container.engine.night_watch.compare)
        container.supervisor.start("housekeeping", housekeeping.run)
        yield container
    finally:
        await container.supervisor.stop()
        for connected in container.connected.values():
            await connected.worker.tools.client.close()
        await container.engine.outbound.close()
        await asyncio.to_thread(container.database.close)


async def _check_kind(container: Container) -> None:
    found = await container.database.read(store_storage.read_kind)
    if found is not None and found is not container.kind:
        raise SettingError(
            "DATABASE_URL", f"this is a {found} database, not a {container.kind} one"
        )


async def _learn_stores(container: Container) -> None:
    """Learn the data keys of stores that another instance makes."""
    while True:
        await asyncio.sleep(STORE_LOOK_S)
        await container.stores.load_keys()


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
    loop, per_minute = asyncio.get_running_loop(), container.settings.flash_requests_per_minute
    container.pace = container.pace or Pace(per_minute, loop.time)
    pace = container.pace.beside()
    client = container.wires.client(connection, container.wires.watch)
    await client.open()
    try:
        await _settle_kind(container, client)
    except BaseException:
        await client.close()
        raise
    listeners = FlashListeners(container)
    socket = container.wires.socket(
        connection,
        store.currency,
        container.clock,
        Listeners(
            status=listeners.status,
            price=listeners.price,
            incoming=listeners.incoming,
            changed=listeners.changed,
            catch_up=listeners.catch_up,
        ),
        container.wires.watch,
    )
    tools = Tools(
        database=container.database,
        vault=container.vault,
        clock=container.clock,
        tracking=container.tracking,
        rates=container.rates,
        client=client,
        socket=socket,
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
    listeners.worker = worker
    connected = Connected(worker, socket, pace, connection_id)
    container.connected[store.id] = connected
    with_store = store.id
    container.supervisor.start(f"worker {with_store}", worker.run)
    container.supervisor.start(f"socket {with_store}", socket.run_public)
    container.supervisor.start(f"account socket {with_store}", socket.run_account)
    container.supervisor.start(f"wake {with_store}", partial(_wake_worker, container, worker))
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


def _make_folder(settings: Settings) -> None:
    Path(sqlite_path(settings.database)).resolve().parent.mkdir(parents=True, exist_ok=True)
