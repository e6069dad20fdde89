"""The record of what people, keys and settings did, numbered per store."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, update

from models.store import Actor
from models.tables.base import table_of
from models.tables.store import AuditRow, StoreRow
from services.storage.statement import Statement, Transaction, insert_into

_stores = table_of(StoreRow)
_ADD = insert_into(table_of(AuditRow))
# Raising the count locks the store's row, so two writers cannot take the same number.
_NEXT_NUMBER = Statement(
    update(_stores)
    .where(_stores.c.id == bindparam("store"))
    .values(audit_count=_stores.c.audit_count + 1)
    .returning(_stores.c.audit_count)
)


def add_audit(
    tx: Transaction,
    store_id: str,
    actor: Actor,
    action: str,
    *,
    now: datetime,
    subject_id: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Record who did what to which thing; texts before and after never hold secrets."""
    found = tx.row(_NEXT_NUMBER, store=store_id)
    assert found is not None, "audit of an unknown store"
    tx.run(
        _ADD,
        store_id=store_id,
        number=found[0],
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_id=subject_id,
        before=before,
        after=after,
        address=actor.address,
        request_id=actor.request_id,
        hash=None,
    )
