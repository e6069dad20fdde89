"""The machine's own limits: what the product's figures are held against."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.load.table import Sample, print_table

BLOCK = bytes(4096)
PG_WRITERS = 8
_TABLE = (
    "CREATE TABLE raw (id VARCHAR PRIMARY KEY, store VARCHAR NOT NULL, status VARCHAR NOT NULL, "
    "created_at BIGINT NOT NULL, amount BIGINT NOT NULL, note VARCHAR NOT NULL)"
)
_INDEXES = (
    "CREATE INDEX raw_created ON raw (store, created_at DESC, id DESC)",
    "CREATE INDEX raw_status ON raw (store, status, created_at DESC, id DESC)",
)


@dataclass(slots=True)
class Limits:
    """What the machine itself can do, a second."""

    sync: float = 0.0
    sqlite_commits: float = 0.0
    postgresql_commits: float = 0.0
    # Filled by the first shop that opens: the same server, an answer that never changes.
    constant_1: float = 0.0
    constant_10: float = 0.0

    def commits(self, database: str) -> float:
        return self.sqlite_commits if database == "sqlite" else self.postgresql_commits


def facts(postgresql: str) -> str:
    """Return one line that says which machine this is."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({_processor()}), Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, PostgreSQL {postgresql}, Linux {platform.release()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def measure(limits: Limits, folder: Path, postgresql_url: str | None, seconds: float) -> None:
    """Measure the disk and both databases bare, and print it."""
    samples = {"append 4 KiB + fdatasync": _sync(folder, seconds)}
    samples["sqlite3, one row a commit, FULL"] = _sqlite(folder, seconds)
    limits.sync, limits.sqlite_commits = (sample.per_s for sample in samples.values())
    if postgresql_url is not None:
        found = samples[f"psycopg, one row a commit, {PG_WRITERS} connections"] = _postgresql(
            postgresql_url, seconds
        )
        limits.postgresql_commits = found.per_s
    rows = [(name, sample.per_s, sample.ms(50), sample.ms(99)) for name, sample in samples.items()]
    print_table("The machine", ("what", "per s", "p50 ms", "p99 ms"), rows)


def _timed(act: Callable[[int], object], seconds: float) -> Sample:
    sample = Sample()
    started = time.perf_counter()
    number = 0
    while (before := time.perf_counter()) - started < seconds:
        act(number)
        sample.seconds.append(time.perf_counter() - before)
        number += 1
    sample.elapsed_s = time.perf_counter() - started
    return sample


def _sync(folder: Path, seconds: float) -> Sample:
    with tempfile.TemporaryFile(dir=folder) as file:

        def act(_: int) -> None:
            os.write(file.fileno(), BLOCK)
            os.fdatasync(file.fileno())

        return _timed(act, seconds)


def _row(writer: int, number: int) -> tuple[object, ...]:
    return f"po_{writer}_{number:020d}", "st_1", "pending", number, 1000, "x" * 200


def _sqlite(folder: Path, seconds: float) -> Sample:
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for statement in (_TABLE, *_INDEXES):
            connection.execute(statement)
        insert = "INSERT INTO raw VALUES (?, ?, ?, ?, ?, ?)"
        return _timed(lambda number: connection.execute(insert, _row(0, number)), seconds)


def _postgresql(url: str, seconds: float) -> Sample:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS raw")
        for statement in (_TABLE, *_INDEXES):
            connection.execute(statement.encode())
    samples: list[Sample] = []

    def write(writer: int) -> None:
        insert = b"INSERT INTO raw VALUES (%s, %s, %s, %s, %s, %s)"
        with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            samples.append(
                _timed(
                    lambda number: cursor.execute(insert, _row(writer, number), prepare=True),
                    seconds,
                )
            )

    threads = [threading.Thread(target=write, args=(number,)) for number in range(PG_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = Sample(elapsed_s=max(sample.elapsed_s for sample in samples))
    for sample in samples:
        whole.seconds += sample.seconds
    return whole
