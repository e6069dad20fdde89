"""Pages of payouts by filter, in three orders: keyset-paged, one statement per shape.

Each order walks an index from where the last page ended. Where an index begins with the status,
one walk is made for each status that is wanted, and the heads of the walks are merged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    literal_column,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from models.payout import Payout
from models.payout_filter import PayoutFilter
from models.payout_order import Mark, PayoutOrder
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage.listing import Shape, conditions, question_of
from services.storage.payout import COLUMNS
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
# So many payouts are sorted in a few milliseconds.
FEW = 1_000
_SOME = Statement(
    select(literal_column("1"))
    .where(_payouts.c.pull_payment_id == bindparam("pull_payment"))
    .limit(bindparam("limit"))
)
_KEY: dict[PayoutOrder, ColumnElement[Any]] = {
    PayoutOrder.CREATED: _payouts.c.created_at,
    PayoutOrder.AMOUNT: _payouts.c.amount_msat,
    PayoutOrder.COMPLETED: _payouts.c.completed_at,
}


@dataclass(frozen=True, slots=True)
class _Walk:
    """What a page's statement is made from; values are parameters."""

    shape: Shape
    order: PayoutOrder
    has_before: bool
    heads: int
    by_store: bool


def page(
    tx: Transaction,
    store_id: str,
    wanted: PayoutFilter,
    card_id: str | None,
    limit: int,
    order: PayoutOrder,
    before: Mark | None,
) -> list[Payout]:
    """Return payouts that fit a filter, in an order, from behind a mark of that order."""
    wanted = wanted.narrowed()
    if order is PayoutOrder.COMPLETED:
        if PayoutStatus.COMPLETED not in (wanted.statuses or PayoutStatus):
            return []
        wanted = replace(wanted, statuses=(PayoutStatus.COMPLETED,))
    walks_amounts = order is PayoutOrder.AMOUNT
    shape, params = question_of(tx, store_id, wanted, card_id, walks_amounts=walks_amounts)
    by_store, heads = False, tuple[PayoutStatus, ...]()
    if shape.rare is None:
        by_store = _walks_store(tx, wanted, card_id, order)
        heads = _heads(wanted, card_id, order, by_store=by_store)
    params |= {f"head_{number}": status for number, status in enumerate(heads)}
    if before is not None:
        params |= {"before_value": before.value, "before_id": before.id}
    rest = replace(shape, statuses=0) if heads else shape
    walk = _Walk(rest, order, before is not None, len(heads), by_store)
    return tx.all(Payout, _statement(walk), **params, limit=limit)


def _walks_store(
    tx: Transaction, wanted: PayoutFilter, card_id: str | None, order: PayoutOrder
) -> bool:
    """Tell whether to walk the store's payouts past those of other pull payments.

    A pull payment has no index by amount or completion: each would slow every tap. Its payouts
    are sorted where they are few, and where they are many one meets them often on the way.
    """
    pull_payment_id = wanted.pull_payment_id
    if pull_payment_id is None or order is PayoutOrder.CREATED:
        return False
    if card_id is not None or wanted.q is not None:
        return False
    return len(tx.rows(_SOME, pull_payment=pull_payment_id, limit=FEW + 1)) > FEW


def _heads(
    wanted: PayoutFilter, card_id: str | None, order: PayoutOrder, *, by_store: bool
) -> tuple[PayoutStatus, ...]:
    """Return the statuses that are walked one by one; none means one walk over all."""
    if card_id is not None or wanted.q is not None or order is PayoutOrder.COMPLETED:
        return ()
    if wanted.pull_payment_id is not None and not by_store:
        return ()
    if order is PayoutOrder.AMOUNT:
        return wanted.statuses or tuple(PayoutStatus)
    return wanted.statuses


def _conditions(walk: _Walk) -> list[ColumnElement[bool]]:
    key, shape = _KEY[walk.order], walk.shape
    found = conditions(shape, by_store=walk.by_store)
    if walk.order is not PayoutOrder.CREATED:
        found.append(key.is_not(None))
    if walk.order is PayoutOrder.AMOUNT and shape.least:
        found.append(key > bindparam("above_msat", type_=key.type))
    if walk.order is PayoutOrder.AMOUNT and shape.most:
        found.append(key <= bindparam("most_msat", type_=key.type))
    if walk.order is PayoutOrder.COMPLETED and shape.start:
        # Nothing is completed before it is asked for: the walk ends here.
        found.append(key >= bindparam("start", type_=key.type))
    if walk.has_before:
        place = tuple_(
            bindparam("before_value", type_=BigInteger()),
            bindparam("before_id", type_=_payouts.c.id.type),
        )
        found.append(tuple_(type_coerce(key, BigInteger), _payouts.c.id) < place)
    return found


def _ordered(walk: _Walk, chosen: Select[Any]) -> Select[Any]:
    key = _KEY[walk.order]
    return (
        chosen.where(*_conditions(walk))
        .order_by(key.desc(), _payouts.c.id.desc())
        .limit(bindparam("limit"))
    )


@lru_cache(maxsize=512)
def _statement(walk: _Walk) -> Statement:
    if walk.heads == 0:
        return Statement(_ordered(walk, select(*COLUMNS)))
    status, key = _payouts.c.status, _KEY[walk.order]
    heads = [
        status == bindparam(f"head_{number}", type_=status.type) for number in range(walk.heads)
    ]
    if walk.heads == 1:
        return Statement(_ordered(walk, select(*COLUMNS).where(heads[0])))
    walks = [
        select(_ordered(walk, select(_payouts.c.id, key.label("value")).where(head)).subquery())
        for head in heads
    ]
    merged = union_all(*walks).subquery()
    top = (
        select(merged.c.id)
        .order_by(merged.c.value.desc(), merged.c.id.desc())
        .limit(bindparam("limit"))
        .subquery()
    )
    return Statement(
        select(*COLUMNS)
        .select_from(top.join(_payouts, _payouts.c.id == top.c.id))
        .order_by(key.desc(), _payouts.c.id.desc())
    )
