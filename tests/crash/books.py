"""The service's database, read by the judge behind the service's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from services.database import sqlite_path

Row = dict[str, Any]


class Books:
    """A reader of either database; every answer is a list of plain rows."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._postgres: psycopg.Connection[Row] | None = None

    def rows(self, query: str) -> list[Row]:
        """Return all rows of a query that has no parameters."""
        if self._url.startswith("sqlite:"):
            return self._from_file(query)
        return [_plain(row) for row in self._server().execute(query.encode()).fetchall()]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing down sends for a while."""
        if self._url.startswith("sqlite:"):
            with closing(sqlite3.connect(sqlite_path(self._url), isolation_level=None)) as file:
                file.execute("BEGIN IMMEDIATE")
                yield
        else:
            with psycopg.connect(self._url) as server:
                server.execute("LOCK TABLE sends IN EXCLUSIVE MODE")
                yield

    def sever(self) -> None:
        """Cut everybody's connections to the server; a file has none."""
        self.close()
        if not self._url.startswith("sqlite:"):
            with psycopg.connect(self._url, autocommit=True) as server:
                # With a patience it returns only when they are gone.
                server.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    def close(self) -> None:
        if self._postgres is not None:
            self._postgres.close()
            self._postgres = None

    def _from_file(self, query: str) -> list[Row]:
        """Open the file for this one question: after a kill nobody but the service may hold it."""
        with closing(sqlite3.connect(sqlite_path(self._url), timeout=10)) as connection:
            connection.execute("PRAGMA query_only=ON")
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def _server(self) -> psycopg.Connection[Row]:
        if self._postgres is None:
            self._postgres = psycopg.connect(self._url, autocommit=True, row_factory=dict_row)
        return self._postgres


def _plain(row: Row) -> Row:
    """Return a row with PostgreSQL's sums as whole numbers."""
    return {
        name: int(value) if type(value).__name__ == "Decimal" else value
        for name, value in row.items()
    }
