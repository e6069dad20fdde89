"""Looks at everything a start depends on, changes nothing, and says what to do."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import httpx

from app.flash_checkup import examine_flash
from app.settings import Settings, is_loopback, load_settings
from models.checkup import Finding, Verdict
from models.errors import ServiceError
from models.flash import FlashConnection
from models.ids import Ids
from models.instants import iso
from models.migrations import run as migrations
from models.wallet import Gate
from services.backups import last_backup
from services.clock import SystemClock
from services.connections import Connections
from services.database import Database, sqlite_path
from services.epoch import EPOCH_FILE, EpochFile
from services.storage import audit_run as audit_runs
from services.storage import epoch as epochs
from services.storage import store as stores
from services.storage import wallet as wallets
from services.vault import Vault, load_master_key

LOW_DISK_BYTES = 1_000_000_000
NO_DISK_BYTES = 100_000_000
ASK_WITHIN_S = 5
BACKUP_EVERY = timedelta(days=2)

_OK, _WARN, _FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


async def examine() -> list[Finding]:
    """Look at everything; a bad setting is all that can be said then."""
    try:
        settings = load_settings()
    except ServiceError as error:
        return [Finding("settings", _FAIL, error.message, "mend the environment or .env")]
    found = [Finding("settings", _OK, "every value can be"), _address(settings), _disk(settings)]
    found += await asyncio.to_thread(_key, settings)
    connections = [] if settings.flash is None else [("", settings.flash)]
    found += [finding async for finding in _database(settings, connections)]
    for whose, connection in connections:
        found += [finding async for finding in examine_flash(whose, connection)]
    if not any(finding.name.startswith("flash") for finding in found):
        advice = "enter one on the settings page, or set FLASH_PAYOUTS_FLASH_TOKEN"
        found.append(Finding("flash", _WARN, "no credential, so nothing is paid", advice))
    return [*found, _backup(settings), await _server(settings)]


def _address(settings: Settings) -> Finding:
    url = settings.base_url
    if url.startswith("https://"):
        if is_loopback(settings.host) and not settings.trusted_proxies:
            says = "all visitors come from the proxy's address, and share what one may ask for"
            return Finding("public url", _WARN, says, "name it in FLASH_PAYOUTS_TRUSTED_PROXIES")
        return Finding("public url", _OK, url)
    if is_loopback(settings.host) and not settings.public_url:
        advice = "set FLASH_PAYOUTS_PUBLIC_URL to the https address that wallets see"
        return Finding("public url", _WARN, f"{url} is for this machine only", advice)
    return Finding("public url", _WARN, f"{url} is not https", "no wallet opens such a link")


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    says = f"{free // 1_000_000:,} MB free at {place}"
    if free < NO_DISK_BYTES:
        return Finding("disk", _FAIL, says, "make room: nothing can be written soon")
    verdict = _WARN if free < LOW_DISK_BYTES else _OK
    return Finding("disk", verdict, says, "make room" if verdict is _WARN else "")


def _key(settings: Settings) -> list[Finding]:
    path = settings.key_file
    if not path.exists():
        advice = "restore it from where you keep it; without any store the first start makes one"
        return [Finding("master key", _WARN, f"{path} is not there", advice)]
    try:
        load_master_key(path, may_create=False)
    except ServiceError as error:
        return [Finding("master key", _FAIL, error.message, f"chmod 600 {path}, or restore it")]
    return [Finding("master key", _OK, f"{path}, for its owner only")]


async def _database(
    settings: Settings, connections: list[tuple[str, FlashConnection]]
) -> AsyncIterator[Finding]:
    """Look at the database, and take the connections that it keeps."""
    if await asyncio.to_thread(_is_missing, settings.database):
        advice = "`flash-payouts init` or the first `serve` makes it"
        yield Finding("database", _WARN, "there is none yet", advice)
        return
    try:
        revision = await asyncio.to_thread(migrations.current, settings.database)
    except Exception as error:  # noqa: BLE001  # whatever the driver says, it cannot be reached
        advice = "check FLASH_PAYOUTS_DATABASE_URL and the server"
        yield Finding("database", _FAIL, f"not reachable ({type(error).__name__})", advice)
        return
    if await asyncio.to_thread(_is_shared, settings.database):
        advice = f"chmod 600 {sqlite_path(settings.database)}*"
        yield Finding("database file", _WARN, "others on this machine may read it", advice)
    if revision != migrations.head():
        says = f"schema {revision or 'none'}, this version needs {migrations.head()}"
        yield Finding("database", _FAIL, says, "run `flash-payouts migrate`")
        return
    with closing(Database(settings.database)) as database:
        kind = await database.read(stores.read_kind)
        yield Finding("database", _OK, f"schema {revision}, {kind or 'for nothing yet'}")
        yield await _secrets(settings, database)
        yield await _epoch(settings, database)
        yield await _books(database)
        yield await _gates(database)
        connections += await _kept(settings, database)


async def _kept(settings: Settings, database: Database) -> list[tuple[str, FlashConnection]]:
    """Return the connections that stores keep, and whose each is, as far as they open."""
    addresses, clock = (settings.flash_api_url, settings.flash_ws_url), SystemClock()
    found = []
    with suppress(ServiceError, ValueError):  # that they do not open was said already
        vault = Vault(load_master_key(settings.key_file, may_create=False))
        for sealed in await database.read(stores.read_data_keys):
            vault.add_data_key(*sealed)
        connections = Connections(database, vault, clock, Ids(clock), addresses)
        for kept in await connections.all():
            found.append((f" of {kept.store_id}", connections.open(kept)))  # noqa: PERF401
    return found


async def _gates(database: Database) -> Finding:
    shut = [
        wallet.store_id
        for wallet in await database.read(wallets.read_wallets)
        if wallet.gate is Gate.SHUT or wallet.stopped_at is not None
    ]
    if not shut:
        return Finding("sending", _OK, "every gate is open, nothing is stopped")
    advice = "see the wallet's page; `flash-payouts open-gate` and `resume` let payouts go on"
    return Finding("sending", _WARN, f"shut or stopped for {', '.join(shut)}", advice)


def _backup(settings: Settings) -> Finding:
    made_at, now = last_backup(settings.data_dir), SystemClock().utc_now()
    if made_at is None:
        return Finding("backup", _WARN, "none was made from here", "`flash-payouts backup FILE`")
    says = f"the last one was made {iso(made_at)}"
    if now - made_at <= BACKUP_EVERY:
        return Finding("backup", _OK, says)
    return Finding("backup", _WARN, says, "have cron run `flash-payouts backup` every day")


def _is_missing(database: str) -> bool:
    return database.startswith("sqlite:") and not Path(sqlite_path(database)).exists()


def _is_shared(database: str) -> bool:
    is_file = database.startswith("sqlite:")
    return is_file and bool(stat.S_IMODE(Path(sqlite_path(database)).stat().st_mode) & 0o077)


async def _secrets(settings: Settings, database: Database) -> Finding:
    sealed = await database.read(stores.read_data_keys)
    try:
        vault = Vault(load_master_key(settings.key_file, may_create=False))
        for store_id, version, key in sealed:
            vault.add_data_key(store_id, version, key)
    except (ServiceError, ValueError):
        if not sealed:
            return Finding("secrets", _OK, "nothing is sealed yet")
        advice = "put back the master key that belongs to this database"
        return Finding("secrets", _FAIL, "the master key does not open them", advice)
    return Finding("secrets", _OK, f"the master key opens those of {len(sealed)} store(s)")


async def _epoch(settings: Settings, database: Database) -> Finding:
    epoch = await database.read(epochs.read_epoch)
    try:
        known = EpochFile(settings.data_dir / EPOCH_FILE).read()
    except ServiceError as error:
        return Finding("epoch", _FAIL, error.message, "remove the file and look at every payout")
    reached = None if epoch is None else known.get(epoch.installation)
    if epoch is None or (reached is None and not epoch.number):
        return Finding("epoch", _OK, "nothing was sent yet")
    if reached is None:
        advice = "without another instance that runs, the next start shuts the gate; see the README"
        return Finding("epoch", _WARN, "DATA_DIR/epoch does not know this database", advice)
    if reached > epoch.number:
        says = f"the database is at {epoch.number}, {reached} was reached: it is an old copy"
        return Finding("epoch", _WARN, says, "the next start shuts the gate; see the README")
    return Finding("epoch", _OK, f"{epoch.number}")


async def _books(database: Database) -> Finding:
    found = payouts = 0
    at: list[str] = []
    for store in await database.read(stores.read_stores):
        for run in await database.read(audit_runs.standing_runs, store.id):
            found, payouts = found + run.found, payouts + run.payouts
            at.append(iso(run.started_at))
    if not at:
        return Finding("books", _OK, "not audited yet; the server does it a minute after its start")
    says = f"{payouts:,} payouts audited since {min(at)}, {found:,} findings"
    advice = "open the wallet's page, Checks: each finding says what to do"
    return Finding("books", _FAIL if found else _OK, says, advice if found else "")


async def _server(settings: Settings) -> Finding:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104  # only asked
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ASK_WITHIN_S) as http:
            answer = await http.get(f"http://{host}:{settings.port}/readyz")
            said = answer.json()
    except (httpx.HTTPError, ValueError):
        return Finding("server", _WARN, f"none answers on port {settings.port}")
    if answer.status_code == httpx.codes.OK:
        return Finding("server", _OK, "ready, all loops run")
    advice = "read its log; it may need a restart"
    return Finding("server", _FAIL, f"not ready: {said}", advice)
