"""The questions an audit asks; each returns only what contradicts itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Table, and_, bindparam, case, exists, func, or_, select

from models.payout import AttemptState, SendAnswer
from models.rollup import Grain
from models.states import PLACE, RELEASED, PayoutState, PayoutStatus, Place
from models.tables.base import table_of
from models.tables.ledger import (
    CardFeeRollupRow,
    CardRollupRow,
    FeeRollupRow,
    LedgerRow,
    RollupRow,
)
from models.tables.payout import AttemptRow, EvidenceRow, PayoutEventRow, PayoutRow, SendRow
from models.tables.pull_payment import PullPaymentRow
from services.storage.statement import Statement, Transaction, among

_payouts = table_of(PayoutRow)
_events = table_of(PayoutEventRow)
_attempts = table_of(AttemptRow)
_sends = table_of(SendRow)
_evidence = table_of(EvidenceRow)
_ledger = table_of(LedgerRow)
_pulls = table_of(PullPaymentRow)
_rollups = table_of(RollupRow)
_card_rollups = table_of(CardRollupRow)
_fee_rollups = {False: table_of(FeeRollupRow), True: table_of(CardFeeRollupRow)}

_SETTLED = (PayoutState.COMPLETED, PayoutState.REVERSED)
_STORE: BindParameter[str] = bindparam("store_id")
FINDING_LIMIT = 100


def _in_place(*places: Place) -> Any:
    states = [state for state, place in PLACE.items() if place in places]
    return func.coalesce(
        func.sum(case((among(_payouts.c.state, states), _payouts.c.original_amount), else_=0)), 0
    )


def _finding(query: Any) -> Statement:
    return Statement(query.limit(FINDING_LIMIT))


_UNBALANCED = _finding(
    select(_ledger.c.transaction_id, func.sum(_ledger.c.amount))
    .where(_ledger.c.store_id == _STORE)
    .group_by(_ledger.c.transaction_id, _ledger.c.unit)
    .having(func.sum(_ledger.c.amount) != 0)
)
_PLACES = Statement(
    select(
        _payouts.c.currency,
        _in_place(Place.RESERVED),
        _in_place(Place.IN_TRANSIT),
        _in_place(Place.PAID),
    )
    .where(_payouts.c.store_id == _STORE)
    .group_by(_payouts.c.currency)
)
_COUNTERS = _finding(
    select(_pulls.c.id, _pulls.c.reserved, _pulls.c.paid)
    .outerjoin(_payouts, _payouts.c.pull_payment_id == _pulls.c.id)
    .where(_pulls.c.store_id == _STORE)
    .group_by(_pulls.c.id, _pulls.c.reserved, _pulls.c.paid)
    .having(
        or_(
            _in_place(Place.RESERVED, Place.IN_TRANSIT) != _pulls.c.reserved,
            _in_place(Place.PAID) != _pulls.c.paid,
        )
    )
)
_has_evidence = exists().where(_evidence.c.payout_id == _payouts.c.id)
_EVIDENCE = _finding(
    select(_payouts.c.id, _payouts.c.state).where(
        _payouts.c.store_id == _STORE, among(_payouts.c.state, _SETTLED), ~_has_evidence
    )
)
_attempt_is = {
    state: exists().where(_attempts.c.payout_id == _payouts.c.id, _attempts.c.state == state)
    for state in AttemptState
}
_ATTEMPTS = _finding(
    select(_payouts.c.id, _payouts.c.state).where(
        _payouts.c.store_id == _STORE,
        or_(
            and_(among(_payouts.c.state, _SETTLED), ~_attempt_is[AttemptState.SETTLED]),
            and_(
                among(_payouts.c.state, RELEASED),
                or_(_attempt_is[AttemptState.SETTLED], _attempt_is[AttemptState.LIVE]),
            ),
        ),
    )
)
_OPEN_SENDS = _finding(
    select(_payouts.c.id, _payouts.c.state)
    .join(_sends, _sends.c.payout_id == _payouts.c.id)
    .where(
        _payouts.c.store_id == _STORE,
        or_(
            among(
                _payouts.c.state,
                (PayoutState.PENDING, PayoutState.AWAITING_APPROVAL, PayoutState.APPROVED),
            ),
            _payouts.c.state == PayoutState.FAILED,
        ),
        or_(
            _sends.c.answer == SendAnswer.SETTLED,
            and_(
                _sends.c.answered_at.is_(None),
                _payouts.c.state != PayoutState.FAILED,
            ),
        ),
    )
)
_EVENTS = _finding(
    select(_payouts.c.id, func.count(_events.c.number), func.max(_events.c.number))
    .outerjoin(_events, _events.c.payout_id == _payouts.c.id)
    .where(_payouts.c.store_id == _STORE)
    .group_by(_payouts.c.id, _payouts.c.revision)
    .having(
        or_(
            func.count(_events.c.number) != _payouts.c.revision,
            func.max(_events.c.number) != _payouts.c.revision,
        )
    )
)
_LAST_EVENT = _finding(
    select(_payouts.c.id, _payouts.c.state)
    .join(
        _events,
        and_(_events.c.payout_id == _payouts.c.id, _events.c.number == _payouts.c.revision),
    )
    .where(_payouts.c.store_id == _STORE, _events.c.target != _payouts.c.state)
)
_ROLLED = Statement(
    select(
        _rollups.c.grain,
        _rollups.c.status,
        func.sum(_rollups.c.count),
        func.sum(_rollups.c.amount_sats),
        func.sum(_rollups.c.value_cents),
    )
    .where(_rollups.c.store_id == _STORE)
    .group_by(_rollups.c.grain, _rollups.c.status)
)
_CARD_ROLLED = Statement(
    select(
        _card_rollups.c.grain,
        _card_rollups.c.status,
        func.sum(_card_rollups.c.count),
        func.sum(_card_rollups.c.amount_sats),
        func.sum(_card_rollups.c.value_cents),
    )
    .where(_card_rollups.c.store_id == _STORE)
    .group_by(_card_rollups.c.grain, _card_rollups.c.status)
)


def _counted(*conditions: Any) -> Statement:
    return Statement(
        select(
            _payouts.c.status,
            func.count(),
            func.coalesce(func.sum(_payouts.c.amount_sats), 0),
            func.coalesce(func.sum(_payouts.c.value_cents), 0),
        )
        .where(_payouts.c.store_id == _STORE, *conditions)
        .group_by(_payouts.c.status)
    )


_COUNTED = _counted()
_CARD_COUNTED = _counted(_payouts.c.card_id.is_not(None))


def _fees_rolled(table: Table) -> Statement:
    return Statement(
        select(table.c.grain, func.sum(table.c.fee_msat), func.sum(table.c.known))
        .where(table.c.store_id == _STORE)
        .group_by(table.c.grain)
    )


def _fees_counted(*conditions: Any) -> Statement:
    return Statement(
        select(func.coalesce(func.sum(_payouts.c.fee_msat), 0), func.count(_payouts.c.fee_msat))
        .where(_payouts.c.store_id == _STORE, _payouts.c.status == PayoutStatus.COMPLETED)
        .where(*conditions)
    )


_FEES_ROLLED = {by_card: _fees_rolled(table) for by_card, table in _fee_rollups.items()}
_FEES_COUNTED = {False: _fees_counted(), True: _fees_counted(_payouts.c.card_id.is_not(None))}

# Each names the invariant it breaks, and yields (subject, detail…).
CONTRADICTIONS: dict[str, Statement] = {
    "every ledger transaction sums to zero": _UNBALANCED,
    "a budget's counters equal its payouts": _COUNTERS,
    "settled means evidence": _EVIDENCE,
    "attempts agree with their payout": _ATTEMPTS,
    "nothing is on the wire for what waits or failed": _OPEN_SENDS,
    "one event for each transition": _EVENTS,
    "the last event is the state": _LAST_EVENT,
}

Figures = dict[str, tuple[int, int, int]]


def contradictions(tx: Transaction, store_id: str, invariant: str) -> list[tuple[Any, ...]]:
    """Return the rows that break an invariant, at most a hundred."""
    return tx.rows(CONTRADICTIONS[invariant], store_id=store_id)


def money_by_place(tx: Transaction, store_id: str) -> dict[tuple[str, str], int]:
    """Return what payouts say of the money in each account, by account and unit."""
    found: dict[tuple[str, str], int] = {}
    for unit, reserved, in_transit, paid in tx.rows(_PLACES, store_id=store_id):
        found["reserved", unit] = int(reserved)
        found["in_transit", unit] = int(in_transit)
        found["paid", unit] = int(paid)
    return found


def rolled_and_counted(
    tx: Transaction, store_id: str, grain: Grain, *, by_card: bool
) -> tuple[Figures, Figures]:
    """Return figures by status from the rollups of a grain, and counted from the payouts."""
    rolled = tx.rows(_CARD_ROLLED if by_card else _ROLLED, store_id=store_id)
    counted = tx.rows(_CARD_COUNTED if by_card else _COUNTED, store_id=store_id)
    return (
        _figures([row[1:] for row in rolled if row[0] is grain]),
        _figures(counted),
    )


def fees_rolled_and_counted(
    tx: Transaction, store_id: str, grain: Grain, *, by_card: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return known fees and their number from the rollups of a grain, and from the payouts."""
    rows = tx.rows(_FEES_ROLLED[by_card], store_id=store_id)
    rolled = next(((int(row[1]), int(row[2])) for row in rows if row[0] is grain), (0, 0))
    counted = tx.row(_FEES_COUNTED[by_card], store_id=store_id)
    assert counted is not None
    return rolled, (int(counted[0]), int(counted[1]))


def _figures(rows: list[tuple[Any, ...]]) -> Figures:
    found = {str(row[0]): (int(row[1]), int(row[2]), int(row[3])) for row in rows}
    return {status: figures for status, figures in found.items() if any(figures)}
