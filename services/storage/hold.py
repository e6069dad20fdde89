"""Holds: placed, released by a person or by their date, and asked for before every send."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from models.hold import Hold
from models.tables.base import table_of
from models.tables.hold import HoldRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_holds = table_of(HoldRow)
_COLUMNS = columns(Hold, _holds)
_OF_PAYOUT = (
    _holds.c.store_id == bindparam("store_id"),
    _holds.c.payout_id == bindparam("payout_id"),
)

_ADD = insert_into(_holds)
_READ = Statement(select(*_COLUMNS).where(*_OF_PAYOUT).order_by(_holds.c.placed_at))
_OPEN = Statement(select(*_COLUMNS).where(*_OF_PAYOUT, _holds.c.released_at.is_(None)))
_RELEASE_DUE = Statement(
    update(_holds)
    .where(
        _holds.c.released_at.is_(None),
        _holds.c.release_at <= bindparam("now", type_=_holds.c.release_at.type),
    )
    .values(released_at=bindparam("now"))
    .returning(_holds.c.store_id, _holds.c.payout_id)
)
_RELEASE = Statement(
    update(_holds)
    .where(
        _holds.c.store_id == bindparam("in_store"),
        _holds.c.payout_id == bindparam("of_payout"),
        _holds.c.released_at.is_(None),
    )
    .values(released_at=bindparam("now"), released_by=bindparam("by"))
)


def add_hold(tx: Transaction, hold: Hold) -> None:
    """Place a hold; a second open one of a payout breaks a unique constraint."""
    tx.run(_ADD, **record(hold))


def open_hold(tx: Transaction, store_id: str, payout_id: str) -> Hold | None:
    """Return the hold that keeps a payout from being sent."""
    return tx.one(Hold, _OPEN, store_id=store_id, payout_id=payout_id)


def read_holds(tx: Transaction, store_id: str, payout_id: str) -> list[Hold]:
    """Return all holds a payout has had, in order."""
    return tx.all(Hold, _READ, store_id=store_id, payout_id=payout_id)


def release_hold(
    tx: Transaction, store_id: str, payout_id: str, now: datetime, by: str | None
) -> bool:
    """Release the hold of a payout; False if none is open."""
    touched = tx.run(_RELEASE, in_store=store_id, of_payout=payout_id, now=now, by=by)
    return touched > 0


def release_due(tx: Transaction, now: datetime) -> list[tuple[str, str]]:
    """Release every dated hold whose day has come; returns store and payout of each."""
    return [(row[0], row[1]) for row in tx.rows(_RELEASE_DUE, now=now)]
