"""What operators watch: open payouts by state, and the age of what is not known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, bindparam, column, func, select, table, update

from models.attention import FAILED_WITHIN, STUCK_AFTER, Attention
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage.audit_run import standing_runs
from services.storage.payout import IS_OPEN
from services.storage.restoration import count_matched
from services.storage.statement import Statement, Transaction, among
from services.storage.store import read_stores

_payouts = table_of(PayoutRow)
_version = table("alembic_version", column("version_num", String))
_WATCHED = (
    PayoutState.AWAITING_APPROVAL,
    PayoutState.APPROVED,
    PayoutState.PROCESSING,
    PayoutState.IN_FLIGHT,
)
_COUNT = Statement(select(_payouts.c.state, func.count()).where(IS_OPEN).group_by(_payouts.c.state))
_WAITING = Statement(
    select(_payouts.c.state, func.count())
    .where(
        IS_OPEN,
        _payouts.c.store_id == bindparam("store_id"),
        among(_payouts.c.state, (PayoutState.AWAITING_APPROVAL, PayoutState.APPROVED)),
    )
    .group_by(_payouts.c.state)
)
_OLDER = Statement(
    select(func.count()).where(
        IS_OPEN,
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.state == bindparam("state", type_=_payouts.c.state.type),
        _payouts.c.created_at < bindparam("before", type_=_payouts.c.created_at.type),
    )
)
_REVIEW = Statement(
    select(func.count()).where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PROCESSING,
        _payouts.c.state == PayoutState.NEEDS_REVIEW,
    )
)
_FAILED = Statement(
    select(func.count()).where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.FAILED,
        _payouts.c.created_at >= bindparam("since", type_=_payouts.c.created_at.type),
    )
)
# By store and status, which an index begins with; what a person was asked is unknown as well.
_OLDEST = Statement(
    select(func.min(_payouts.c.unknown_since)).where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PROCESSING,
    )
)
# Changes nothing, but is written: a full or read-only disk refuses it.
_TOUCH_REVISION = Statement(
    update(_version).values(version_num=_version.c.version_num).returning(_version.c.version_num)
)


def touch_revision(tx: Transaction) -> str | None:
    """Return the schema's revision, having written it anew."""
    found = tx.row(_TOUCH_REVISION)
    return None if found is None else str(found[0])


def count_states(tx: Transaction) -> dict[str, int]:
    """Return how many payouts, of all stores, are in each open state."""
    found = dict.fromkeys((str(state) for state in _WATCHED), 0)
    found.update({str(row[0]): int(row[1]) for row in tx.rows(_COUNT)})
    reviews = (tx.row(_REVIEW, store_id=store.id) for store in read_stores(tx))
    found[PayoutState.NEEDS_REVIEW] = sum(int(row[0]) for row in reviews if row is not None)
    return found


def oldest_unknown(tx: Transaction) -> datetime | None:
    """Return since when the oldest payout, of all stores, has an unknown outcome."""
    rows = (tx.row(_OLDEST, store_id=store.id) for store in read_stores(tx))
    return min((row[0] for row in rows if row is not None and row[0] is not None), default=None)


def read_attention(tx: Transaction, store_id: str, now: datetime) -> Attention:
    """Return what waits for a person in a store."""
    waiting = dict(tx.rows(_WAITING, store_id=store_id))
    stuck = tx.row(_OLDER, store_id=store_id, state=PayoutState.IN_FLIGHT, before=now - STUCK_AFTER)
    review = tx.row(_REVIEW, store_id=store_id)
    failed = tx.row(_FAILED, store_id=store_id, since=now - FAILED_WITHIN)
    return Attention(
        to_approve=int(waiting.get(PayoutState.AWAITING_APPROVAL, 0)),
        to_review=0 if review is None else int(review[0]),
        stuck=0 if stuck is None else int(stuck[0]),
        failed=0 if failed is None else int(failed[0]),
        matched=count_matched(tx, store_id),
        contradictions=sum(run.found for run in standing_runs(tx, store_id)),
    )
