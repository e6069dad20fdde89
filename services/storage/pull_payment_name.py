"""Names of pull payments, for whatever shows or chooses one."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from models.choice import Choice
from models.tables.base import table_of
from models.tables.pull_payment import PullPaymentRow
from services.storage.statement import Statement, Transaction

_table = table_of(PullPaymentRow)
_READ = Statement(
    select(_table.c.name).where(
        _table.c.store_id == bindparam("store_id"), _table.c.id == bindparam("id")
    )
)
_NEWEST = Statement(
    select(_table.c.id, _table.c.name)
    .where(_table.c.store_id == bindparam("store_id"))
    .order_by(_table.c.created_at.desc(), _table.c.id.desc())
    .limit(bindparam("limit"))
)


def read_name(tx: Transaction, store_id: str, pull_payment_id: str) -> str | None:
    """Return the name of a pull payment, if the store has it."""
    found = tx.row(_READ, store_id=store_id, id=pull_payment_id)
    return None if found is None else str(found[0])


def newest_names(tx: Transaction, store_id: str, limit: int) -> list[Choice]:
    """Return the newest pull payments by id and name."""
    return tx.all(Choice, _NEWEST, store_id=store_id, limit=limit)
