"""The terms of a search and the bounds of amounts, and whether one of them leaves few payouts.

An index per way to be found would be merged with the order of a page at the price of reading the
whole store. Where few payouts fit one condition, statements begin with those instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
)

from models.money import MSAT_PER_SAT
from models.payout_filter import PayoutFilter
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.payout import PayoutRow, PayoutWordRow
from services.plain_words import search_terms, word_of
from services.storage.statement import Statement, Transaction, among

_payouts = table_of(PayoutRow)
_words = table_of(PayoutWordRow)
_cards = table_of(CardRow)
# Inside a statement on payouts its own rows would be meant by the same name.
_some = _payouts.alias("some")
DESTINATION_START = 64
BY_AMOUNT, BY_STATUS, BY_REVERSED = -1, -2, -3
# A term that begins more words than these is looked up by all of them together.
MOST_WORDS = 16
_AFTER_ALL = "\U0010ffff"
_word = _words.c.word
_IN_STORE = _words.c.store_id == bindparam("store")
_FIRST_WORD, _NEXT_WORD = (
    Statement(
        select(_word).where(_IN_STORE, begins, _word < bindparam("end")).order_by(_word).limit(1)
    )
    for begins in (_word >= bindparam("after"), _word > bindparam("after"))
)
_ESCAPE = "\\"
_WILD, _ESCAPED = re.compile(r"([\\%_])"), r"\\\1"


def terms_of(wanted: PayoutFilter) -> tuple[str, ...]:
    """Return the terms that a filter searches for."""
    return () if wanted.q is None else search_terms(wanted.q)


def search_params(wanted: PayoutFilter) -> dict[str, Any]:
    """Return for each term where what starts with it begins and ends, and amounts to the msat."""
    least, most = wanted.min_sats, wanted.max_sats
    found: dict[str, Any] = {
        # Sats are rounded up, so that both ends are known.
        "above_msat": None if least is None else (least - 1) * MSAT_PER_SAT,
        "most_msat": None if most is None else most * MSAT_PER_SAT,
    }
    for number, term in enumerate(terms_of(wanted)):
        starts = {"q": term, "destination": term[:DESTINATION_START], "word": word_of(term)}
        for kind, start in starts.items():
            found[f"{kind}_{number}"] = start
            found[f"{kind}_end_{number}"] = start + _AFTER_ALL
        found[f"inside_{number}"] = f"% {_WILD.sub(_ESCAPED, term)}%"
    return found


def matches(number: int, words: int | None, *, is_alone: bool) -> ColumnElement[bool]:
    """Match a term with the start of an id, hash, destination, alias, or word of the memo.

    Beside other terms it may also begin a later word of the alias. Where its words are known, each
    payout is asked for them; otherwise a list is made of all that have one.
    """
    return or_(*_ways(_payouts, number, words, is_alone=is_alone))


def read_words(tx: Transaction, params: dict[str, Any], number: int) -> list[str] | None:
    """Return the words of memos that begin with a term, or nothing where they are many.

    From one to the next by an index, however many payouts have them.
    """
    found: list[str] = []
    after, end = params[f"word_{number}"], params[f"word_end_{number}"]
    statement = _FIRST_WORD
    while (row := tx.row(statement, store=params["store"], after=after, end=end)) is not None:
        found.append(after := row[0])
        statement = _NEXT_WORD
        if len(found) > MOST_WORDS:
            return None
    return found


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a filter has that few payouts may fit."""

    is_alone: bool
    least: bool
    most: bool
    statuses: int


def is_among_few(rare: int, bounds: Bounds) -> ColumnElement[bool]:
    """Return one condition of a filter as a list of ids to begin with."""
    return _payouts.c.id.in_(_few(rare, bounds))


def count_statement(rare: int, bounds: Bounds) -> Statement:
    """Return the statement that counts what one condition leaves, up to a limit."""
    found = _few(rare, bounds).limit(bindparam("limit"))
    return Statement(select(func.count()).select_from(found.subquery()))


def _few(rare: int, bounds: Bounds) -> Any:
    store_id, status = _some.c.store_id == bindparam("store"), _some.c.status
    if rare == BY_REVERSED:
        return _ids(store_id, _some.c.state == PayoutState.REVERSED)
    if rare == BY_STATUS:
        wanted = (
            _ids(store_id, status == bindparam(f"status_is_{number}", type_=status.type))
            for number in range(bounds.statuses)
        )
        return union_all(*wanted)
    if rare == BY_AMOUNT:
        return _by_amount(least=bounds.least, most=bounds.most)
    # Those that have a word are named by its index; asked of payouts, all would be listed first.
    ways = (_ids(way) for way in _ways(_some, rare, 0, is_alone=bounds.is_alone))
    return union_all(_with_word(rare), *ways)


def _by_amount(*, least: bool, most: bool) -> Any:
    amount = _some.c.amount_msat
    bounds = [
        _some.c.store_id == bindparam("store"),
        amount.is_not(None),
        among(_some.c.status, PayoutStatus),
    ]
    if least:
        bounds.append(amount > bindparam("above_msat", type_=amount.type))
    if most:
        bounds.append(amount <= bindparam("most_msat", type_=amount.type))
    return _ids(*bounds)


def _ids(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return ids by the index of a condition; the store is asked for by whoever takes them."""
    return select(_some.c.id).where(*conditions)


def _ways(
    table: FromClause, number: int, words: int | None, *, is_alone: bool
) -> list[ColumnElement[bool]]:
    """Return the ways in which a term finds a payout; each has an index."""

    def starts(column: ColumnElement[Any], kind: str = "q") -> ColumnElement[bool]:
        return _starts(column, f"{kind}_{number}", f"{kind}_end_{number}")

    alias = starts(_cards.c.alias_key)
    if not is_alone:
        inside = _cards.c.alias_key.like(bindparam(f"inside_{number}"), escape=_ESCAPE)
        alias = or_(alias, inside)
    with_word = [_has_word(table, f"word_{number}_{place}") for place in range(words or 0)]
    if words is None:
        with_word = [table.c.id.in_(_with_word(number))]
    with_alias = select(_cards.c.id).where(_cards.c.store_id == bindparam("store"), alias)
    is_of_store = table.c.store_id == bindparam("store")
    return [
        starts(table.c.id),
        and_(is_of_store, starts(table.c.payment_hash)),
        and_(is_of_store, starts(table.c.destination_start, "destination")),
        *with_word,
        table.c.card_id.in_(with_alias),
    ]


def _starts(column: ColumnElement[Any], low: str, high: str) -> ColumnElement[bool]:
    return and_(column >= bindparam(low), column < bindparam(high))


def _with_word(number: int) -> Select[Any]:
    return select(_words.c.payout_id).where(
        _IN_STORE, _starts(_word, f"word_{number}", f"word_end_{number}")
    )


def _has_word(table: FromClause, name: str) -> ColumnElement[bool]:
    return exists().where(_IN_STORE, _word == bindparam(name), _words.c.payout_id == table.c.id)
