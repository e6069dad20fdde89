"""What the events, times and ledger legs of payouts must never say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import String, and_, case, func, literal, literal_column, or_, select, type_coerce

from models.instants import MICROSECOND
from models.invariant import Invariant
from models.ledger import CLAWBACK, FUNDING, IN_TRANSIT, PAID, RESERVED
from models.states import ALLOWED, FINAL, PLACE, STATUS, PayoutState, Place
from models.store import ActorKind
from models.tables.base import table_of
from models.tables.columns import BigKey
from models.tables.ledger import LedgerRow
from models.tables.payout import PayoutEventRow
from services.storage.ledger import AFTER_RELEASE
from services.storage.payout_slice import IN_SLICE, PAYOUTS, Contradiction, contradiction
from services.storage.statement import among

_events = table_of(PayoutEventRow)
_before = _events.alias("before")
_ledger = table_of(LedgerRow)
# Two machines that take turns do not have quite the same time.
CLOCK_SLACK = timedelta(seconds=5)
_MACHINES = (ActorKind.SYSTEM, ActorKind.PAYEE)
_SLACK_US = CLOCK_SLACK // MICROSECOND

_state = PAYOUTS.c.state
_with_events = PAYOUTS.join(_events, _events.c.payout_id == PAYOUTS.c.id)
_with_both = _with_events.join(
    _before,
    and_(_before.c.payout_id == PAYOUTS.c.id, _before.c.number == _events.c.number - 1),
)


def _payouts(*more: Any) -> Any:
    return select(PAYOUTS.c.id, _state, *more).where(*IN_SLICE)


def _us(column: Any) -> Any:
    return type_coerce(column, BigKey)


def _in(place: Place) -> Any:
    """Return a payout's amount where its state puts it in a place, else nothing."""
    states = [state for state, found in PLACE.items() if found is place]
    return case((among(_state, states), PAYOUTS.c.original_amount), else_=0)


def _booked(account: Any) -> Any:
    return func.coalesce(func.sum(case((_ledger.c.account == account, _ledger.c.amount))), 0)


_is_allowed = or_(
    *(and_(_events.c.source == source, _events.c.target == target) for source, target in ALLOWED)
)
_is_first = and_(
    _events.c.number == 1, _events.c.source.is_(None), _events.c.target == PayoutState.PENDING
)
_is_of_status = or_(
    *(and_(_state == state, PAYOUTS.c.status == status) for state, status in STATUS.items())
)
# The account a payout's money comes from; a fixed text is written out, or PostgreSQL asks its type.
_source = case(
    (PAYOUTS.c.pull_payment_id.is_(None), literal(FUNDING, String)),
    else_=literal_column("'budget:'", String) + PAYOUTS.c.pull_payment_id,
)
_ledger_of = PAYOUTS.outerjoin(
    _ledger,
    and_(
        _ledger.c.payout_id == PAYOUTS.c.id,
        _ledger.c.transaction_id.not_like(f"%{AFTER_RELEASE}"),
    ),
)
_in_budget = _in(Place.BUDGET) - PAYOUTS.c.original_amount

PATH: dict[Invariant, tuple[Contradiction, ...]] = {
    Invariant.PLACE: (
        contradiction(
            "It is {0}, but the ledger has {1} reserved, {2} in transit and {3} paid.",
            _payouts(_booked(RESERVED), _booked(IN_TRANSIT), _booked(PAID))
            .select_from(_ledger_of)
            .group_by(PAYOUTS.c.id, _state, PAYOUTS.c.original_amount, PAYOUTS.c.pull_payment_id)
            .having(
                or_(
                    _booked(RESERVED) != _in(Place.RESERVED),
                    _booked(IN_TRANSIT) != _in(Place.IN_TRANSIT),
                    _booked(PAID) != _in(Place.PAID),
                    _booked(CLAWBACK) != _in(Place.CLAWBACK),
                    _booked(_source) != _in_budget,
                    func.count(case((_ledger.c.unit != PAYOUTS.c.currency, 1))) > 0,
                )
            ),
        ),
    ),
    Invariant.APPROVED: (
        contradiction(
            "It is {0}; step {1} approved it, and nobody's name is on it.",
            _payouts(_events.c.number)
            .select_from(_with_events)
            .where(
                _events.c.source == PayoutState.AWAITING_APPROVAL,
                _events.c.target == PayoutState.APPROVED,
                or_(
                    _events.c.actor_id.is_(None),
                    among(_events.c.actor_kind, _MACHINES),
                ),
            ),
        ),
    ),
    Invariant.EVENTS: (
        contradiction(
            "It is {0} at revision {1}, with {2} events.",
            _payouts(PAYOUTS.c.revision, func.count(_events.c.number))
            .select_from(PAYOUTS.outerjoin(_events, _events.c.payout_id == PAYOUTS.c.id))
            .group_by(PAYOUTS.c.id, _state, PAYOUTS.c.revision)
            .having(
                or_(
                    func.count(_events.c.number) != PAYOUTS.c.revision,
                    func.max(_events.c.number) != PAYOUTS.c.revision,
                )
            ),
        ),
    ),
    Invariant.STEPS: (
        contradiction(
            "It is {0}; step {1} leads from {2} to {3}.",
            _payouts(_events.c.number, _events.c.source, _events.c.target)
            .select_from(_with_events)
            .where(~_is_first, or_(_events.c.source.is_(None), ~_is_allowed)),
        ),
        contradiction(
            "It is {0}; step {1} begins at {2}, the one before ended elsewhere.",
            _payouts(_events.c.number, _events.c.source)
            .select_from(_with_both)
            .where(_before.c.target != _events.c.source),
        ),
    ),
    Invariant.LAST_EVENT: (
        contradiction(
            "It is {0}, but its last event says {1}.",
            _payouts(_events.c.target)
            .select_from(_with_events)
            .where(_events.c.number == PAYOUTS.c.revision, _events.c.target != _state),
        ),
        contradiction(
            "It is {0}, but people are told {1}.",
            _payouts(PAYOUTS.c.status).where(~_is_of_status),
        ),
    ),
    Invariant.TIMES: (
        contradiction(
            "It is {0}; step {1} came before the one it follows.",
            _payouts(_events.c.number)
            .select_from(_with_both)
            .where(_us(_events.c.at) + _SLACK_US < _us(_before.c.at)),
        ),
        contradiction(
            "It is {0}; by its times it was sent or paid before it was asked for.",
            _payouts().where(
                or_(
                    _us(PAYOUTS.c.submitted_at) + _SLACK_US < _us(PAYOUTS.c.created_at),
                    _us(PAYOUTS.c.completed_at) + _SLACK_US < _us(PAYOUTS.c.created_at),
                    _us(PAYOUTS.c.completed_at) + _SLACK_US < _us(PAYOUTS.c.submitted_at),
                )
            ),
        ),
    ),
    Invariant.FINAL: (
        contradiction(
            "It is {0}; step {1} opened it again, and no person did that.",
            _payouts(_events.c.number)
            .select_from(_with_events)
            .where(
                among(_events.c.source, FINAL),
                among(_events.c.actor_kind, _MACHINES),
            ),
        ),
    ),
}
