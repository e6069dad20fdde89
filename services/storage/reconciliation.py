"""The questions a reconciliation asks: debits and rows of a span, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from models.events import WalletChanged
from models.instants import MICROSECOND, from_us, to_us
from models.payout import AttemptState
from models.reconciliation import (
    UNDECIDED,
    Difference,
    KeptReconciliation,
    Reconciliation,
    Span,
)
from models.statement import DebitState, RowState
from models.tables.audit_run import ReconciliationRow
from models.tables.base import table_of
from models.tables.payout import AttemptRow
from models.tables.statement import DebitRow, StatementRowRow
from models.tables.wallet import WalletRow
from services.storage.statement import Statement, Transaction, among

_rows = table_of(StatementRowRow)
_debits = table_of(DebitRow)
_attempts = table_of(AttemptRow)
_wallets = table_of(WalletRow)
_kept = table_of(ReconciliationRow)
SLICE = 1_000  # attempts in one read: some milliseconds
LIMIT = 1_000
KEPT = 100  # differences beside a comparison
# By the attempts' index of time; a send follows its attempt, an invoice may wait for days.
_SPAN = (
    _attempts.c.store_id == bindparam("store_id"),
    _attempts.c.created_at >= bindparam("since", type_=_attempts.c.created_at.type),
    _attempts.c.created_at < bindparam("until", type_=_attempts.c.created_at.type),
)
_debits_of_span = _attempts.join(_debits, _debits.c.attempt_id == _attempts.c.id)
_is_claimed = _debits.c.state == DebitState.CLAIMED
_off = func.abs(_debits.c.amount_nanousd - _debits.c.expected_nanousd)
# Two sats, or two in a thousand, at the price of the send; whole numbers on both databases.
_is_different = and_(
    _is_claimed,
    _off * 500 > _debits.c.expected_nanousd,
    _off * _debits.c.msat_per_cent > bindparam("two_sats"),
)
_TWO_SATS_NANOUSD_MSAT = 2_000 * 10_000_000
# Settled by other evidence, and yet no list has shown it for long.
_is_missing = and_(
    _attempts.c.state == AttemptState.SETTLED,
    among(_debits.c.state, (DebitState.OPEN, DebitState.DROPPED)),
    _debits.c.logged_at < bindparam("before", type_=_debits.c.logged_at.type),
)
_is_replaced = exists().where(
    _wallets.c.store_id == _debits.c.store_id,
    _wallets.c.flash_wallet_id != _debits.c.flash_wallet_id,
)

_END = Statement(
    select(_attempts.c.created_at)
    .where(*_SPAN)
    .order_by(_attempts.c.created_at)
    .limit(1)
    .offset(bindparam("size"))
)


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


# One walk tells whether there is anything to name; of books that agree there is not.
_COUNT = Statement(
    select(
        _number_of(_is_claimed),
        _number_of(_debits.c.state == DebitState.OPEN),
        _number_of(_is_missing),
        _number_of(_is_different),
    )
    .select_from(_debits_of_span)
    .where(*_SPAN)
)
_MISSING = Statement(
    select(
        case((_is_replaced, UNDECIDED), else_="missing"),
        _debits.c.payout_id,
        _debits.c.row_id,
        _debits.c.expected_nanousd,
        _debits.c.logged_at,
    )
    .select_from(_debits_of_span)
    .where(*_SPAN, _is_missing)
    .order_by(_debits.c.logged_at)
)
_DIFFERENT = Statement(
    select(
        _debits.c.payout_id,
        _debits.c.row_id,
        _debits.c.expected_nanousd,
        _debits.c.amount_nanousd,
        _debits.c.logged_at,
    )
    .select_from(_debits_of_span)
    .where(*_SPAN, _is_different)
    .order_by(_debits.c.logged_at)
)


def _extra(state: RowState) -> Statement:
    """Return what names the rows of a state, each of which has an index by time."""
    return Statement(
        select(_rows.c.id, _rows.c.amount_nanousd, _rows.c.at)
        .where(
            _rows.c.store_id == bindparam("store_id"),
            _rows.c.state == state,
            _rows.c.at >= bindparam("since", type_=_rows.c.at.type),
            _rows.c.at < bindparam("until", type_=_rows.c.at.type),
        )
        .order_by(_rows.c.at)
        .limit(LIMIT)
    )


_EXTRA, _UNCLAIMED = _extra(RowState.EXTRA), _extra(RowState.UNCLAIMED)
_keeping = insert(_kept).values({column.name: bindparam(column.name) for column in _kept.columns})
_KEEP = Statement(
    _keeping.on_conflict_do_update(
        index_elements=["store_id", "span"],
        set_={
            column.name: _keeping.excluded[column.name]
            for column in _kept.columns
            if not column.primary_key
        },
    )
)
_READ_KEPT = Statement(
    select(*(column for column in _kept.columns if column.name != "store_id"))
    .where(_kept.c.store_id == bindparam("store_id"))
    .order_by(_kept.c.span)
)
_OLDEST_OPEN = Statement(
    select(func.min(_debits.c.logged_at)).where(
        _debits.c.store_id == bindparam("store_id"), _debits.c.state == DebitState.OPEN
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """What some attempts that follow each other in time came to; `end` is where the next begin."""

    end: datetime
    matched: int
    waiting: int
    missing: list[Difference]
    different: list[Difference]


def compare_some(
    tx: Transaction,
    store_id: str,
    since: datetime,
    until: datetime,
    listed_before: datetime,
    size: int,
) -> Part:
    """Compare the debits of the first attempts of a span, in a read that is short at any size.

    Only what is older than `listed_before` can be missing: lists lag behind.
    """
    found = tx.row(_END, store_id=store_id, since=since, until=until, size=size)
    # Whatever was made in one and the same microsecond is looked at together.
    end = until if found is None else max(found[0], since + MICROSECOND)
    span: dict[str, Any] = {"store_id": store_id, "since": since, "until": end}
    late, off = {"before": listed_before}, {"two_sats": _TWO_SATS_NANOUSD_MSAT}
    counts = tx.row(_COUNT, **span, **late, **off)
    assert counts is not None
    matched, waiting, missing, different = map(int, counts)
    return Part(
        end=end,
        matched=matched,
        waiting=waiting,
        missing=[
            Difference(kind, payout_id, row_id, expected, None, at)
            for kind, payout_id, row_id, expected, at in (
                tx.rows(_MISSING, **span, **late) if missing else ()
            )
        ],
        different=[
            Difference("different", payout_id, row_id, expected, amount, at)
            for payout_id, row_id, expected, amount, at in (
                tx.rows(_DIFFERENT, **span, **off) if different else ()
            )
        ],
    )


def find_extra(
    tx: Transaction, store_id: str, since: datetime, until: datetime, listed_before: datetime
) -> list[Difference]:
    """Return the oldest debits of a span that no payout explains, at most a thousand.

    What nothing has claimed yet is one of them once it is older than `listed_before`.
    """
    span: dict[str, Any] = {"store_id": store_id, "since": since}
    rows = tx.rows(_EXTRA, **span, until=until)
    rows += tx.rows(_UNCLAIMED, **span, until=min(until, listed_before))
    rows.sort(key=lambda row: row[2])
    return [
        Difference("extra", None, row_id, None, amount, at) for row_id, amount, at in rows[:LIMIT]
    ]


def oldest_open(tx: Transaction, store_id: str) -> datetime | None:
    """Return since when the oldest debit has been waiting for its row."""
    found = tx.row(_OLDEST_OPEN, store_id=store_id)
    return None if found is None else found[0]


def keep(tx: Transaction, store_id: str, span: Span, found: Reconciliation, now: datetime) -> None:
    """Keep a comparison as the last one of its span."""
    first = [asdict(each) | {"at": to_us(each.at)} for each in found.differences[:KEPT]]
    tx.run(
        _KEEP,
        store_id=store_id,
        span=span,
        at=now,
        since=found.since,
        until=found.until,
        is_whole=found.is_whole,
        matched=found.matched,
        waiting=found.waiting,
        differences=len(found.differences),
        balance_difference_nanousd=found.balance_difference_nanousd,
        first_differences=json.dumps(first),
    )
    tx.changes.append(WalletChanged(store_id, store_id))


def read_kept(tx: Transaction, store_id: str) -> list[KeptReconciliation]:
    """Return the last comparison of each span."""
    return [_as_kept(*row) for row in tx.rows(_READ_KEPT, store_id=store_id)]


def _as_kept(*row: Any) -> KeptReconciliation:
    span, at, since, until, is_whole, matched, waiting, differences, off_nanousd, first = row
    listed = tuple(Difference(**each | {"at": from_us(each["at"])}) for each in json.loads(first))
    found = Reconciliation(since, until, matched, waiting, listed, off_nanousd, bool(is_whole))
    return KeptReconciliation(span, at, found, differences)
