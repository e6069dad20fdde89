"""Bulk rows: what is committed is there with all indexes, what is cut off harms nobody."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from services.database import sqlite_path
from services.storage.bulk import Bulk
from tests.support.databases import raw
from tests.support.patience import PATIENCE_S

WORDS = {"payout_words": ("store_id", "word", "payout_id")}
INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"


def words(count: int) -> dict[str, list[tuple[str, ...]]]:
    return {"payout_words": [("st", f"word{number}", "po") for number in range(count)]}


def test_rows_are_there_and_indexes_are_as_before_after_the_commit(sqlite_url: str) -> None:
    with raw(sqlite_url) as before:
        indexes = before.rows(INDEXES)
    bulk = Bulk.open_sqlite(sqlite_path(sqlite_url))

    bulk.add(words(1_000), WORDS)
    bulk.commit()
    bulk.close()

    with raw(sqlite_url) as after:
        assert after.value("SELECT count(*) FROM payout_words") == 1_000
        assert after.rows(INDEXES) == indexes
        assert after.rows("PRAGMA integrity_check") == [("ok",)]


def test_tables_without_rows_are_passed_over(sqlite_url: str) -> None:
    bulk = Bulk.open_sqlite(sqlite_path(sqlite_url))

    bulk.add({}, WORDS)
    bulk.commit()
    bulk.close()

    with raw(sqlite_url) as after:
        assert after.value("SELECT count(*) FROM payout_words") == 0


def test_closing_while_a_thread_writes_ends_the_writing(sqlite_url: str) -> None:
    bulk = Bulk.open_sqlite(sqlite_path(sqlite_url))
    rows, writing, ended = words(400_000), threading.Event(), []

    def write() -> None:
        writing.set()
        try:
            bulk.add(rows, WORDS)
        except sqlite3.Error as error:
            ended.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait()
    bulk.close()
    thread.join(timeout=PATIENCE_S)

    assert not thread.is_alive()


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.postgresql
def test_on_postgresql_all_of_it_is_one_transaction(
    request: pytest.FixtureRequest, tmp_path: Path, *, commits: bool
) -> None:
    pool = request.getfixturevalue("postgres_pool")
    audit = {"outbox": ("store_id", "topic", "subject_id", "payload", "created_at", "tries")}
    with pool.lend() as url:
        with raw(url) as before:
            before.run(
                "INSERT INTO stores (id, name, currency, time_zone, created_at, is_first, "
                "audit_count, issuer_key_sealed) VALUES ('st', 'x', 'USD', 'UTC', 1, true, 0, 'k')"
            )
        bulk = Bulk.open_postgres(url)
        bulk.add({"outbox": [("st", "t", "s", "", 1, 0)] * 3}, audit)
        if commits:
            bulk.commit()
        bulk.close()
        with raw(url) as after:
            count = after.value("SELECT count(*) FROM outbox")

    assert count == (3 if commits else 0)
