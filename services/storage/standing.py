"""What a store owes, what it paid of late, and which of its budgets are nearest to empty."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, case, func, or_, select, union_all

from models.pull_payment import PullPaymentState
from models.rollup import Figure, Grain, Span, split_range
from models.standing import NEARLY_EMPTY_PARTS, Budget, Owed
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from models.tables.pull_payment import PullPaymentRow
from services.storage.rollup import sum_span
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
_pulls = table_of(PullPaymentRow)

_open = union_all(
    *(
        select(_payouts.c.state, _payouts.c.amount_msat).where(
            _payouts.c.store_id == bindparam("store_id"), _payouts.c.status == status
        )
        for status in (PayoutStatus.PENDING, PayoutStatus.PROCESSING)
    )
).subquery()
# One status at a time, which an index begins with: for either of two, where statistics say that a
# status is a third of all payouts, SQLite would rather read them all.
_OWED = Statement(
    select(
        _open.c.state,
        func.count(),
        func.coalesce(func.sum(_open.c.amount_msat), 0),
        func.sum(case((_open.c.amount_msat.is_(None), 1), else_=0)),
    ).group_by(_open.c.state)
)
_remaining = _pulls.c.budget - _pulls.c.paid - _pulls.c.reserved
_now = bindparam("now", type_=_pulls.c.starts_at.type)
# What is used up is done, not nearly empty: a refund that was claimed whole is nobody's work.
_IS_OPEN = (
    _pulls.c.store_id == bindparam("store_id"),
    _pulls.c.state == PullPaymentState.ACTIVE,
    _pulls.c.starts_at <= _now,
    or_(_pulls.c.expires_at.is_(None), _pulls.c.expires_at > _now),
    _remaining > 0,
)
_BUDGETS = Statement(
    select(
        _pulls.c.id,
        _pulls.c.name,
        _pulls.c.currency,
        _pulls.c.budget,
        _pulls.c.paid,
        _pulls.c.reserved,
        _pulls.c.expires_at,
    )
    .where(*_IS_OPEN)
    .order_by(_remaining * 1000 // _pulls.c.budget, _pulls.c.created_at, _pulls.c.id)
    .limit(bindparam("limit"))
)
_NEARLY_EMPTY = Statement(
    select(func.count())
    .select_from(_pulls)
    .where(*_IS_OPEN, _remaining * NEARLY_EMPTY_PARTS < _pulls.c.budget)
)


def read_owed(tx: Transaction, store_id: str) -> dict[PayoutState, Owed]:
    """Return, by state, the payouts of a store that have not ended."""
    rows = tx.rows(_OWED, store_id=store_id)
    return {row[0]: Owed(int(row[1]), int(row[2]), int(row[3])) for row in rows}


def paid_sats(tx: Transaction, store_id: str, start: datetime, end: datetime) -> int:
    """Return what completed payouts made in a range add up to; the range is whole quarters."""
    paid = Figure()
    for span in split_range(start, end):
        assert span.grain is not None, "a day that begins within a quarter hour"
        by_status = sum_span(tx, store_id, span, card_id=None)
        paid += by_status.get(PayoutStatus.COMPLETED, Figure())
    return paid.amount_sats


def count_completed(tx: Transaction, store_id: str, since: datetime) -> int:
    """Return how many payouts made since a UTC midnight are completed."""
    by_status = sum_span(tx, store_id, Span(Grain.DAY, since, None), card_id=None)
    return by_status.get(PayoutStatus.COMPLETED, Figure()).count


def read_budgets(tx: Transaction, store_id: str, now: datetime, limit: int) -> list[Budget]:
    """Return the open budgets that are nearest to empty."""
    return tx.all(Budget, _BUDGETS, store_id=store_id, now=now, limit=limit)


def count_nearly_empty(tx: Transaction, store_id: str, now: datetime) -> int:
    """Return how many open budgets have less than a tenth left."""
    found = tx.row(_NEARLY_EMPTY, store_id=store_id, now=now)
    return 0 if found is None else int(found[0])
