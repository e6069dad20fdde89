"""Migrated databases for tests: made once for each dialect, then copied for each test."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from models.migrations import run as migrations
from models.tables import METADATA
from services.database import open_postgres, open_sqlite, sqlite_path
from services.storage.statement import Transaction
from tests.support.postgres import PrivatePostgres

TEMPLATE = "migrated"


def migrate_sqlite_template(folder: Path) -> Path:
    """Make the file that SQLite databases are copies of."""
    template = folder / f"{TEMPLATE}.db"
    migrations.upgrade(f"sqlite:///{template}")
    return template


def migrate_postgres_template(server: PrivatePostgres) -> str:
    """Make the database that PostgreSQL databases are copies of."""
    migrations.upgrade(server.create_database(TEMPLATE))
    return TEMPLATE


@contextmanager
def sqlite_copy(template: Path, folder: Path) -> Iterator[str]:
    """Lend a migrated SQLite file of its own to a test."""
    path = folder / "payouts.db"
    shutil.copyfile(template, path)
    yield f"sqlite:///{path}"


class PostgresPool:
    """Lends migrated PostgreSQL databases, and empties them when they come back.

    Emptying takes a tenth of the time of a fresh copy.
    """

    def __init__(self, server: PrivatePostgres) -> None:
        self._server = server
        self._template = migrate_postgres_template(server)
        self._free: list[str] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Lend a database that holds nothing."""
        name = self._free.pop() if self._free else self._copy()
        url = self._server.url_of(name)
        try:
            yield url
        finally:
            _empty(url, name)
            self._free.append(name)

    def _copy(self) -> str:
        name = f"test_{secrets.token_hex(6)}"
        self._server.create_database(name, template=self._template)
        return name


def _empty(url: str, name: str) -> None:
    """End what is still connected, and delete all rows past triggers and foreign keys."""
    deletions = "; ".join(f"DELETE FROM {table.name}" for table in METADATA.sorted_tables)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid != pg_backend_pid()",
            [name],
        )
        connection.execute("SET session_replication_role = replica")
        connection.execute(deletions)
        connection.execute("UPDATE alembic_version SET version_num = %s", [migrations.head()])


class Raw:
    """A connection past all services, for what they would refuse and for counting rows."""

    def __init__(self, url: str) -> None:
        self.dialect = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._connection: Any
        if self.dialect == "sqlite":
            self._connection = open_sqlite(sqlite_path(url))
        else:
            self._connection = open_postgres(url)
            self._connection.autocommit = True

    def run(self, statement: str) -> None:
        """Run one statement."""
        self._connection.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        return [tuple(row) for row in self._connection.execute(statement).fetchall()]

    def value(self, statement: str) -> Any:
        """Return the one value of a query."""
        ((value,),) = self.rows(statement)
        return value

    @contextmanager
    def transaction(self, shard: int = 0) -> Iterator[Transaction]:
        """Open a transaction as the database service does, without its threads."""
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        try:
            yield Transaction(cursor, self.dialect, shard)
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        else:
            cursor.execute("COMMIT")
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def raw(url: str) -> Iterator[Raw]:
    """Open a connection past all services."""
    opened = Raw(url)
    try:
        yield opened
    finally:
        opened.close()
