"""Whole copies of a database, made while it is served, and read back into an empty one.

SQLite copies itself with its online backup. PostgreSQL is copied table by table inside one
REPEATABLE READ transaction, so that a backup needs no program of the server's version beside us.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from models.backup import Manifest
from models.errors import UnavailableError
from models.instants import from_us
from models.tables import METADATA
from services.database import open_postgres, open_sqlite, sqlite_path
from services.storage.epoch import read_epoch
from services.storage.statement import Transaction
from services.storage.store import read_kind

_FORMAT = "flash-payouts backup 1"
_END_OF_TABLE = b"\\.\n"
_SQLITE_HEAD = b"SQLite format 3\0"
_READ_REVISION = "SELECT version_num FROM alembic_version"
_COUNT_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid != pg_backend_pid()"
)
LINE_LIMIT = 64 * 1024 * 1024


def copy_sqlite(path: str, target: Path) -> Manifest:
    """Copy a SQLite file that may be in use, and check the copy."""
    source, copy = closing(open_sqlite(path, read_only=True)), closing(sqlite3.connect(target))
    with source as there, copy as here:
        # In one step: in several, each commit of another process would begin it anew.
        there.backup(here)
        here.execute("PRAGMA journal_mode=DELETE")
    _flush(target)
    return read_manifest(target)


def copy_postgres(url: str, target: Path) -> Manifest:
    """Copy the rows of all tables as of one moment."""
    with closing(open_postgres(url, read_only=True)) as connection, gzip.open(target, "wb") as file:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.cursor() as cursor:
            manifest = _describe(cursor, "postgresql")
            _write_line(file, {"format": _FORMAT} | asdict(manifest))
            for table in METADATA.sorted_tables:
                names = [column.name for column in table.columns]
                _write_line(file, {"table": table.name, "columns": names})
                with cursor.copy(_copy_of(table.name, names, "TO STDOUT")) as rows:
                    for block in rows:
                        file.write(bytes(block))
                file.write(_END_OF_TABLE)
            _write_line(file, {"end": len(METADATA.tables)})
    _flush(target)
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """Return what a backup is of; a SQLite file is checked whole.

    Raises:
        UnavailableError: It is no backup, or it is damaged.
    """
    try:
        with backup.open("rb") as file:
            head = file.read(len(_SQLITE_HEAD))
        return _of_sqlite(backup) if head == _SQLITE_HEAD else _of_rows(backup)
    except (OSError, EOFError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
        msg = f"{backup} is not a backup, or it is damaged."
        raise UnavailableError(msg) from error


def fill_postgres(url: str, backup: Path) -> None:
    """Fill an empty database, which has the backup's schema, in one transaction.

    Raises:
        UnavailableError: The backup is cut off or damaged; nothing was kept.
    """
    with closing(open_postgres(url)) as connection, gzip.open(backup, "rb") as file:
        _read_line(file)
        try:
            with connection.transaction(), connection.cursor() as cursor:
                while "table" in (said := _read_line(file)):
                    _fill(cursor, file, said["table"], said["columns"])
                _ = said["end"]
        except (OSError, EOFError, ValueError, KeyError, psycopg.DataError) as error:
            msg = f"{backup} is cut off or damaged; nothing was restored."
            raise UnavailableError(msg) from error


@contextmanager
def alone_on_sqlite(path: str) -> Iterator[None]:
    """Hold a SQLite file that nobody else has open; what its journal held is in it then.

    Raises:
        UnavailableError: Somebody has it open.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.5)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # The journal goes only when nobody else has the file open.
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            mode = "wal"
        if mode != "delete":
            msg = f"{path} is in use: stop `flash-payouts serve` first."
            raise UnavailableError(msg)
        yield


def check_alone(url: str) -> None:
    """Make sure that nobody else uses a database.

    Raises:
        UnavailableError: Somebody does.
    """
    if url.startswith("sqlite:"):
        with alone_on_sqlite(sqlite_path(url)):
            return
    with closing(open_postgres(url, read_only=True)) as connection:
        (others,) = connection.execute(_COUNT_OTHERS).fetchone() or (0,)
    if others:
        msg = f"{others} others use the database: stop `flash-payouts serve` everywhere first."
        raise UnavailableError(msg)


def _fill(cursor: psycopg.Cursor[Any], file: gzip.GzipFile, table: str, names: list[str]) -> None:
    with cursor.copy(_copy_of(table, names, "FROM STDIN")) as rows:
        while (line := file.readline(LINE_LIMIT)) != _END_OF_TABLE:
            if not line.endswith(b"\n"):
                raise EOFError
            rows.write(line)
    # A column that numbers itself goes on behind the last number.
    known = METADATA.tables.get(table)
    if known is not None and "id" in known.c and known.c.id.type.python_type is int:
        cursor.execute(
            sql.SQL(
                "SELECT setval(found, (SELECT max(id) FROM {table})) "
                "FROM pg_get_serial_sequence({name}, 'id') AS found "
                "WHERE found IS NOT NULL AND EXISTS (SELECT 1 FROM {table})"
            ).format(table=sql.Identifier(table), name=sql.Literal(table))
        )


def _copy_of(table: str, names: list[str], direction: str) -> sql.Composed:
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) ").format(sql.Identifier(table), listed)
    return statement + sql.SQL("TO STDOUT" if direction == "TO STDOUT" else "FROM STDIN")


def _describe(cursor: Any, dialect: str) -> Manifest:
    cursor.execute(_READ_REVISION)
    (revision,) = cursor.fetchone()
    tx = Transaction(cursor, dialect)
    kind, epoch = read_kind(tx), read_epoch(tx)
    if kind is None or epoch is None:
        raise UnavailableError("This database is for nothing yet; there is nothing to keep.")
    return Manifest(dialect, str(revision), str(kind), epoch.installation, epoch.number)


def _of_sqlite(backup: Path) -> Manifest:
    with closing(sqlite3.connect(f"{backup.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise ValueError(verdict)
        return _describe(connection.cursor(), "sqlite")


def _of_rows(backup: Path) -> Manifest:
    with gzip.open(backup, "rb") as file:
        said = _read_line(file)
    if said.pop("format") != _FORMAT:
        raise ValueError
    from_us(int(said["installation"]))
    return Manifest(**said)


def _write_line(file: gzip.GzipFile, value: dict[str, Any]) -> None:
    file.write(json.dumps(value).encode() + b"\n")


def _read_line(file: gzip.GzipFile) -> dict[str, Any]:
    found = json.loads(file.readline(LINE_LIMIT))
    assert isinstance(found, dict)
    return found


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
