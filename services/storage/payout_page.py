"""Pages of payouts by filter, in three orders: keyset-paged, one statement per shape.

Each order walks an index from where the last page ended. Where an index begins with the status,
one walk is made for each status that is wanted, and the heads of the walks are merged. A walk that
may pass by many payouts for each that fits ends after some thousands, and says where.
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
from services.storage import pull_payment_name as pull_payments
from services.storage.listing import Shape, conditions, question_of, with_words
from services.storage.payout import COLUMNS
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
# So many payouts are sorted in a few milliseconds.
FEW = 1_000
# So many are looked at, at most, to fill a page; most are full by the first few.
LOOKED = (300, 5_000)
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
    has_end: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Payouts of a page; they are fewer than wanted if the walk ended at a mark."""

    payouts: list[Payout]
    looked_to: Mark | None = None


def page(
    tx: Transaction,
    store_id: str,
    wanted: PayoutFilter,
    card_id: str | None,
    limit: int,
    order: PayoutOrder,
    before: Mark | None,
) -> Found:
    """Return payouts that fit a filter, in an order, from behind a mark of that order."""
    wanted = wanted.narrowed()
    if order is PayoutOrder.COMPLETED:
        if PayoutStatus.COMPLETED not in (wanted.statuses or PayoutStatus):
            return Found([])
        wanted = replace(wanted, statuses=(PayoutStatus.COMPLETED,))
    is_free = card_id is None and wanted.pull_payment_id is None
    pull_payment_id = wanted.pull_payment_id
    if pull_payment_id and pull_payments.read_name(tx, store_id, pull_payment_id) is None:
        return Found([])  # another store's, whose places are none of ours
    shape, params = question_of(
        tx,
        store_id,
        wanted,
        card_id,
        walks_amounts=order is PayoutOrder.AMOUNT,
        walks_status=is_free or order is PayoutOrder.COMPLETED,
    )
    by_store, heads = False, tuple[PayoutStatus, ...]()
    if shape.rare is None:
        shape, params = with_words(tx, shape, params)
        by_store = _walks_store(tx, wanted, card_id, order)
        heads = _heads(wanted, card_id, order, by_store=by_store)
    params |= {f"head_{number}": status for number, status in enumerate(heads)}
    if before is not None:
        params |= {"before_value": before.value, "before_id": before.id}
    rest = replace(shape, statuses=0) if heads else shape
    walk = _Walk(rest, order, before is not None, len(heads), by_store)
    for looked in LOOKED if _may_pass_by(walk) else ():
        end = _end_of(tx, walk, params, looked)
        if end is None:
            break
        params |= {"end_value": end.value, "end_id": end.id}
        found = tx.all(Payout, _statement(replace(walk, has_end=True)), **params, limit=limit)
        if len(found) == limit or looked == LOOKED[-1]:
            return Found(found, end if len(found) < limit else None)
    return Found(tx.all(Payout, _statement(walk), **params, limit=limit))


def _may_pass_by(walk: _Walk) -> bool:
    """Tell whether a walk meets payouts that do not fit."""
    shape = walk.shape
    if shape.rare is not None:
        return False
    has_statuses = shape.statuses and walk.order is not PayoutOrder.COMPLETED
    has_amounts = (shape.least or shape.most) and walk.order is not PayoutOrder.AMOUNT
    # The store's own indexes end in the time; those of a card do not.
    has_range = shape.card and (shape.start or shape.end) and walk.order is not PayoutOrder.CREATED
    has_both = shape.pull_payment and (shape.card or walk.by_store)
    return bool(shape.states or shape.terms or has_statuses or has_amounts or has_range or has_both)


def _end_of(tx: Transaction, walk: _Walk, params: dict[str, Any], looked: int) -> Mark | None:
    """Return up to where a page is looked for: where the first of its walks has gone far enough."""
    ends = [
        tx.row(_end_statement(walk, head), **params, looked=looked)
        for head in range(max(1, walk.heads))
    ]
    marks = [Mark(walk.order, int(row[0]), row[1]) for row in ends if row is not None]
    return max(marks, key=lambda mark: (mark.value, mark.id), default=None)


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
    if card_id is not None:
        return False
    return len(tx.rows(_SOME, pull_payment=pull_payment_id, limit=FEW + 1)) > FEW


def _heads(
    wanted: PayoutFilter, card_id: str | None, order: PayoutOrder, *, by_store: bool
) -> tuple[PayoutStatus, ...]:
    """Return the statuses that are walked one by one; none means one walk over all."""
    if card_id is not None or order is PayoutOrder.COMPLETED:
        return ()
    if wanted.pull_payment_id is not None and not by_store:
        return ()
    if order is PayoutOrder.AMOUNT:
        return wanted.statuses or tuple(PayoutStatus)
    return wanted.statuses


def _place(name: str) -> ColumnElement[Any]:
    return tuple_(
        bindparam(f"{name}_value", type_=BigInteger()),
        bindparam(f"{name}_id", type_=_payouts.c.id.type),
    )


def _bounds_of(walk: _Walk) -> list[ColumnElement[bool]]:
    """Return between which places of its order a walk goes."""
    key, shape = _KEY[walk.order], walk.shape
    found: list[ColumnElement[bool]] = []
    if walk.order is not PayoutOrder.CREATED:
        found.append(key.is_not(None))
    if walk.order is PayoutOrder.AMOUNT and shape.least:
        found.append(key > bindparam("above_msat", type_=key.type))
    if walk.order is PayoutOrder.AMOUNT and shape.most:
        found.append(key <= bindparam("most_msat", type_=key.type))
    # Nothing is completed before it is asked for: that walk ends there, too. Where a place says
    # more, SQLite would take both for a better reason to walk the whole store.
    if walk.order is not PayoutOrder.AMOUNT and shape.start and not walk.has_end:
        found.append(key >= bindparam("start", type_=key.type))
    if walk.order is PayoutOrder.CREATED and shape.end and not walk.has_before:
        found.append(key < bindparam("end", type_=key.type))
    here = tuple_(type_coerce(key, BigInteger), _payouts.c.id)
    if walk.has_before:
        found.append(here < _place("before"))
    if walk.has_end:
        found.append(here >= _place("end"))
    return found


def _ordered(walk: _Walk, chosen: Select[Any]) -> Select[Any]:
    key = _KEY[walk.order]
    fits = conditions(walk.shape, by_store=walk.by_store, walks=True)
    return (
        chosen.where(*fits, *_bounds_of(walk))
        .order_by(key.desc(), _payouts.c.id.desc())
        .limit(bindparam("limit"))
    )


def _head(number: int) -> ColumnElement[bool]:
    status = _payouts.c.status
    return status == bindparam(f"head_{number}", type_=status.type)


@lru_cache(maxsize=512)
def _end_statement(walk: _Walk, head: int) -> Statement:
    """Return what finds the last payout of a walk that is looked at, by its index alone."""
    key, shape = _KEY[walk.order], walk.shape
    if shape.card:
        along = [_payouts.c.card_id == bindparam("card")]
    elif shape.pull_payment and not walk.by_store:
        along = [_payouts.c.pull_payment_id == bindparam("pull_payment")]
    else:
        along = [_payouts.c.store_id == bindparam("store")]
    if walk.heads:
        along.append(_head(head))
    return Statement(
        select(type_coerce(key, BigInteger), _payouts.c.id)
        .where(*along, *_bounds_of(walk))
        .order_by(key.desc(), _payouts.c.id.desc())
        .limit(1)
        .offset(bindparam("looked"))
    )


@lru_cache(maxsize=512)
def _statement(walk: _Walk) -> Statement:
    if walk.heads == 0:
        return Statement(_ordered(walk, select(*COLUMNS)))
    key = _KEY[walk.order]
    heads = [_head(number) for number in range(walk.heads)]
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
