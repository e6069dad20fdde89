"""Transactions: together where that is fast, apart where one goes wrong, told after the commit."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import update

from models.errors import DuplicateRow, ServiceError, SettingError, UnavailableError
from models.events import Change, WalletChanged
from models.states import PayoutState
from models.store import SYSTEM
from models.tables.base import table_of
from models.tables.store import StoreRow
from services import database as databases
from services import lanes
from services.database import Database, sqlite_path
from services.storage import payout as payouts
from services.storage import store as stores
from services.storage.statement import Statement, Transaction
from tests.support.builders import a_payout, plant
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.patience import PATIENCE_S

STORES = table_of(StoreRow)


def add_user(tx: Transaction, name: str) -> str:
    email = f"{name}@example.com"
    stores.add_user(tx, user_id=f"us_{name}", email=email, password_hash=None, now=NOON)
    tx.changes.append(WalletChanged("st", name))
    return name


def users(beneath: Raw) -> set[str]:
    return {row[0].removeprefix("us_") for row in beneath.rows("SELECT id FROM users")}


@asynccontextmanager
async def held_up(database: Database) -> AsyncIterator[None]:
    """Keep every writer busy, so that further work has to wait in the queue."""
    number = 1 if database.dialect == "sqlite" else databases.POSTGRES_WRITERS
    busy, free = threading.Semaphore(0), threading.Event()

    def wait(_tx: Transaction) -> None:
        busy.release()
        free.wait(PATIENCE_S)

    waiting = [asyncio.ensure_future(database.write(wait)) for _ in range(number)]
    await asyncio.to_thread(lambda: [busy.acquire(timeout=PATIENCE_S) for _ in range(number)])
    try:
        yield
    finally:
        free.set()
        await asyncio.gather(*waiting)


async def test_what_is_written_is_read(database: Database) -> None:
    assert await database.write(add_user, "alice") == "alice"

    assert await database.read(stores.find_user_id, "alice@example.com") == "us_alice"


async def test_work_that_fails_takes_nothing_with_it(database: Database, beneath: Raw) -> None:
    def add_and_fail(tx: Transaction) -> None:
        add_user(tx, "mallory")
        raise RuntimeError("no")

    async with held_up(database):
        together = [
            asyncio.ensure_future(database.write(add_user, "alice")),
            asyncio.ensure_future(database.write(add_and_fail)),
            asyncio.ensure_future(database.write(add_user, "alice")),
            asyncio.ensure_future(database.write(add_user, "bob")),
        ]
        await asyncio.sleep(0)
    results = await asyncio.gather(*together, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == [
        "DuplicateRow",
        "RuntimeError",
        "str",
        "str",
    ]
    assert users(beneath) == {"alice", "bob"}


async def test_a_full_queue_refuses_at_once(database: Database, beneath: Raw) -> None:
    async with held_up(database):
        waiting = [
            asyncio.ensure_future(database.write(lambda _tx: None))
            for _ in range(lanes.QUEUE_LIMIT)
        ]
        await asyncio.sleep(0)

        with pytest.raises(UnavailableError, match="nothing was done"):
            await database.write(add_user, "late")
    await asyncio.gather(*waiting)

    assert users(beneath) == set()
    assert await database.write(add_user, "later") == "later"


async def test_changes_are_told_after_the_commit(database: Database, beneath: Raw) -> None:
    seen: list[tuple[set[str], list[Change]]] = []
    database.listen(lambda changes: seen.append((users(beneath), changes)))

    await database.write(add_user, "alice")

    assert seen == [({"alice"}, [WalletChanged("st", "alice")])]


async def test_what_was_undone_is_not_told(database: Database) -> None:
    told: list[Change] = []
    database.listen(told.extend)
    await database.write(add_user, "alice")

    with pytest.raises(DuplicateRow):
        await database.write(add_user, "alice")
    await database.write(add_user, "bob")

    assert told == [WalletChanged("st", "alice"), WalletChanged("st", "bob")]


async def test_reading_tells_nothing_and_cannot_write(database: Database, beneath: Raw) -> None:
    told: list[Change] = []
    database.listen(told.extend)

    with pytest.raises(Exception, match=r"cannot be used|read-only"):
        await database.read(add_user, "mallory")

    assert users(beneath) == set()
    assert told == []
    assert await database.read(stores.find_user_id, "mallory@example.com") is None


async def test_a_duplicate_row_is_named(database: Database) -> None:
    await database.write(add_user, "alice")

    with pytest.raises(DuplicateRow) as caught:
        await database.write(add_user, "alice")

    assert caught.value.constraint
    assert isinstance(caught.value, ServiceError)


async def test_other_broken_rules_stay_what_they_are(database: Database) -> None:
    def break_a_check(tx: Transaction) -> None:
        payouts.create(tx, a_payout(plant(tx).store, original_amount=0), SYSTEM)

    with pytest.raises(Exception, match="ck_payouts_original_amount_range"):
        await database.write(break_a_check)


async def test_work_goes_on_when_the_one_who_asked_has_left(
    database: Database, beneath: Raw
) -> None:
    told, both_told = list[Change](), asyncio.Event()

    def hear(changes: list[Change]) -> None:
        told.extend(changes)
        if len(told) == 2:
            both_told.set()

    database.listen(hear)
    async with held_up(database):
        asked = asyncio.ensure_future(database.write(add_user, "alice"))
        await asyncio.sleep(0)
        asked.cancel()
    await database.write(add_user, "bob")

    with contextlib.suppress(asyncio.CancelledError):
        await asked
    assert asked.cancelled()
    # Two writers of a server may end in either order.
    await asyncio.wait_for(both_told.wait(), PATIENCE_S)
    assert users(beneath) == {"alice", "bob"}


async def test_closing_finishes_what_is_queued(database_url: str, beneath: Raw) -> None:
    database = Database(database_url)
    names = [f"user{number}" for number in range(100)]
    queued = [asyncio.ensure_future(database.write(add_user, name)) for name in names]
    await asyncio.sleep(0)

    await asyncio.to_thread(database.close)

    assert set(await asyncio.gather(*queued)) == set(names) == users(beneath)


async def test_what_comes_after_closing_is_refused_at_once(database_url: str) -> None:
    database = Database(database_url)
    await asyncio.to_thread(database.close)

    for asked in (database.write(add_user, "late"), database.read(stores.read_kind)):
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(asked, PATIENCE_S)


async def test_a_hundred_writers_at_once_lose_nothing(database: Database, beneath: Raw) -> None:
    def count_up(tx: Transaction) -> None:
        tx.run(Statement(update(STORES).values(audit_count=STORES.c.audit_count + 1)))

    with beneath.transaction() as tx:
        plant(tx)

    await asyncio.gather(*(database.write(count_up) for _ in range(100)))

    assert beneath.value("SELECT audit_count FROM stores") == 100


async def test_a_reader_sees_no_half_of_a_transaction(database: Database, beneath: Raw) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def write_slowly(tx: Transaction) -> None:
        add_user(tx, "alice")
        halfway.set()
        go_on.wait(PATIENCE_S)
        add_user(tx, "bob")

    writing = asyncio.ensure_future(database.write(write_slowly))
    await asyncio.to_thread(halfway.wait, PATIENCE_S)
    during = await database.read(stores.find_user_id, "alice@example.com")
    go_on.set()
    await writing

    assert during is None
    assert users(beneath) == {"alice", "bob"}


async def test_a_reader_sees_one_moment_whatever_it_asks(database: Database) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def read_slowly(tx: Transaction) -> list[str | None]:
        first = stores.find_user_id(tx, "alice@example.com")
        halfway.set()
        go_on.wait(PATIENCE_S)
        return [first, stores.find_user_id(tx, "alice@example.com")]

    reading = asyncio.ensure_future(database.read(read_slowly))
    await asyncio.to_thread(halfway.wait, PATIENCE_S)
    await database.write(add_user, "alice")
    go_on.set()

    assert await reading == [None, None]


@pytest.mark.postgresql
class TestPostgresql:
    """What only a server can do to us."""

    @pytest.fixture
    def dialect(self) -> str:
        return "postgresql"

    async def test_a_deadlock_is_run_again(self, database: Database, beneath: Raw) -> None:
        with beneath.transaction() as tx:
            for name in ("alice", "bob"):
                add_user(tx, name)
        meeting = threading.Barrier(2)
        runs: list[str] = []

        def lock_in_turn(tx: Transaction, first: str, second: str) -> None:
            runs.append(first)
            stores.set_password(tx, f"us_{first}", first)
            if len(runs) <= 2:
                meeting.wait(PATIENCE_S)
            stores.set_password(tx, f"us_{second}", first)

        await asyncio.gather(
            database.write(lock_in_turn, "alice", "bob"),
            database.write(lock_in_turn, "bob", "alice"),
        )

        # The one that runs again may be first at the row the other waits for, and meet it again.
        assert len(runs) >= 3
        assert len(set(beneath.rows("SELECT password_hash FROM users"))) == 1

    async def test_after_a_cut_connection_the_next_work_gets_a_new_one(
        self, database: Database, beneath: Raw
    ) -> None:
        await asyncio.gather(*(database.write(add_user, f"early{n}") for n in range(8)))
        beneath.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )

        async def insist(name: str) -> None:
            while True:
                with contextlib.suppress(UnavailableError):
                    await database.write(add_user, name)
                    return

        await asyncio.gather(*(insist(f"late{n}") for n in range(8)))

        assert len(users(beneath)) == 16

    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        database = Database("postgresql://postgres@127.0.0.1:1/none")

        with pytest.raises(UnavailableError):
            await database.read(stores.read_kind)
        await asyncio.to_thread(database.close)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/payouts.db", "data/payouts.db"),
        ("sqlite:////var/lib/payouts.db", "/var/lib/payouts.db"),
        ("sqlite:///with%20blank.db", "with blank.db"),
    ],
)
def test_a_sqlite_address_names_a_file(url: str, path: str) -> None:
    assert sqlite_path(url) == path


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://payouts.db", "sqlite:payouts.db"])
def test_a_sqlite_address_without_a_file_is_a_bad_setting(url: str) -> None:
    with pytest.raises(SettingError, match="DATABASE_URL"):
        sqlite_path(url)


def test_sqlite_is_durable_and_keeps_its_foreign_keys(sqlite_url: str) -> None:
    connection = databases.open_sqlite(sqlite_path(sqlite_url))

    def pragma(name: str) -> Any:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    connection.close()


async def test_a_failure_late_in_a_transaction_undoes_all_of_it(
    database: Database, beneath: Raw
) -> None:
    def create_and_fail(tx: Transaction) -> None:
        ground = plant(tx)
        payout = a_payout(ground.store, pull_payment_id=ground.pull_payment.id)
        payouts.create(tx, payout, SYSTEM)
        payouts.move(tx, payout, PayoutState.APPROVED, now=NOON, actor=SYSTEM)
        raise RuntimeError("too late")

    with pytest.raises(RuntimeError):
        await database.write(create_and_fail)

    for table in ("stores", "payouts", "payout_events", "ledger", "rollups"):
        assert beneath.value(f"SELECT count(*) FROM {table}") == 0
