"""What the rollups of a UTC day must never say: they are the day's payouts, counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Table,
    bindparam,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)

from models.instants import MICROSECOND, QUARTER_HOUR, to_us
from models.invariant import Invariant
from models.rollup import DAY, Grain, bucket_of
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.ledger import CardFeeRollupRow, CardRollupRow, FeeRollupRow, RollupRow
from models.tables.payout import PayoutRow
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
_LENGTH = {Grain.QUARTER: QUARTER_HOUR // MICROSECOND, Grain.DAY: DAY // MICROSECOND}
LIMIT = 20  # of one question of one day


def _bucket(grain: Grain) -> Any:
    created_us = type_coerce(_payouts.c.created_at, BigInteger)
    return (created_us - created_us % _LENGTH[grain]).label("bucket")


def _between(column: Any) -> tuple[Any, Any]:
    return (
        column >= bindparam("start", type_=column.type),
        column < bindparam("end", type_=column.type),
    )


def _question(
    grain: Grain,
    table: Table,
    keys: tuple[str, ...],
    sums: dict[str, Any],
    *conditions: Any,
) -> Statement:
    """Return what finds the buckets in which rolled and counted sums are not the same."""
    counted = select(
        _bucket(grain),
        *(_payouts.c[key] for key in keys),
        *(told.label(name) for name, told in sums.items()),
    ).where(
        _payouts.c.store_id == bindparam("store_id"), *_between(_payouts.c.created_at), *conditions
    )
    rolled = select(
        type_coerce(table.c.bucket, BigInteger).label("bucket"),
        *(table.c[key] for key in keys),
        *((-table.c[name]).label(name) for name in sums),
    ).where(
        table.c.store_id == bindparam("store_id"),
        table.c.grain == grain,
        *_between(table.c.bucket),
    )
    both = union_all(counted, rolled).subquery()
    group = (both.c.bucket, *(both.c[key] for key in keys))
    off = [func.sum(both.c[name]) for name in sums]
    return Statement(
        select(*(type_coerce(key, key.type) for key in group), *off)
        .group_by(*group)
        .having(or_(*(each != 0 for each in off)))
        .order_by(*group)
        .limit(LIMIT)
    )


_FIGURES: dict[str, Any] = {
    "count": literal(1, BigInteger),
    "amount_sats": func.coalesce(_payouts.c.amount_sats, 0),
    "value_cents": func.coalesce(_payouts.c.value_cents, 0),
}
_FEES: dict[str, Any] = {"fee_msat": _payouts.c.fee_msat, "known": literal(1, BigInteger)}
_IS_KNOWN = (
    _payouts.c.status == PayoutStatus.COMPLETED,
    _payouts.c.fee_msat.is_not(None),
)
_HAS_CARD = _payouts.c.card_id.is_not(None)
_QUESTIONS: dict[Invariant, list[tuple[str, Statement]]] = {
    Invariant.ROLLUPS: [
        (f"{grain}{words}", _question(grain, table_of(table), keys, _FIGURES, *conditions))
        for grain in Grain
        for words, table, keys, conditions in (
            ("", RollupRow, ("status", "kind"), ()),
            (" by card", CardRollupRow, ("status", "card_id"), (_HAS_CARD,)),
        )
    ],
    Invariant.FEE_ROLLUPS: [
        (f"{grain}{words}", _question(grain, table_of(table), keys, _FEES, *_IS_KNOWN, *conditions))
        for grain in Grain
        for words, table, keys, conditions in (
            ("", FeeRollupRow, (), ()),
            (" by card", CardFeeRollupRow, ("card_id",), (_HAS_CARD,)),
        )
    ],
}
_FIRST = Statement(
    select(func.min(_payouts.c.created_at)).where(_payouts.c.store_id == bindparam("store_id"))
)


def since(moment: datetime) -> str:
    """Return where a walk begins that starts with the UTC day of a moment."""
    return str(to_us(bucket_of(Grain.DAY, moment)))


def first_day(tx: Transaction, store_id: str) -> datetime | None:
    """Return the first UTC day that has payouts."""
    found = tx.row(_FIRST, store_id=store_id)
    return None if found is None or found[0] is None else bucket_of(Grain.DAY, found[0])


def contradictions(
    tx: Transaction, store_id: str, invariant: Invariant, start: datetime, end: datetime
) -> list[str]:
    """Return how a day's rollups differ from its payouts, each bucket as a sentence."""
    return [
        f"The rollup of each {name} is off by {', '.join(map(str, row[1:]))}."
        for name, question in _QUESTIONS[invariant]
        for row in tx.rows(question, store_id=store_id, start=start, end=end)
    ]
