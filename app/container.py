"""The one composition root: builds every service and keeps the background loops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from app.connecting import Connected, drain, keep_connected
from app.doors import Doors, build_doors
from app.engine import Engine, build_engine
from app.flash_address import FlashAddress, open_address
from app.loop_lag import LoopLag
from app.settings import Settings
from app.wires import Wires
from app.workers import Workers
from models.errors import SettingError, UnavailableError
from models.flash import SocketState
from models.ids import Ids
from models.instants import Clock
from models.migrations import run as migrations
from models.store import DatabaseKind
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
from services.housekeeping import Housekeeping
from services.hub import Hub
from services.kept_actions import KeptActions
from services.payout_details import PayoutDetails
from services.payouts import Payouts
from services.points import Watch, unwatched
from services.pull_payments import PullPayments
from services.rates import Rates
from services.relay import Relay
from services.reports import Reports
from services.saved_views import SavedViews
from services.standing import Standings
from services.storage import store as store_storage
from services.stores import Stores
from services.supervisor import Supervisor
from services.tracking import Tracking
from services.vault import Vault, load_master_key
from services.wallets import Wallets
from services.withdrawals import Withdrawals

_log = structlog.get_logger(__name__)

STORE_LOOK_S = 1.0
FLASH_LOOK_S = 2.0


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
    # What all wallets share of the way to Flash, while the service runs.
    address: FlashAddress | None = None

    def socket_state(self, store_id: str) -> SocketState:
        """Return how a store's live connection to Flash is."""
        connected = self.connected.get(store_id)
        if connected is None or self.address is None:
            return SocketState.CUT_OFF
        return self.address.public.health.state


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
        details=PayoutDetails(database, payouts, KeptActions(database, vault)),
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
        _make_file(Path(sqlite_path(settings.database)).resolve())
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
        container.address = open_address(container)
        container.supervisor.start("socket", container.address.public.run)
        container.supervisor.start("stores", partial(keep_connected, container))
        housekeeping = Housekeeping(container.database, container.clock)
        container.supervisor.start("rates", container.engine.rate_watch.run)
        container.supervisor.start("currencies", container.engine.currencies.run)
        container.supervisor.start("night watch", container.engine.night_watch.run)
        container.supervisor.start("comparisons", container.engine.night_watch.compare)
        container.supervisor.start("housekeeping", housekeeping.run)
        yield container
    finally:
        await drain(container)
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


def _make_file(path: Path) -> None:
    """Begin a database that others on this machine cannot read, nor what SQLite puts beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
