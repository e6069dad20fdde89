"""Rollups: written last in each transaction, read instead of counting payouts."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    Table,
    bindparam,
    exists,
    func,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from models.instants import MICROSECOND, from_us, to_us
from models.payout import Payout
from models.period import Fees
from models.rollup import (
    QUARTERS,
    Figure,
    Grain,
    Grid,
    Ranking,
    Span,
    TopCard,
    bucket_of,
    whole_days,
)
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.ledger import CardFeeRollupRow, CardRollupRow, FeeRollupRow, RollupRow
from models.tables.payout import PayoutRow
from services.storage.statement import Statement, Transaction

_rollups = table_of(RollupRow)
_card_rollups = table_of(CardRollupRow)
_fees = table_of(FeeRollupRow)
_card_fees = table_of(CardFeeRollupRow)
_cards = table_of(CardRow)
_payouts = table_of(PayoutRow)
_SUMS = ("count", "amount_sats", "value_cents")
_FEES = ("fee_msat", "known")
_GRAINS = tuple(sorted(Grain))  # rows are written in key order


def _upsert(table: Table, sums: tuple[str, ...]) -> Statement:
    adding = insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    return Statement(
        adding.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key.columns],
            set_={name: table.c[name] + adding.excluded[name] for name in sums},
        )
    )


_BUMP = _upsert(_rollups, _SUMS)
_BUMP_CARD = _upsert(_card_rollups, _SUMS)
_BUMP_FEES = _upsert(_fees, _FEES)
_BUMP_CARD_FEES = _upsert(_card_fees, _FEES)
_ACTIVE_CARDS = Statement(
    select(func.count()).where(
        _cards.c.store_id == bindparam("store_id"),
        _cards.c.last_used_at >= bindparam("since", type_=_cards.c.last_used_at.type),
    )
)


_CARDS_BETWEEN = Statement(
    select(func.count())
    .select_from(_cards)
    .where(
        _cards.c.store_id == bindparam("store_id"),
        exists().where(
            _payouts.c.card_id == _cards.c.id,
            _payouts.c.card_verified.is_(True),
            _payouts.c.created_at >= bindparam("since", type_=_payouts.c.created_at.type),
            _payouts.c.created_at < bindparam("until", type_=_payouts.c.created_at.type),
        ),
    )
)


def roll_up(tx: Transaction, before: Payout | None, after: Payout) -> None:
    """Count a payout under its new status and no longer under the old one.

    Called last in a transaction, with rows in key order, so that writers never wait in a circle.
    """
    if before is None or _counted(before) != _counted(after):
        _roll_status(tx, before, after)
    _roll_fee(tx, before, after)


def _counted(payout: Payout) -> tuple[object, ...]:
    """Return what the figures depend on: a quote may change an amount in one and the same state."""
    return payout.status, payout.amount_sats, payout.value_cents


def _roll_status(tx: Transaction, before: Payout | None, after: Payout) -> None:
    steps = [(after, 1)] if before is None else [(before, -1), (after, 1)]
    steps.sort(key=_by_status)
    # Before and after are one payout, made once: it stays in its buckets.
    buckets = [(grain, bucket_of(grain, after.created_at)) for grain in _GRAINS]
    rows = [
        _rolled(tx, payout, sign, grain, bucket)
        for grain, bucket in buckets
        for payout, sign in steps
    ]
    tx.many(_BUMP, rows)
    if after.card_id is not None:
        tx.many(_BUMP_CARD, [row | {"card_id": after.card_id} for row in rows])


def _roll_fee(tx: Transaction, before: Payout | None, after: Payout) -> None:
    """Count a fee once it is known of a completed payout; most steps change nothing here."""
    was, fee = _known_fee(before), _known_fee(after)
    if was == fee:
        return
    known = (fee is not None) - (was is not None)
    rows: list[dict[str, Any]] = [
        {
            "store_id": after.store_id,
            "grain": grain,
            "bucket": bucket_of(grain, after.created_at),
            "shard": tx.shard,
            "fee_msat": (fee or 0) - (was or 0),
            "known": known,
        }
        for grain in _GRAINS
    ]
    tx.many(_BUMP_FEES, rows)
    if after.card_id is not None:
        tx.many(_BUMP_CARD_FEES, [row | {"card_id": after.card_id} for row in rows])


def _known_fee(payout: Payout | None) -> int | None:
    if payout is None or payout.status is not PayoutStatus.COMPLETED:
        return None
    return payout.fee_msat


def _by_status(step: tuple[Payout, int]) -> PayoutStatus:
    return step[0].status


def _rolled(
    tx: Transaction, payout: Payout, sign: int, grain: Grain, bucket: datetime
) -> dict[str, Any]:
    return {
        "store_id": payout.store_id,
        "grain": grain,
        "bucket": bucket,
        "status": payout.status,
        "kind": payout.kind,
        "shard": tx.shard,
        "count": sign,
        "amount_sats": sign * (payout.amount_sats or 0),
        "value_cents": sign * (payout.value_cents or 0),
    }


def sum_span(
    tx: Transaction, store_id: str, span: Span, card_id: str | None
) -> dict[PayoutStatus, Figure]:
    """Return figures by status for a span that starts and ends on whole buckets."""
    rows = tx.rows(
        _sum_statement(card_id is not None, span.start is not None, span.end is not None),
        store_id=store_id,
        grain=span.grain,
        card_id=card_id,
        start=span.start,
        end=span.end,
    )
    return {row[0]: Figure(int(row[1]), int(row[2]), int(row[3])) for row in rows}


def sum_fees(tx: Transaction, store_id: str, span: Span, card_id: str | None) -> Fees:
    """Return the known fees of a span that starts and ends on whole buckets.

    How many are not known is not kept here: whoever counts the completed payouts can tell.
    """
    found = tx.row(
        _fee_statement(card_id is not None, span.start is not None, span.end is not None),
        store_id=store_id,
        grain=span.grain,
        card_id=card_id,
        start=span.start,
        end=span.end,
    )
    assert found is not None
    return Fees(int(found[0]), int(found[1]))


def read_buckets(
    tx: Transaction,
    store_id: str,
    start: datetime,
    end: datetime,
    card_id: str | None,
    grid: Grid = QUARTERS,
) -> list[tuple[datetime, PayoutStatus, Figure]]:
    """Return figures by status and stretch of a grid, of the store or of one card."""
    rows = tx.rows(
        _bucket_statement(card_id is not None),
        store_id=store_id,
        grain=Grain.DAY if grid.is_of_days(start, end) else Grain.QUARTER,
        card_id=card_id,
        start=start,
        end=end,
        origin=to_us(grid.origin),
        length=grid.length // MICROSECOND,
    )
    return [
        (from_us(int(row[0])), row[1], Figure(int(row[2]), int(row[3]), int(row[4])))
        for row in rows
    ]


@lru_cache(maxsize=8)
def _sum_statement(by_card: bool, has_start: bool, has_end: bool) -> Statement:
    table = _card_rollups if by_card else _rollups
    sums = [func.sum(table.c[name]) for name in _SUMS]
    query = _within(select(table.c.status, *sums), table, by_card, has_start, has_end)
    return Statement(query.group_by(table.c.status))


@lru_cache(maxsize=8)
def _fee_statement(by_card: bool, has_start: bool, has_end: bool) -> Statement:
    table = _card_fees if by_card else _fees
    sums = [func.coalesce(func.sum(table.c[name]), 0) for name in _FEES]
    return Statement(_within(select(*sums), table, by_card, has_start, has_end))


def _within(
    query: Select[Any], table: Table, by_card: bool, has_start: bool, has_end: bool
) -> Select[Any]:
    query = query.where(
        table.c.store_id == bindparam("store_id"), table.c.grain == bindparam("grain")
    )
    if by_card:
        query = query.where(table.c.card_id == bindparam("card_id"))
    if has_start:
        query = query.where(table.c.bucket >= bindparam("start", type_=table.c.bucket.type))
    if has_end:
        query = query.where(table.c.bucket < bindparam("end", type_=table.c.bucket.type))
    return query


@lru_cache(maxsize=2)
def _bucket_statement(by_card: bool) -> Statement:
    """Return the statement that adds buckets up; thousands of quarters become a few rows."""
    table = _card_rollups if by_card else _rollups
    at = type_coerce(table.c.bucket, BigInteger)
    past = (at - bindparam("origin", type_=BigInteger)) % bindparam("length", type_=BigInteger)
    query = select(
        (at - past).label("stretch"), table.c.status, *(table.c[name] for name in _SUMS)
    ).where(
        table.c.store_id == bindparam("store_id"),
        table.c.grain == bindparam("grain", type_=table.c.grain.type),
        table.c.bucket >= bindparam("start", type_=table.c.bucket.type),
        table.c.bucket < bindparam("end", type_=table.c.bucket.type),
    )
    if by_card:
        query = query.where(table.c.card_id == bindparam("card_id"))
    # Grouped outside: PostgreSQL takes a parameter that comes twice for two expressions.
    found = query.subquery()
    sums = [func.sum(found.c[name]) for name in _SUMS]
    return Statement(
        select(found.c.stretch, found.c.status, *sums).group_by(found.c.stretch, found.c.status)
    )


@lru_cache(maxsize=4)
def _top_statement(by: Ranking) -> Statement:
    """Return the statement that adds up quarter hours, whole days, and quarter hours again."""
    table = _card_rollups
    parts = union_all(
        *(
            select(table.c.card_id, *(table.c[name] for name in _SUMS)).where(
                table.c.store_id == bindparam("store_id"),
                table.c.grain == grain,
                table.c.status == PayoutStatus.COMPLETED,
                table.c.bucket >= bindparam(start, type_=table.c.bucket.type),
                table.c.bucket < bindparam(end, type_=table.c.bucket.type),
            )
            for grain, start, end in (
                (Grain.QUARTER, "start", "first_day"),
                (Grain.DAY, "first_day", "last_day"),
                (Grain.QUARTER, "last_day", "end"),
            )
        )
    ).subquery()
    count, amount, value = (func.sum(parts.c[name]) for name in _SUMS)
    rank = {Ranking.COUNT: count, Ranking.AMOUNT: amount, Ranking.VALUE: value}[by]
    return Statement(
        select(_cards.c.id, _cards.c.alias, count, amount, _cards.c.last_used_at, value)
        .join(_cards, _cards.c.id == parts.c.card_id)
        .group_by(_cards.c.id, _cards.c.alias, _cards.c.last_used_at)
        .having(count > 0)
        .order_by(rank.desc(), _cards.c.id)
        .limit(bindparam("limit"))
    )


def top_cards(
    tx: Transaction,
    store_id: str,
    start: datetime,
    end: datetime,
    limit: int,
    by: Ranking,
) -> list[TopCard]:
    """Return the cards that collected most in completed payouts made between two moments."""
    first_day, last_day = whole_days(start, end)
    rows = tx.rows(
        _top_statement(by),
        store_id=store_id,
        start=start,
        first_day=first_day,
        last_day=last_day,
        end=end,
        limit=limit,
    )
    return [TopCard(row[0], row[1], int(row[2]), int(row[3]), row[4], int(row[5])) for row in rows]


def count_cards_between(tx: Transaction, store_id: str, since: datetime, until: datetime) -> int:
    """Return how many cards had a verified payout between two moments, the last exclusive."""
    found = tx.row(_CARDS_BETWEEN, store_id=store_id, since=since, until=until)
    return 0 if found is None else int(found[0])


def count_active_cards(tx: Transaction, store_id: str, since: datetime) -> int:
    """Return how many cards had a verified payout since a moment."""
    found = tx.row(_ACTIVE_CARDS, store_id=store_id, since=since)
    return 0 if found is None else int(found[0])
