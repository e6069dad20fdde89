"""What a filter asks of payouts, and what those that fit add up to: one statement per shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from models.instants import MICROSECOND
from models.payout_filter import PayoutFilter
from models.period import Fees
from models.rollup import Figure
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.payout import PayoutRow, PayoutWordRow
from services.plain_words import search_terms, word_of
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
_words = table_of(PayoutWordRow)
_cards = table_of(CardRow)
DESTINATION_START = 64
_AFTER_ALL = "\U0010ffff"
_ESCAPE = "\\"
_WILD, _ESCAPED = re.compile(r"([\\%_])"), r"\\\1"


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


def sum_rows(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
) -> dict[PayoutStatus, Figure]:
    """Return figures by status, counted from the payouts themselves."""
    wanted = wanted.narrowed()
    shape = shape_of(wanted, card_id)
    rows = tx.rows(_sum_statement(shape), **params_of(store_id, wanted, card_id))
    return {row[0]: Figure(int(row[1]), int(row[2] or 0), int(row[3] or 0)) for row in rows}


def sum_fees(tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None) -> Fees:
    """Return the known fees of completed payouts, counted from the payouts themselves."""
    wanted = wanted.narrowed()
    shape = shape_of(wanted, card_id)
    found = tx.row(_fee_statement(shape), **params_of(store_id, wanted, card_id))
    assert found is not None
    return Fees(int(found[0]), int(found[1]))


def newest_lengths(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None, limit: int
) -> list[timedelta]:
    """Return how long completed payouts took from asked to completed, the newest of them."""
    wanted = wanted.narrowed()
    shape = shape_of(wanted, card_id)
    rows = tx.rows(_length_statement(shape), **params_of(store_id, wanted, card_id), limit=limit)
    return [MICROSECOND * row[0] for row in rows]


def shape_of(wanted: PayoutFilter, card_id: str | None) -> Shape:
    """Return which conditions a filter has."""
    return Shape(
        statuses=len(wanted.statuses),
        states=len(wanted.states),
        card=card_id is not None,
        pull_payment=wanted.pull_payment_id is not None,
        least=wanted.min_sats is not None,
        most=wanted.max_sats is not None,
        terms=0 if wanted.q is None else len(search_terms(wanted.q)),
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
        **_term_params(() if wanted.q is None else search_terms(wanted.q)),
        **{f"status_is_{number}": status for number, status in enumerate(wanted.statuses)},
        **{f"state_is_{number}": state for number, state in enumerate(wanted.states)},
    }


def _term_params(terms: tuple[str, ...]) -> dict[str, str]:
    """Return for each term where what starts with it begins and ends, by kind of column."""
    found: dict[str, str] = {}
    for number, term in enumerate(terms):
        starts = {"q": term, "destination": term[:DESTINATION_START], "word": word_of(term)}
        for kind, start in starts.items():
            found[f"{kind}_{number}"] = start
            found[f"{kind}_end_{number}"] = start + _AFTER_ALL
        found[f"inside_{number}"] = f"% {_WILD.sub(_ESCAPED, term)}%"
    return found


def _any_of(column: ColumnElement[Any], name: str, count: int) -> ColumnElement[bool]:
    return or_(
        *(column == bindparam(f"{name}_{number}", type_=column.type) for number in range(count))
    )


def _matches_term(number: int, *, is_alone: bool) -> ColumnElement[bool]:
    """Match a term with the start of an id, hash, destination, alias, or word of the memo.

    Beside other terms it may also begin a later word of the alias.
    """

    def starts(column: ColumnElement[Any], kind: str = "q") -> ColumnElement[bool]:
        low, high = f"{kind}_{number}", f"{kind}_end_{number}"
        return and_(column >= bindparam(low), column < bindparam(high))

    alias = starts(_cards.c.alias_key)
    if not is_alone:
        inside = _cards.c.alias_key.like(bindparam(f"inside_{number}"), escape=_ESCAPE)
        alias = or_(alias, inside)
    with_word = select(_words.c.payout_id).where(
        _words.c.store_id == bindparam("store"), starts(_words.c.word, "word")
    )
    with_alias = select(_cards.c.id).where(_cards.c.store_id == bindparam("store"), alias)
    return or_(
        starts(_payouts.c.id),
        starts(_payouts.c.payment_hash),
        starts(_payouts.c.destination_start, "destination"),
        _payouts.c.id.in_(with_word),
        _payouts.c.card_id.in_(with_alias),
    )


def conditions(shape: Shape, *, by_store: bool = False) -> list[ColumnElement[bool]]:
    """Return what a shape asks of a payout; `params_of` has the values.

    A card or pull payment has an index of its own. SQLite would as soon take the store's, and read
    the store from end to end: so it is offered one of them only, the store's if `by_store`.
    """
    at = _payouts.c.created_at
    store_id: ColumnElement[Any] = _payouts.c.store_id
    pull_payment_id: ColumnElement[Any] = _payouts.c.pull_payment_id
    if by_store:
        pull_payment_id = _not_by_index(pull_payment_id)
    elif shape.card or shape.pull_payment:
        store_id = _not_by_index(store_id)
    optional: list[tuple[bool, ColumnElement[bool]]] = [
        (shape.card, _payouts.c.card_id == bindparam("card")),
        (shape.pull_payment, pull_payment_id == bindparam("pull_payment")),
        (shape.least, _payouts.c.amount_sats >= bindparam("least")),
        (shape.most, _payouts.c.amount_sats <= bindparam("most")),
        (shape.start, at >= bindparam("start", type_=at.type)),
        (shape.end, at < bindparam("end", type_=at.type)),
    ]
    found = [store_id == bindparam("store")]
    found += [condition for wanted, condition in optional if wanted]
    if shape.statuses:
        found.append(_any_of(_payouts.c.status, "status_is", shape.statuses))
    if shape.states:
        found.append(_any_of(_payouts.c.state, "state_is", shape.states))
    is_alone = shape.terms == 1
    found += [_matches_term(number, is_alone=is_alone) for number in range(shape.terms)]
    return found


def _not_by_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the same value in a form that no index has."""
    return column.concat(literal_column("''"))


def conditions_of(wanted: PayoutFilter, card_id: str | None) -> list[ColumnElement[bool]]:
    """Return what a filter asks of a payout, for other statements on the same rows."""
    return conditions(shape_of(wanted, card_id))


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
