"""Migrations lead to exactly the schema the tables describe, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command

from models.errors import UnavailableError
from models.migrations import run as migrations
from models.tables import METADATA
from models.tables.schema import schema_statements
from models.tables.triggers import APPEND_ONLY
from services.storage.statement import DIALECTS
from tests.support.databases import Raw, raw
from tests.support.postgres import PrivatePostgres

# Everything a database keeps of its schema, as text that two databases can be compared by.
CATALOGUES = {
    "sqlite": ("SELECT type, name, sql FROM sqlite_master WHERE tbl_name != 'alembic_version'",),
    "postgresql": (
        """SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name != 'alembic_version'""",
        """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'""",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'al%'",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ),
}


def catalogue(database: Raw) -> set[tuple[object, ...]]:
    found: set[tuple[object, ...]] = set()
    for number, query in enumerate(CATALOGUES[database.dialect]):
        found |= {(number, *map(in_any_order, row)) for row in database.rows(query)}
    return found


def in_any_order(text: object) -> object:
    """Return the parts of a CREATE TABLE in an order of their own: ALTER TABLE adds at the end."""
    if not isinstance(text, str) or not text.startswith("CREATE TABLE"):
        return text
    head, _, body = text.partition("(")
    parts, depth = [""], 0
    for letter in body.rpartition(")")[0]:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return head.strip(), frozenset(" ".join(part.split()) for part in parts)


@pytest.fixture
def fresh_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Lend an empty database of either kind."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'fresh.db'}"
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    yield server.create_database("fresh")
    server.drop_database("fresh")


def test_a_migrated_database_is_what_the_tables_describe(beneath: Raw, fresh_url: str) -> None:
    with raw(fresh_url) as described:
        for statement in schema_statements(DIALECTS[described.dialect]):
            described.run(statement)

        assert catalogue(beneath) == catalogue(described)


def test_every_table_has_its_checks_indexes_and_triggers(beneath: Raw) -> None:
    kept = " ".join(str(row) for row in catalogue(beneath))

    for table in METADATA.sorted_tables:
        names = [str(index.name) for index in table.indexes]
        names += [str(rule.name) for rule in table.constraints if rule._should_create_for_compiler]
        assert table.name in kept
        assert all(name in kept for name in names if "_whole" not in name), table.name
    assert all(f"{table}_no_" in kept for table in APPEND_ONLY)


def test_upgrading_again_changes_nothing(database_url: str, beneath: Raw) -> None:
    before = catalogue(beneath)

    migrations.upgrade(database_url)

    assert catalogue(beneath) == before
    assert migrations.current(database_url) == migrations.head()


def test_an_empty_database_is_brought_to_the_newest_schema(fresh_url: str) -> None:
    assert migrations.current(fresh_url) is None

    migrations.upgrade(fresh_url)

    assert migrations.current(fresh_url) == migrations.head()
    assert migrations.is_without_stores(fresh_url)
    assert migrations.kind(fresh_url) is None


def test_a_database_of_a_newer_version_is_refused(database_url: str, beneath: Raw) -> None:
    beneath.run("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(UnavailableError, match="newer version"):
        migrations.upgrade(database_url)

    assert migrations.current(database_url) == "9999"


# Two completed payouts of one quarter hour, one of which has a fee, and one that failed.
PAYOUTS_OF_0001 = """
    INSERT INTO payouts (id, store_id, kind, state, status, evidence, fee_msat, created_at,
        revision, card_verified, original_amount, currency, destination_kind, destination_start,
        destination_sealed, attempts, metadata_json, fence)
    SELECT id, 'st_1', 'claim', state, state, evidence, fee_msat, 86400000000 * 3 + 901000000, 4,
        false, 5, 'SATS', 'bolt11', 'lnbc', '', 1, '{}', 0
    FROM (
        SELECT 'po_1' AS id, 'completed' AS state, 'person' AS evidence, 700 AS fee_msat
        UNION ALL SELECT 'po_2', 'completed', 'person', NULL
        UNION ALL SELECT 'po_3', 'failed', NULL, 55
    ) AS made
"""


def test_fees_of_before_are_counted(fresh_url: str) -> None:
    engine = migrations.engine_of(fresh_url)
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO stores VALUES ('st_1', 'Shop', 'USD', 'UTC', 0, false, 0, '')"
        )
        connection.exec_driver_sql(PAYOUTS_OF_0001)
    engine.dispose()

    migrations.upgrade(fresh_url)

    with raw(fresh_url) as migrated:
        rows = migrated.rows("SELECT store_id, grain, bucket, fee_msat, known FROM fee_rollups")
        day = 3 * 86_400_000_000
        assert sorted((row[1], row[2], int(row[3]), int(row[4])) for row in rows) == [
            ("day", day, 700, 1),
            ("quarter", day + 900_000_000, 700, 1),
        ]
        assert migrated.rows("SELECT * FROM card_fee_rollups") == []


def test_cards_of_before_are_taken_for_programmed_and_keep_their_taps(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'older.db'}"
    engine = migrations.engine_of(url)
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0003")
    engine.dispose()
    with raw(url) as older:
        older.run("PRAGMA foreign_keys=OFF")
        for name in ("used", "new"):
            older.run(
                "INSERT INTO key_sets (id, store_id, card_id, version, is_current, k1_hash,"
                f" keys_sealed, last_counter, created_at) VALUES ('{name}', 'st', '{name}', 0, 1,"
                " 'h', x'00', 9, 100)"
            )
        for counter, at in ((2, 200), (9, 900)):
            older.run(
                "INSERT INTO taps (id, store_id, card_id, key_set_id, pull_payment_id, counter,"
                f" state, k1_hash, at, expires_at) VALUES ('t{counter}', 'st', 'used', 'used',"
                f" 'pp', {counter}, 'open', 'k{counter}', {at}, {at})"
            )

    migrations.upgrade(url)

    with raw(url) as newer:
        kept = newer.rows("SELECT id, handed_at, wiped_at, first_tap_at, last_tap_at FROM key_sets")
    assert set(kept) == {("used", 100, None, 200, 900), ("new", 100, None, None, None)}
