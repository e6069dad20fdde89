"""The questions a reconciliation asks: debits and rows of a span, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from models.events import WalletChanged
from models.instants import from_us, to_us
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
LIMIT = 1_000
KEPT = 100  # differences beside a comparison
# By the attempts' index of time; a send follows its attempt, an invoice may wait for days.
_SPAN = (
    _attempts.c.store_id == bindparam("store_id"),
    _attempts.c.created_at >= bindparam("since", type_=_attempts.c.created_at.type),
    _attempts.c.created_at < bindparam("until", type_=_attempts.c.created_at.type),
)
_debits_of_span = _attempts.join(_debits, _debits.c.attempt_id == _attempts.c.id)
_off = func.abs(_debits.c.amount_nanousd - _debits.c.expected_nanousd)
# Two sats, or two in a thousand, at the price of the send; whole numbers on both databases.
_is_off = and_(
    _off * 500 > _debits.c.expected_nanousd,
    _off * _debits.c.msat_per_cent > bindparam("two_sats"),
)
_TWO_SATS_NANOUSD_MSAT = 2_000 * 10_000_000

_COUNT = Statement(
    select(_debits.c.state, func.count())
    .select_from(_debits_of_span)
    .where(*_SPAN)
    .group_by(_debits.c.state)
)
# Settled by other evidence, and yet no list has shown it for long.
_is_replaced = exists().where(
    _wallets.c.store_id == _debits.c.store_id,
    _wallets.c.flash_wallet_id != _debits.c.flash_wallet_id,
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
    .where(
        *_SPAN,
        _attempts.c.state == AttemptState.SETTLED,
        among(_debits.c.state, (DebitState.OPEN, DebitState.DROPPED)),
        _debits.c.logged_at < bindparam("before", type_=_debits.c.logged_at.type),
    )
    .order_by(_debits.c.logged_at)
    .limit(LIMIT)
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
    .where(*_SPAN, _debits.c.state == DebitState.CLAIMED, _is_off)
    .order_by(_debits.c.logged_at)
    .limit(LIMIT)
)
_EXTRA = Statement(
    select(_rows.c.id, _rows.c.amount_nanousd, _rows.c.at)
    .where(
        _rows.c.store_id == bindparam("store_id"),
        _rows.c.at >= bindparam("since", type_=_rows.c.at.type),
        _rows.c.at < bindparam("until", type_=_rows.c.at.type),
        or_(
            _rows.c.state == RowState.EXTRA,
            and_(
                _rows.c.state == RowState.UNCLAIMED,
                _rows.c.at < bindparam("before", type_=_rows.c.at.type),
            ),
        ),
    )
    .order_by(_rows.c.at)
    .limit(LIMIT)
)
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


def count_debits(
    tx: Transaction, store_id: str, since: datetime, until: datetime
) -> dict[DebitState, int]:
    """Return how many debits of a span are in each state."""
    return dict(tx.rows(_COUNT, store_id=store_id, since=since, until=until))


def find_differences(
    tx: Transaction, store_id: str, since: datetime, until: datetime, listed_before: datetime
) -> list[Difference]:
    """Return what is missing, different and extra in a span, each at most a thousand times.

    Only what is older than `listed_before` can be missing or extra: lists lag behind.
    """
    span: dict[str, Any] = {"store_id": store_id, "since": since, "until": until}
    found = [
        Difference(kind, payout_id, row_id, expected, None, at)
        for kind, payout_id, row_id, expected, at in tx.rows(_MISSING, **span, before=listed_before)
    ]
    found += [
        Difference("different", payout_id, row_id, expected, amount, at)
        for payout_id, row_id, expected, amount, at in tx.rows(
            _DIFFERENT, **span, two_sats=_TWO_SATS_NANOUSD_MSAT
        )
    ]
    return found + [
        Difference("extra", None, row_id, None, amount, at)
        for row_id, amount, at in tx.rows(_EXTRA, **span, before=listed_before)
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
