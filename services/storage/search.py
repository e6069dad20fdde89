"""The terms of a search and the bounds of amounts, and whether one of them leaves few payouts.

An index per way to be found would be merged with the order of a page at the price of reading the
whole store. Where few payouts fit one condition, statements begin with those instead.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from models.money import MSAT_PER_SAT
from models.payout_filter import PayoutFilter
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.payout import PayoutRow, PayoutWordRow
from services.plain_words import search_terms, word_of
from services.storage.statement import Statement, among

_payouts = table_of(PayoutRow)
_words = table_of(PayoutWordRow)
_cards = table_of(CardRow)
# Inside a statement on payouts its own rows would be meant by the same name.
_some = _payouts.alias("some")
DESTINATION_START = 64
BY_AMOUNT = -1
_AFTER_ALL = "\U0010ffff"
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


def matches(number: int, *, is_alone: bool) -> ColumnElement[bool]:
    """Match a term with the start of an id, hash, destination, alias, or word of the memo.

    Beside other terms it may also begin a later word of the alias.
    """
    return or_(*_ways(_payouts, number, is_alone=is_alone))


def is_among_few(rare: int, *, is_alone: bool, least: bool, most: bool) -> ColumnElement[bool]:
    """Return the condition of a term, or of the amounts, as a list of ids to begin with."""
    return _payouts.c.id.in_(_few(rare, is_alone=is_alone, least=least, most=most))


def count_statement(rare: int, *, is_alone: bool, least: bool, most: bool) -> Statement:
    """Return the statement that counts what one condition leaves, up to a limit."""
    found = _few(rare, is_alone=is_alone, least=least, most=most).limit(bindparam("limit"))
    return Statement(select(func.count()).select_from(found.subquery()))


def _few(rare: int, *, is_alone: bool, least: bool, most: bool) -> Any:
    if rare != BY_AMOUNT:
        return union_all(*(_ids(way) for way in _ways(_some, rare, is_alone=is_alone)))
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


def _ways(table: FromClause, number: int, *, is_alone: bool) -> list[ColumnElement[bool]]:
    """Return the ways in which a term finds a payout; each has an index."""

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
    is_of_store = table.c.store_id == bindparam("store")
    return [
        starts(table.c.id),
        and_(is_of_store, starts(table.c.payment_hash)),
        and_(is_of_store, starts(table.c.destination_start, "destination")),
        table.c.id.in_(with_word),
        table.c.card_id.in_(with_alias),
    ]
