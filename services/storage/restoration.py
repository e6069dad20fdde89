"""Restored copies: how far each store has come, and the payouts that are kept back meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.hold import MATCHED, OF_A_COPY
from models.payout import Payout
from models.restoration import Restoration
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.hold import HoldRow
from models.tables.payout import PayoutRow
from models.tables.restoration import RestorationRow
from services.storage.statement import (
    Judged,
    Statement,
    Transaction,
    among,
    columns,
    record,
)

_restorations = table_of(RestorationRow)
_payouts = table_of(PayoutRow)
_holds = table_of(HoldRow)
_PAYOUT_COLUMNS = columns(Payout, _payouts)

_adding = insert(_restorations).values(
    {column.name: bindparam(column.name) for column in _restorations.columns}
)
_PUT = Statement(
    _adding.on_conflict_do_update(
        index_elements=["store_id"],
        set_={
            column.name: _adding.excluded[column.name]
            for column in _restorations.columns
            if column.name != "store_id"
        },
    )
)
_READ_OPEN = Statement(
    select(*columns(Restoration, _restorations)).where(
        _restorations.c.store_id == bindparam("store_id"), _restorations.c.ended_at.is_(None)
    )
)
_SET_READ = Statement(
    update(_restorations)
    .where(_restorations.c.store_id == bindparam("in_store"), _restorations.c.read_at.is_(None))
    .values(read_at=bindparam("now"))
)
_SET_OPENED = Statement(
    update(_restorations)
    .where(_restorations.c.store_id == bindparam("in_store"))
    .values(opened_at=bindparam("now"))
)
_SET_ENDED = Statement(
    update(_restorations)
    .where(_restorations.c.store_id == bindparam("in_store"), _restorations.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
# What is with a person already stays there.
_READ_LOOSE = Statement(
    select(*_PAYOUT_COLUMNS)
    .where(
        _payouts.c.store_id == bindparam("store_id"),
        among(_payouts.c.status, (PayoutStatus.PENDING, PayoutStatus.PROCESSING)),
        _payouts.c.state != PayoutState.NEEDS_REVIEW,
        ~exists().where(
            _holds.c.payout_id == _payouts.c.id,
            _holds.c.released_at.is_(None),
            among(_holds.c.reason, OF_A_COPY),
        ),
    )
    # Few are open: they are found by their status and sorted, not looked for among all by id.
    .order_by(Judged(_payouts.c.id))
    .limit(bindparam("limit"))
)
_READ_KEPT = Statement(
    select(*_PAYOUT_COLUMNS, _holds.c.reason)
    .join(_holds, _holds.c.payout_id == _payouts.c.id)
    .where(
        _holds.c.store_id == bindparam("store_id"),
        _holds.c.released_at.is_(None),
        among(_holds.c.reason, tuple(reason for reason in OF_A_COPY if reason != MATCHED)),
        among(_payouts.c.status, (PayoutStatus.PENDING, PayoutStatus.PROCESSING)),
        _payouts.c.state != PayoutState.NEEDS_REVIEW,
        _payouts.c.id > bindparam("after"),
    )
    .order_by(_payouts.c.id)
    .limit(bindparam("limit"))
)
_COUNT_MATCHED = Statement(
    select(func.count())
    .select_from(_holds)
    .join(_payouts, _payouts.c.id == _holds.c.payout_id)
    .where(
        _holds.c.store_id == bindparam("store_id"),
        _holds.c.released_at.is_(None),
        _holds.c.reason == MATCHED,
        _payouts.c.status == PayoutStatus.PENDING,
    )
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A payout that is kept back, and why."""

    payout: Payout
    reason: str


def put_restoration(tx: Transaction, restoration: Restoration) -> None:
    """Begin a restoration of a store, in place of the one before."""
    tx.run(_PUT, **record(restoration))


def read_open(tx: Transaction, store_id: str) -> Restoration | None:
    """Return the restoration of a store that is not over."""
    return tx.one(Restoration, _READ_OPEN, store_id=store_id)


def set_read(tx: Transaction, store_id: str, now: datetime) -> None:
    """Remember when Flash's list was first read whole."""
    tx.run(_SET_READ, in_store=store_id, now=now)


def set_opened(tx: Transaction, store_id: str, now: datetime) -> None:
    """Remember when an owner opened the gate."""
    tx.run(_SET_OPENED, in_store=store_id, now=now)


def set_ended(tx: Transaction, store_id: str, now: datetime) -> bool:
    """Call a restoration over; False if it was."""
    return tx.run(_SET_ENDED, in_store=store_id, now=now) == 1


def read_loose(tx: Transaction, store_id: str, limit: int) -> list[Payout]:
    """Return open payouts that nothing keeps back yet, and that no person was asked about."""
    return tx.all(Payout, _READ_LOOSE, store_id=store_id, limit=limit)


def read_kept(tx: Transaction, store_id: str, after: str, limit: int) -> list[Kept]:
    """Return what is kept back and fits no debit so far, by id."""
    rows = tx.rows(_READ_KEPT, store_id=store_id, after=after, limit=limit)
    return [Kept(Payout(*row[:-1]), row[-1]) for row in rows]


def count_matched(tx: Transaction, store_id: str) -> int:
    """Return how many payouts wait for a person because a debit could be them."""
    found = tx.row(_COUNT_MATCHED, store_id=store_id)
    return 0 if found is None else int(found[0])
