"""Fixtures every test may use; what is specific stands beside the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.database import Database
from tests.support.clock import HandClock
from tests.support.databases import (
    PostgresPool,
    Raw,
    migrate_sqlite_template,
    raw,
    sqlite_copy,
)
from tests.support.postgres import PrivatePostgres, require_or_skip
from tests.support.sandbox import FlashAccount, Hand, SandboxProcess
from tests.support.shop import Shop, closed_shop, open_shop, settings_for, through

# Nothing that is kept here has to survive a power cut, and commits need not wait for a disk.
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_WANTED = 2 << 30
# How long an example takes is the machine's affair.
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def pytest_configure() -> None:
    """Keep temporary folders in memory, if there is plenty and nobody said where they belong."""
    with suppress(OSError):
        if "TMPDIR" not in os.environ and shutil.disk_usage(MEMORY_FOLDER).free >= MEMORY_WANTED:
            tempfile.tempdir = str(MEMORY_FOLDER)
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.tempdir)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    require_or_skip()
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_pool(postgres: PrivatePostgres) -> PostgresPool:
    return PostgresPool(postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrate_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(params=BOTH)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    with sqlite_copy(sqlite_template, tmp_path) as url:
        yield url


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Lend a migrated database of either kind; a test that asks for it runs on both."""
    if dialect == "sqlite":
        with sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path) as url:
            yield url
        return
    pool: PostgresPool = request.getfixturevalue("postgres_pool")
    with pool.lend() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await asyncio.to_thread(opened.close)


@pytest.fixture
def beneath(database_url: str) -> Iterator[Raw]:
    """A connection past all services, to the same database."""
    with raw(database_url) as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for all tests: no limits, payments at once; each test has its own account."""
    folder = tmp_path_factory.mktemp("sandbox")
    with SandboxProcess(folder / "ledger.db", "--pace-off") as started:
        yield started


@pytest.fixture(scope="session")
def punctual_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One whose time nobody moves, for services in a process of their own with a real clock."""
    folder = tmp_path_factory.mktemp("punctual")
    with SandboxProcess(folder / "ledger.db", "--pace-off") as started:
        yield started


@pytest.fixture
async def hand(sandbox: SandboxProcess) -> AsyncIterator[Hand]:
    async with Hand.on(sandbox) as opened:
        await opened.settle_down()
        yield opened
        await opened.settle_down()


@pytest.fixture(scope="session")
def old_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A Flash of a year ago: no keys, no USDT wallets."""
    ledger = tmp_path_factory.mktemp("old") / "ledger.db"
    with SandboxProcess(ledger, "--pace-off", "--profile", "2025-08") as started:
        yield started


@pytest.fixture
async def old_hand(old_sandbox: SandboxProcess) -> AsyncIterator[Hand]:
    async with Hand.on(old_sandbox) as opened:
        await opened.settle_down()
        yield opened


@pytest.fixture
async def account(hand: Hand) -> FlashAccount:
    return await hand.open_account(cents=10_000_000)


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    """A store with all services and no connection to Flash."""
    async with closed_shop(settings_for(database_url, tmp_path), clock) as opened:
        yield opened


@pytest.fixture
async def paying_shop(
    database_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> AsyncIterator[Shop]:
    """A store that pays through the sandbox, at the sandbox's time."""
    settings = settings_for(database_url, tmp_path, **through(hand, account))
    async with open_shop(settings, HandClock(await hand.now())) as opened:
        yield opened
