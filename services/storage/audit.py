"""The record of what people, keys and settings did, numbered per store."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import bindparam, func, or_, select, update

from models.instants import EPOCH
from models.money import MAX_MSAT
from models.record import Entry, EntryFilter
from models.store import Actor, ActorKind
from models.tables.base import table_of
from models.tables.store import AuditRow, StoreRow
from services.storage.statement import Statement, Transaction, columns, insert_into

LAST = datetime(9999, 1, 1, tzinfo=UTC)

_stores = table_of(StoreRow)
_audit = table_of(AuditRow)
_ADD = insert_into(_audit)
# Raising the count locks the store's row, so two writers cannot take the same number.
_NEXT_NUMBER = Statement(
    update(_stores)
    .where(_stores.c.id == bindparam("store"))
    .values(audit_count=_stores.c.audit_count + 1)
    .returning(_stores.c.audit_count)
)

_texts = (
    *(_audit.c.subject_id, _audit.c.address, _audit.c.session_id),
    *(_audit.c.before, _audit.c.after),
)

_READ = Statement(
    select(*columns(Entry, _audit))
    .where(
        _audit.c.store_id == bindparam("store_id"),
        _audit.c.number < bindparam("below"),
        _audit.c.at >= bindparam("since"),
        _audit.c.at < bindparam("until"),
        or_(bindparam("actor") == "", _audit.c.actor_id == bindparam("actor")),
        or_(bindparam("did") == "", _audit.c.action == bindparam("did")),
        or_(bindparam("subject") == "", _audit.c.subject_id == bindparam("subject")),
        or_(bindparam("any_kind") == "yes", _audit.c.actor_kind == bindparam("kind")),
        or_(
            bindparam("pattern") == "",
            func.lower(_audit.c.action).like(bindparam("pattern"), escape="!"),
            *(func.lower(text).like(bindparam("pattern"), escape="!") for text in _texts),
        ),
    )
    .order_by(_audit.c.number.desc())
    .limit(bindparam("limit"))
)
_READ_ACTIONS = Statement(
    select(_audit.c.action)
    .where(_audit.c.store_id == bindparam("store_id"), _audit.c.at >= bindparam("since"))
    .distinct()
    .order_by(_audit.c.action)
    .limit(200)
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
        session_id=actor.session_id,
        agent=actor.agent,
        hash=None,
    )


def read_entries(
    tx: Transaction, store_id: str, wanted: EntryFilter, limit: int, before_number: int | None
) -> list[Entry]:
    """Return entries of a store that a filter lets through, newest first."""
    return tx.all(
        Entry,
        _READ,
        store_id=store_id,
        below=MAX_MSAT if before_number is None else before_number,
        since=wanted.since or EPOCH,
        until=wanted.until or LAST,
        actor=wanted.actor_id or "",
        did=wanted.action or "",
        subject=wanted.subject_id or "",
        any_kind="yes" if wanted.actor_kind is None else "",
        kind=wanted.actor_kind or ActorKind.SYSTEM,
        pattern=_pattern(wanted.text or ""),
        limit=limit,
    )


def read_actions(tx: Transaction, store_id: str, since: datetime) -> list[str]:
    """Return the kinds of acts of a store since a moment."""
    return [str(row[0]) for row in tx.rows(_READ_ACTIONS, store_id=store_id, since=since)]


def _pattern(text: str) -> str:
    """Return what LIKE looks for; what would stand for any letters stands for itself."""
    plain = text.strip().lower()
    for mark in "!%_":
        plain = plain.replace(mark, f"!{mark}")
    return f"%{plain}%" if plain else ""
