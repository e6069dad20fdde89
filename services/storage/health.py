"""What operators watch: open payouts by state, and the age of what is not known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from models.states import PayoutState
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from services.storage.statement import Statement, Transaction, among

_payouts = table_of(PayoutRow)
_WATCHED = (
    PayoutState.AWAITING_APPROVAL,
    PayoutState.APPROVED,
    PayoutState.PROCESSING,
    PayoutState.IN_FLIGHT,
)
_COUNT = Statement(
    select(_payouts.c.state, func.count())
    .where(among(_payouts.c.state, _WATCHED))
    .group_by(_payouts.c.state)
)
_OLDEST = Statement(
    select(func.min(_payouts.c.unknown_since)).where(_payouts.c.state == PayoutState.IN_FLIGHT)
)


def count_states(tx: Transaction) -> dict[str, int]:
    """Return how many payouts, of all stores, are in each open state."""
    found = dict.fromkeys((str(state) for state in _WATCHED), 0)
    found.update({str(row[0]): int(row[1]) for row in tx.rows(_COUNT)})
    return found


def oldest_unknown(tx: Transaction) -> datetime | None:
    """Return since when the oldest payout, of all stores, has an unknown outcome."""
    found = tx.row(_OLDEST)
    return None if found is None else found[0]
