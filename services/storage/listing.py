"""What a filter asks of payouts, and what those that fit add up to: one statement per shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
)

from models.instants import MICROSECOND
from models.payout_filter import PayoutFilter
from models.period import Fees
from models.rollup import Figure
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage import search
from services.storage.statement import Judged, Statement, Transaction, not_by_index

_payouts = table_of(PayoutRow)
# So many payouts are looked up one by one in a fraction of the time that reading all takes.
FEW = 5_000
# Of one status they come in the order of a page, and need not be sorted to find the first.
FEW_OF_STATUS = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """Which conditions a statement has; their values are parameters."""

    statuses: int
    states: int
    card: bool
    pull_payment: bool
    least: bool
    most: bool
    terms: int
    start: bool
    end: bool
    # The condition that leaves so few payouts that they are gone through first.
    rare: int | None = None
    # How many words of memos begin with each term, where they are asked for one by one.
    words: tuple[int | None, ...] = ()


def sum_rows(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
) -> dict[PayoutStatus, Figure]:
    """Return figures by status, counted from the payouts themselves."""
    shape, params = question_of(tx, store_id, wanted.narrowed(), card_id)
    rows = tx.rows(_sum_statement(shape), **params)
    return {row[0]: Figure(int(row[1]), int(row[2] or 0), int(row[3] or 0)) for row in rows}


def sum_fees(tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None) -> Fees:
    """Return the known fees of completed payouts, counted from the payouts themselves."""
    shape, params = question_of(tx, store_id, wanted.narrowed(), card_id)
    found = tx.row(_fee_statement(shape), **params)
    assert found is not None
    return Fees(int(found[0]), int(found[1]))


def newest_lengths(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None, limit: int
) -> list[timedelta]:
    """Return how long completed payouts took from asked to completed, the newest of them."""
    shape, params = question_of(tx, store_id, wanted.narrowed(), card_id)
    rows = tx.rows(_length_statement(shape), **params, limit=limit)
    return [MICROSECOND * row[0] for row in rows]


def question_of(
    tx: Transaction,
    store_id: str,
    wanted: PayoutFilter,
    card_id: str | None,
    *,
    walks_amounts: bool = False,
    walks_status: bool = False,
) -> tuple[Shape, dict[str, Any]]:
    """Return the shape of a filter's statements, with what to begin with, and their values.

    Who walks the amounts or the statuses in order begins with them anyway.
    """
    shape, params = shape_of(wanted, card_id), params_of(store_id, wanted, card_id)
    rarities = [(term, FEW) for term in range(shape.terms)]
    if wanted.states == (PayoutState.REVERSED,):
        rarities.append((search.BY_REVERSED, FEW))
    if shape.statuses and not walks_status:
        rarities.append((search.BY_STATUS, FEW_OF_STATUS))
    if (shape.least or shape.most) and not walks_amounts:
        rarities.append((search.BY_AMOUNT, FEW))
    for rare, few in rarities:
        found = tx.row(_count_statement(rare, shape), **params, limit=few + 1)
        assert found is not None
        if found[0] <= few:
            return replace(shape, rare=rare), params
    return shape, params


def with_words(
    tx: Transaction, shape: Shape, params: dict[str, Any]
) -> tuple[Shape, dict[str, Any]]:
    """Return the same question for a walk, which asks each payout for the words of a search."""
    words: list[int | None] = []
    for number in range(shape.terms):
        found = search.read_words(tx, params, number)
        words.append(None if found is None else len(found))
        for place, word in enumerate(found or ()):
            params[f"word_{number}_{place}"] = word
    return replace(shape, words=tuple(words)), params


def shape_of(wanted: PayoutFilter, card_id: str | None) -> Shape:
    """Return which conditions a filter has."""
    return Shape(
        statuses=len(wanted.statuses),
        states=len(wanted.states),
        card=card_id is not None,
        pull_payment=wanted.pull_payment_id is not None,
        least=wanted.min_sats is not None,
        most=wanted.max_sats is not None,
        terms=len(search.terms_of(wanted)),
        start=wanted.starts_at is not None,
        end=wanted.ends_at is not None,
    )


def params_of(store_id: str, wanted: PayoutFilter, card_id: str | None) -> dict[str, Any]:
    """Return the values that the conditions of a filter leave open."""
    return {
        "store": store_id,
        "card": card_id,
        "pull_payment": wanted.pull_payment_id,
        "least": wanted.min_sats,
        "most": wanted.max_sats,
        "start": wanted.starts_at,
        "end": wanted.ends_at,
        **search.search_params(wanted),
        **{f"status_is_{number}": status for number, status in enumerate(wanted.statuses)},
        **{f"state_is_{number}": state for number, state in enumerate(wanted.states)},
    }


def _any_of(column: ColumnElement[Any], name: str, count: int) -> ColumnElement[bool]:
    return or_(
        *(column == bindparam(f"{name}_{number}", type_=column.type) for number in range(count))
    )


def conditions(
    shape: Shape, *, by_store: bool = False, walks: bool = False
) -> list[ColumnElement[bool]]:
    """Return what a shape asks of a payout; `params_of` has the values.

    A card or pull payment has an index of its own. SQLite would as soon take the store's, and read
    the store from end to end: so it is offered one of them only, the store's if `by_store`, and
    none where something rare is to be gone through first. Whoever `walks` an index says beside it
    from where to where, and is offered no other by time or status.
    """
    at: ColumnElement[Any] = _payouts.c.created_at
    status: ColumnElement[Any] = _payouts.c.status
    if walks:
        at, status = Judged(at), Judged(status)
    store_id: ColumnElement[Any] = _payouts.c.store_id
    pull_payment_id: ColumnElement[Any] = _payouts.c.pull_payment_id
    card_id: ColumnElement[Any] = _payouts.c.card_id
    if shape.rare is not None:
        store_id, card_id = not_by_index(store_id), not_by_index(card_id)
        pull_payment_id = not_by_index(pull_payment_id)
    elif by_store:
        pull_payment_id = not_by_index(pull_payment_id)
    elif shape.card:
        store_id, pull_payment_id = not_by_index(store_id), not_by_index(pull_payment_id)
    elif shape.pull_payment:
        store_id = not_by_index(store_id)
    optional: list[tuple[bool, ColumnElement[bool]]] = [
        (shape.card, card_id == bindparam("card")),
        (shape.pull_payment, pull_payment_id == bindparam("pull_payment")),
        (shape.least, _payouts.c.amount_sats >= bindparam("least")),
        (shape.most, _payouts.c.amount_sats <= bindparam("most")),
        (shape.start, at >= bindparam("start", type_=at.type)),
        (shape.end, at < bindparam("end", type_=at.type)),
    ]
    found = [store_id == bindparam("store")]
    found += [condition for wanted, condition in optional if wanted]
    if shape.statuses:
        found.append(_any_of(status, "status_is", shape.statuses))
    if shape.states:
        found.append(_any_of(_payouts.c.state, "state_is", shape.states))
    is_alone = shape.terms == 1
    found += [
        search.matches(number, shape.words[number] if shape.words else None, is_alone=is_alone)
        for number in range(shape.terms)
        if number != shape.rare
    ]
    if shape.rare is not None:
        found.append(search.is_among_few(shape.rare, _bounds_of(shape)))
    return found


def _bounds_of(shape: Shape) -> search.Bounds:
    return search.Bounds(shape.terms == 1, shape.least, shape.most, shape.statuses)


def conditions_of(wanted: PayoutFilter, card_id: str | None) -> list[ColumnElement[bool]]:
    """Return what a filter asks of a payout, for other statements on the same rows."""
    return conditions(shape_of(wanted, card_id))


@lru_cache(maxsize=256)
def _count_statement(rare: int, shape: Shape) -> Statement:
    return search.count_statement(rare, _bounds_of(shape))


@lru_cache(maxsize=256)
def _sum_statement(shape: Shape) -> Statement:
    return Statement(
        select(
            _payouts.c.status,
            func.count(),
            func.sum(_payouts.c.amount_sats),
            func.sum(_payouts.c.value_cents),
        )
        .where(*conditions(shape))
        .group_by(_payouts.c.status)
    )


@lru_cache(maxsize=256)
def _fee_statement(shape: Shape) -> Statement:
    fee = _payouts.c.fee_msat
    return Statement(
        select(func.coalesce(func.sum(fee), 0), func.count(fee)).where(
            *conditions(shape), _payouts.c.status == PayoutStatus.COMPLETED
        )
    )


@lru_cache(maxsize=256)
def _length_statement(shape: Shape) -> Statement:
    asked, completed = _payouts.c.created_at, _payouts.c.completed_at
    length = type_coerce(completed, BigInteger) - type_coerce(asked, BigInteger)
    return Statement(
        select(length)
        .where(
            *conditions(shape),
            _payouts.c.status == PayoutStatus.COMPLETED,
            completed.is_not(None),
        )
        .order_by(asked.desc(), _payouts.c.id.desc())
        .limit(bindparam("limit"))
    )
