"""Triggers that keep the books append-only, in both dialects."""

from __future__ import annotations

APPEND_ONLY = ("ledger", "payout_events", "audit")


def _sqlite(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


_POSTGRESQL_FUNCTION = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
)


def _postgresql(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(_sqlite(table, verb) for table in APPEND_ONLY for verb in ("UPDATE", "DELETE")),
    "postgresql": (_POSTGRESQL_FUNCTION, *(_postgresql(table) for table in APPEND_ONLY)),
}
