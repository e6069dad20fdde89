"""Answers given to POSTs, so that the same request gets the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from models.tables.base import table_of
from models.tables.store import IdempotencyRow
from services.storage.statement import Statement, Transaction, insert_into

_table = table_of(IdempotencyRow)
_ADD = insert_into(_table)
_READ = Statement(
    select(_table.c.body_hash, _table.c.status, _table.c.answer).where(
        _table.c.store_id == bindparam("store_id"),
        _table.c.route == bindparam("route"),
        _table.c.key == bindparam("key"),
    )
)
_FORGET = Statement(delete(_table).where(_table.c.created_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and the hash of the body it answered."""

    body_hash: str
    status: int
    answer: bytes


def read_answer(tx: Transaction, store_id: str, route: str, key: str) -> KeptAnswer | None:
    """Return the answer once given to a key on a route."""
    return tx.one(KeptAnswer, _READ, store_id=store_id, route=route, key=key)


def keep_answer(
    tx: Transaction, store_id: str, route: str, key: str, kept: KeptAnswer, now: datetime
) -> None:
    """Keep an answer; a second one for the same key breaks the primary key."""
    tx.run(
        _ADD,
        store_id=store_id,
        route=route,
        key=key,
        body_hash=kept.body_hash,
        status=kept.status,
        answer=kept.answer,
        created_at=now,
    )


def forget_answers(tx: Transaction, before: datetime) -> int:
    """Drop the answers given before a moment, of all stores."""
    return tx.run(_FORGET, before=before)
