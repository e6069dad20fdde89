"""Rows by the thousand for a history that is made and not lived: no events, no hub, no checks.

The demo alone writes here, into a database that nobody uses yet. On SQLite the file is a scratch
one without a journal, to be thrown away if the writing is cut off; on PostgreSQL all of it is one
transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, Self

import psycopg
from sqlalchemy import Table, bindparam, func, select, update

from models.tables import METADATA
from models.tables.base import table_of
from models.tables.card import CardRow, KeySetRow, TapRow
from models.tables.pull_payment import PullPaymentRow
from models.tables.store import StoreRow
from services.storage.statement import Statement, Transaction

Rows = Sequence[tuple[Any, ...]]
CACHE_KIB = 384 * 1024

_stores = table_of(StoreRow)
_pulls = table_of(PullPaymentRow)
_cards = table_of(CardRow)
_key_sets = table_of(KeySetRow)
_taps = table_of(TapRow)

_SET_AUDIT_COUNT = Statement(
    update(_stores).where(_stores.c.id == bindparam("store")).values(audit_count=bindparam("count"))
)
_READ_AUDIT_COUNT = Statement(
    select(_stores.c.audit_count).where(_stores.c.id == bindparam("store"))
)
_SET_BUDGET = Statement(
    update(_pulls)
    .where(_pulls.c.store_id == bindparam("store"), _pulls.c.id == bindparam("pull_payment"))
    .values(reserved=bindparam("reserved_units"), paid=bindparam("paid_units"))
)
_SET_COUNTER = Statement(
    update(_key_sets)
    .where(_key_sets.c.store_id == bindparam("store"), _key_sets.c.id == bindparam("key_set"))
    .values(
        last_counter=bindparam("counter"),
        handed_at=_key_sets.c.created_at,
        first_tap_at=select(func.min(_taps.c.at))
        .where(_taps.c.card_id == _key_sets.c.card_id)
        .scalar_subquery(),
        last_tap_at=bindparam("at"),
    )
)
_SET_LAST_USED = Statement(
    update(_cards)
    .where(_cards.c.store_id == bindparam("store"), _cards.c.id == bindparam("card"))
    .values(last_used_at=bindparam("at"))
)


class _Driver(Protocol):
    """One open connection of either kind."""

    def insert(self, table: Table, names: Sequence[str], rows: Rows) -> None:
        """Add rows."""
        ...

    def commit(self) -> None:
        """Keep everything."""
        ...

    def interrupt(self) -> None:
        """Have a statement that runs in another thread end soon."""
        ...

    def close(self) -> None:
        """Let go; what was not committed is lost."""
        ...


class Bulk:
    """Writes one store's past; values are as the columns keep them: words, whole microseconds."""

    def __init__(self, driver: _Driver) -> None:
        self._driver = driver
        # Whoever gives up may close while a thread still writes.
        self._writing = threading.Lock()

    @classmethod
    def open_sqlite(cls, path: str) -> Self:
        """Open a scratch file that has its schema."""
        return cls(_Sqlite(path))

    @classmethod
    def open_postgres(cls, url: str) -> Self:
        """Open a PostgreSQL database that has its schema."""
        return cls(_Postgres(url))

    def add(self, rows: Mapping[str, Rows], columns: Mapping[str, Sequence[str]]) -> None:
        """Add rows by table; tables come in the order of `columns`."""
        with self._writing:
            for name, names in columns.items():
                if rows.get(name):
                    self._driver.insert(METADATA.tables[name], names, rows[name])

    def commit(self) -> None:
        """Keep everything, and have it on the disk."""
        with self._writing:
            self._driver.commit()

    def close(self) -> None:
        """Let go of the database, from whichever thread."""
        self._driver.interrupt()
        with self._writing:
            self._driver.close()


def set_budget(
    tx: Transaction, store_id: str, pull_payment_id: str, *, reserved: int, paid: int
) -> None:
    """Put a pull payment's counters where the ledger says they are."""
    tx.run(
        _SET_BUDGET,
        store=store_id,
        pull_payment=pull_payment_id,
        reserved_units=reserved,
        paid_units=paid,
    )


def set_card(
    tx: Transaction,
    store_id: str,
    card_id: str,
    key_set_id: str,
    *,
    counter: int,
    used_at: datetime | None,
) -> None:
    """Put a card's counter and its last use where its taps say they are."""
    tx.run(_SET_COUNTER, store=store_id, key_set=key_set_id, counter=counter, at=used_at)
    tx.run(_SET_LAST_USED, store=store_id, card=card_id, at=used_at)


def read_audit_count(tx: Transaction, store_id: str) -> int:
    """Return the number of a store's newest audit row."""
    found = tx.row(_READ_AUDIT_COUNT, store=store_id)
    assert found is not None
    return int(found[0])


def set_audit_count(tx: Transaction, store_id: str, count: int) -> None:
    """Say how many audit rows a store has."""
    tx.run(_SET_AUDIT_COUNT, store=store_id, count=count)


class _Sqlite:
    """Without a journal: a scratch file is not worth one, and large histories would double.

    Indexes are made at the end, from sorted rows; checks wait for `PRAGMA integrity_check`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (
            "locking_mode=EXCLUSIVE",
            "journal_mode=OFF",
            "synchronous=OFF",
            "foreign_keys=OFF",
            "ignore_check_constraints=ON",
            "threads=4",
            "temp_store=FILE",
            f"cache_size=-{CACHE_KIB}",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN EXCLUSIVE")
        self._indexes = self._drop_indexes()

    def insert(self, table: Table, names: Sequence[str], rows: Rows) -> None:
        listed = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {table.name} ({listed}) VALUES ({marks})"  # noqa: S608  # our own names
        self._connection.executemany(sql, rows)

    def commit(self) -> None:
        for statement in self._indexes:
            self._connection.execute(statement)
        self._connection.execute("COMMIT")
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()

    def _drop_indexes(self) -> list[str]:
        """Drop what was made by CREATE INDEX and return how to make it again."""
        found = self._connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in found:
            self._connection.execute(f'DROP INDEX "{name}"')
        return [sql for _, sql in found]


class _Postgres:
    """One transaction, rows by COPY."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, connect_timeout=5)

    def insert(self, table: Table, names: Sequence[str], rows: Rows) -> None:
        listed = ", ".join(f'"{name}"' for name in names)
        into = f"COPY {table.name} ({listed}) FROM STDIN"
        with self._connection.cursor().copy(into.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def commit(self) -> None:
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("ANALYZE")

    def interrupt(self) -> None:
        self._connection.cancel()

    def close(self) -> None:
        self._connection.close()
