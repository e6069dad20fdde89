"""Looks at everything a start depends on, changes nothing, and says what to do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx

from app.settings import Settings, is_loopback, load_settings
from models.checkup import Finding, Verdict
from models.errors import GatewayError, ServiceError
from models.flash import FlashConnection
from models.instants import iso
from models.migrations import run as migrations
from models.money import NANOUSD_PER_CENT
from services.clock import SystemClock
from services.database import Database, sqlite_path
from services.epoch import EPOCH_FILE, EpochFile
from services.flash.client import FlashClient
from services.flash.handshake import shake_hands
from services.storage import audit_run as audit_runs
from services.storage import epoch as epochs
from services.storage import store as stores
from services.vault import Vault, load_master_key

LOW_DISK_BYTES = 1_000_000_000
NO_DISK_BYTES = 100_000_000
SKEW_S = 10
ASK_WITHIN_S = 5
STATEMENT_ROWS = 1

_OK, _WARN, _FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


async def examine() -> list[Finding]:
    """Look at everything; a bad setting is all that can be said then."""
    try:
        settings = load_settings()
    except ServiceError as error:
        return [Finding("settings", _FAIL, error.message, "mend the environment or .env")]
    found = [Finding("settings", _OK, "every value can be"), _address(settings), _disk(settings)]
    found += await asyncio.to_thread(_key, settings)
    found += [finding async for finding in _database(settings)]
    found += [finding async for finding in _flash(settings)]
    return [*found, await _server(settings)]


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


async def _database(settings: Settings) -> AsyncIterator[Finding]:
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


def _is_missing(database: str) -> bool:
    return database.startswith("sqlite:") and not Path(sqlite_path(database)).exists()


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


async def _flash(settings: Settings) -> AsyncIterator[Finding]:
    connection = settings.flash
    if connection is None:
        advice = "set FLASH_PAYOUTS_FLASH_TOKEN or FLASH_PAYOUTS_FLASH_API_KEY"
        yield Finding("flash", _WARN, "no credential, so nothing is paid", advice)
        return
    client = FlashClient(connection)
    await client.open()
    try:
        async for finding in _flash_answers(client, settings):
            yield finding
    finally:
        await client.close()
    yield await _socket(connection)


async def _flash_answers(client: FlashClient, settings: Settings) -> AsyncIterator[Finding]:
    try:
        await client.fetch_price("USD")
    except GatewayError as error:
        if not client.has_answered:
            yield Finding("flash", _FAIL, error.message, "check the network and FLASH_API_URL")
            return
    mark = " (a sandbox)" if client.is_sandbox else ""
    yield Finding("flash", _OK, f"{settings.flash_api_url} answers{mark}")
    yield _clock(client)
    try:
        info = await client.fetch_wallet()
    except GatewayError as error:
        yield Finding("wallet", _FAIL, error.message, "make a new token or key in Flash")
        return
    cents = "unknown"
    if info.balance_nanousd is not None:
        cents = f"{info.balance_nanousd // NANOUSD_PER_CENT:,} cents"
    yield Finding("wallet", _OK, f"{info.currency}, holds {cents}")
    try:
        await client.fetch_statement(info.flash_wallet_id, STATEMENT_ROWS)
    except GatewayError as error:
        advice = "give the key the scope read_transactions: unknowns are cleared up by the list"
        yield Finding("statement", _FAIL, error.message, advice)
        return
    yield Finding("statement", _OK, "may be read")


def _clock(client: FlashClient) -> Finding:
    theirs = client.server_time
    if theirs is None:
        return Finding("clock", _WARN, "Flash does not say what time it is")
    skew_s = int((SystemClock().utc_now() - theirs).total_seconds())
    if abs(skew_s) <= SKEW_S:
        return Finding("clock", _OK, f"within {SKEW_S} s of Flash's")
    advice = "set this machine's clock (NTP): invoices and one-time codes live by it"
    return Finding("clock", _FAIL, f"{skew_s} s off Flash's", advice)


async def _socket(connection: FlashConnection) -> Finding:
    try:
        await shake_hands(connection)
    except GatewayError as error:
        advice = "check FLASH_WS_URL and the token; without it payouts are only asked about"
        return Finding("socket", _FAIL, error.message, advice)
    limited = "" if connection.token else "; with an API key, no events of the account"
    return Finding("socket", _OK, f"{connection.ws_url} lets us in{limited}")


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
