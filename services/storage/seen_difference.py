"""Differences with Flash's list that a person has seen."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from models.reconciliation import SeenDifference
from models.tables.audit_run import SeenDifferenceRow
from models.tables.base import table_of
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_seen = table_of(SeenDifferenceRow)
LIMIT = 1_000

_ADD = insert_into(_seen)
_READ = Statement(
    select(*columns(SeenDifference, _seen))
    .where(_seen.c.store_id == bindparam("store_id"))
    .order_by(_seen.c.at.desc(), _seen.c.difference)
    .limit(LIMIT)
)


def add_seen(tx: Transaction, store_id: str, seen: SeenDifference) -> None:
    """Keep what was said of a difference; said twice, it breaks a unique constraint."""
    tx.run(_ADD, **record(seen, store_id=store_id))


def read_seen(tx: Transaction, store_id: str) -> list[SeenDifference]:
    """Return what was said of differences, newest first."""
    return tx.all(SeenDifference, _READ, store_id=store_id)
