"""What the commands do; the command line reads options and prints."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from app.container import Container, build, prepare
from app.container import migrate as migrate_database
from app.listening import end_on_signals, listen, say_ready
from app.logs import configure_logs
from app.settings import Settings, is_loopback, load_settings
from models.backup import Manifest
from models.errors import SettingError
from models.migrations import run as migrations
from models.store import Actor, ActorKind, DatabaseKind
from services import backups
from services.clock import SystemClock
from services.database import Database
from services.epoch import EPOCH_FILE, EpochFile
from services.key_rotation import KeyRotation, Rotated
from services.storage.backup import check_alone
from services.stores import NewStore, StoreAndOwner

_log = structlog.get_logger(__name__)

CONSOLE = Actor(ActorKind.SYSTEM, "console")


async def _offer_set_up(container: Container) -> None:
    """Tell whoever started a database that nobody owns how to become its owner."""
    token = await container.doors.set_up.begin()
    if token is not None:
        link = f"{container.settings.base_url}/setup/{token}"
        # Only the console sees it: a log would keep it.
        print(f"Set up, within an hour: {link}", file=sys.stderr, flush=True)  # noqa: T201


@asynccontextmanager
async def opened(settings: Settings, kind: DatabaseKind | None = None) -> AsyncIterator[Container]:
    """Open the services without their background loops, for a short command."""
    configure_logs(settings.log_format)
    await asyncio.to_thread(prepare, settings)
    container = build(settings, kind or kind_of(settings))
    try:
        await container.stores.load_keys()
        yield container
    finally:
        await asyncio.to_thread(container.database.close)


def kind_of(settings: Settings) -> DatabaseKind:
    """Return what a migrated database is for; a fresh one is for real money."""
    return DatabaseKind(migrations.kind(settings.database) or DatabaseKind.REAL)


async def init(
    store: str, owner: str, currency: str, time_zone: str, password: str | None
) -> StoreAndOwner:
    """Make a store with its owner; an empty database gets its schema first."""
    settings = load_settings()
    await asyncio.to_thread(migrate_database, settings)
    async with opened(settings) as container:
        known = container.engine.currencies.check(currency)
        wanted = NewStore(store, owner, known, time_zone, password)
        return await container.stores.init(wanted, container.kind)


async def reset(email: str, *, drops_factor: bool) -> str:
    """Make a link for somebody who has lost their password; returns its address."""
    async with opened(load_settings()) as container:
        token = await container.doors.resets.begin(email, CONSOLE, drops_factor=drops_factor)
        return f"{container.settings.base_url}/reset/{token}"


async def set_stopped(store_id: str | None, *, stopped: bool) -> list[str]:
    """Stop or resume one store or all; returns which."""
    async with opened(load_settings()) as container:
        stores = [store_id] if store_id else [store.id for store in await container.stores.all()]
        for found in stores:
            act = container.wallets.stop if stopped else container.wallets.resume
            await act(found, CONSOLE)
        return stores


async def open_gate(store_id: str | None, unread: str | None) -> list[str]:
    """Open the shut gates of one store or all; returns of which."""
    async with opened(load_settings()) as container:
        stores = [store_id] if store_id else [store.id for store in await container.stores.all()]
        act = container.wallets.open_gate
        return [found for found in stores if await act(found, CONSOLE, unread)]


def back_up(target: Path) -> Manifest:
    """Copy the database into a new file."""
    settings = load_settings()
    made = backups.back_up(settings.database, target)
    backups.note_backup(settings.data_dir, SystemClock().utc_now())
    return made


def restore(backup: Path) -> Manifest:
    """Put a backup in the database's place."""
    settings = load_settings()
    epoch_file = EpochFile(settings.data_dir / EPOCH_FILE)
    return backups.restore(settings.database, backup, epoch_file, SystemClock().utc_now())


async def rotate_keys() -> Rotated:
    """Give every store a new data key, and all of them a new master key."""
    settings = load_settings()
    await asyncio.to_thread(check_alone, settings.database)
    await asyncio.to_thread(prepare, settings)
    database = Database(settings.database)
    try:
        return await KeyRotation(database, SystemClock(), settings.key_file).run()
    finally:
        await asyncio.to_thread(database.close)


def migrate() -> str:
    """Bring the database to the newest schema and return its revision."""
    settings = load_settings()
    migrate_database(settings)
    return migrations.head()


async def serve(settings: Settings | None = None) -> None:
    """Serve until a signal ends it."""
    # The web framework is a second of imports that the short commands do without.
    from app.server import build_app, server_of, wrapped

    settings = settings or load_settings()
    configure_logs(settings.log_format)
    end_on_signals()
    listener = listen(settings)
    port = listener.getsockname()[1]
    if settings.port == 0:
        settings = settings.model_copy(update={"port": port})
    await asyncio.to_thread(prepare, settings)
    container = build(settings, kind_of(settings))
    if container.kind is DatabaseKind.DEMO and not is_loopback(settings.host):
        raise SettingError("FLASH_PAYOUTS_HOST", "a demo answers on this machine only")
    await _offer_set_up(container)
    app = build_app(container)
    server = server_of(wrapped(app, container), container)
    async with asyncio.TaskGroup() as group:
        ready = group.create_task(say_ready(server, f"http://{settings.host}:{port}"))
        await server.serve(sockets=[listener])
        ready.cancel()
