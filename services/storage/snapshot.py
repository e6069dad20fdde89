"""One unchanging view of the database for a long read, on a connection of its own.

The pool of readers is for pages and taps, so a long read never takes one of theirs. On PostgreSQL
the view is a REPEATABLE READ transaction. On SQLite it is a WAL read transaction: it stops nobody
from writing, but the WAL cannot start again at its beginning before it ends, so whoever holds one
reads as fast as the disk allows and does everything slow afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from models.errors import UnavailableError
from services.database import open_postgres, open_sqlite, sqlite_path
from services.storage.statement import Params, Statement, Transaction

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Reads one moment of the database; `tx` is for what fits into memory."""

    tx: Transaction
    _connection: Any

    def pages(self, statement: Statement, params: Params, size: int) -> Iterator[list[Any]]:
        """Run a statement and hand its rows over a bounded number at a time."""
        compiled = statement.compiled(self.tx.dialect)
        with closing(self._cursor()) as cursor:
            cursor.execute(compiled.sql, compiled.bind(params))
            while rows := cursor.fetchmany(size):
                yield [compiled.read(row) for row in rows] if compiled.readers else rows

    def _cursor(self) -> Any:
        if self.tx.dialect == "sqlite":
            return self._connection.cursor()
        return self._connection.cursor(name="pages")  # stays on the server, unlike a plain one


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Open a view of the database in the calling thread; it is as of the first thing read.

    Raises:
        UnavailableError: The database cannot be read.
    """
    try:
        with closing(_open(url)) as connection:
            dialect = "sqlite" if url.startswith("sqlite:") else "postgresql"
            yield Snapshot(Transaction(connection.cursor(), dialect), connection)
    except (sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError) as error:
        _log.error("snapshot.failed", error=type(error).__name__, detail=str(error)[:200])
        raise UnavailableError("The database cannot be read right now.") from error


def _open(url: str) -> Any:
    if url.startswith("sqlite:"):
        connection = open_sqlite(sqlite_path(url))
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        return connection
    postgres = open_postgres(url, read_only=True)
    postgres.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return postgres
