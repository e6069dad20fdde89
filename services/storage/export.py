"""Rows of payouts for files, as the database keeps them, and their sums by quarter hour.

What is sealed stays sealed and moments stay microseconds: conversions cost more than reading.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    String,
    and_,
    func,
    literal_column,
    select,
    type_coerce,
)

from models.export import QuarterFigure
from models.instants import EPOCH, QUARTER_HOUR, QUARTER_HOUR_US, from_us, quarter_hour
from models.payout import EvidenceGrade
from models.payout_filter import PayoutFilter
from models.rollup import QUARTERS, Figure, Grid
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.columns import UtcDateTime, Word
from models.tables.payout import EvidenceRow, PayoutRow
from services.storage import listing, rollup
from services.storage.statement import Statement, Transaction

_payouts = table_of(PayoutRow)
# Under names of their own: the filter's search by alias has a sub-select of cards.
_card = table_of(CardRow).alias("export_card")
_proof = table_of(EvidenceRow).alias("export_proof")
_JOINED: dict[str, ColumnElement[Any]] = {
    "alias": _card.c.alias,
    "uid_sealed": _card.c.uid_sealed,
    "preimage_sealed": _proof.c.preimage_sealed,
}
# Rollups are read up to here, the payouts themselves beyond.
_END = from_us(2**53)


def rows_statement(names: tuple[str, ...], wanted: PayoutFilter, card_id: str | None) -> Statement:
    """Return the statement for these columns of all payouts that fit, newest first.

    Beside a payout's own there are `alias` and `uid_sealed` of its card, and `preimage_sealed`
    of its evidence.
    """
    query = (
        select(*map(_raw, names))
        .select_from(_payouts)
        .outerjoin(
            _card, and_(_card.c.store_id == _payouts.c.store_id, _card.c.id == _payouts.c.card_id)
        )
    )
    if "preimage_sealed" in names:
        query = query.outerjoin(
            _proof,
            and_(
                _proof.c.payout_id == _payouts.c.id,
                _proof.c.grade == EvidenceGrade.PREIMAGE,
                _payouts.c.evidence == EvidenceGrade.PREIMAGE,
            ),
        )
    return Statement(
        query.where(*listing.conditions_of(wanted, card_id)).order_by(
            _payouts.c.created_at.desc(), _payouts.c.id.desc()
        )
    )


def rows_params(store_id: str, wanted: PayoutFilter, card_id: str | None) -> dict[str, Any]:
    """Return the values for `rows_statement`."""
    return listing.params_of(store_id, wanted, card_id)


def _raw(name: str) -> ColumnElement[Any]:
    """Return a column without the conversion that its type would make."""
    column = _JOINED[name] if name in _JOINED else _payouts.c[name]
    if isinstance(column.type, UtcDateTime):
        return type_coerce(column, BigInteger)
    if isinstance(column.type, Word):
        return type_coerce(column, String)
    return type_coerce(column, Integer) if isinstance(column.type, Boolean) else column


def quarters(
    tx: Transaction,
    store_id: str,
    wanted: PayoutFilter,
    card_id: str | None,
    grid: Grid = QUARTERS,
) -> list[QuarterFigure]:
    """Return figures by status and quarter hour, from rollups where they can answer.

    Whole quarter hours are added up to the stretches of a grid, each named by its start.
    """
    if wanted.needs_rows:
        return _counted(tx, store_id, wanted, card_id)
    start = min(wanted.starts_at or EPOCH, _END)
    end = min(wanted.ends_at or _END, _END)
    first = quarter_hour(start + QUARTER_HOUR - EPOCH.resolution)
    last = quarter_hour(end)
    if first >= last:
        return _counted(tx, store_id, wanted, card_id)
    found: list[QuarterFigure] = []
    if wanted.starts_at != first:
        found = _counted(tx, store_id, wanted.between(wanted.starts_at, first), card_id)
    for at, status, figure in rollup.read_buckets(tx, store_id, first, last, card_id, grid):
        if figure.count and (not wanted.statuses or status in wanted.statuses):
            found.append(QuarterFigure(at, status, figure))
    if wanted.ends_at != last:
        found += _counted(tx, store_id, wanted.between(last, wanted.ends_at), card_id)
    return found


def _counted(
    tx: Transaction, store_id: str, wanted: PayoutFilter, card_id: str | None
) -> list[QuarterFigure]:
    """Return figures counted from the payouts themselves."""
    shape, params = listing.question_of(tx, store_id, wanted, card_id)
    return [
        QuarterFigure(
            from_us(int(us)),
            PayoutStatus(status),
            Figure(int(count), int(sats or 0), int(cents or 0)),
        )
        for us, status, count, sats, cents in tx.rows(_count_statement(shape), **params)
    ]


@lru_cache(maxsize=256)
def _count_statement(shape: listing.Shape) -> Statement:
    at = type_coerce(_payouts.c.created_at, BigInteger)
    # Written out: PostgreSQL takes two parameters for two expressions.
    start = at - at % literal_column(str(QUARTER_HOUR_US), BigInteger)
    return Statement(
        select(
            start,
            _payouts.c.status,
            func.count(),
            func.sum(_payouts.c.amount_sats),
            func.sum(_payouts.c.value_cents),
        )
        .where(*listing.conditions(shape))
        .group_by(start, _payouts.c.status)
    )
