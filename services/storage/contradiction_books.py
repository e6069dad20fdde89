"""What ledger, budgets, cards, record and outbox must never say, slice by slice."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    BigInteger,
    String,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from models.books import Finding, Slice
from models.instants import MICROSECOND
from models.invariant import Invariant
from models.ledger import CLAWBACK, IN_TRANSIT, PAID, RESERVED
from models.states import PLACE, Place
from models.tables.base import table_of
from models.tables.card import KeySetRow, TapRow
from models.tables.ledger import LedgerRow
from models.tables.payout import PayoutRow
from models.tables.pull_payment import PullPaymentRow
from models.tables.store import AuditRow, StoreRow
from models.tables.wallet import OutboxRow
from services.storage.payout_slice import Contradiction, contradiction, of_store
from services.storage.statement import Statement, Transaction, among

LEDGER_SLICE = 500
BUDGET_SLICE = 1  # all its payouts are added up in one statement
CARD_SLICE = 50
TAP_SLICE = 5_000
RECORD_SLICE = 2_000
FINDING_LIMIT = 100
TELL_WITHIN = timedelta(days=1)
TAP_SLACK = timedelta(minutes=1)  # two taps at once may get their times in another order

_ledger = table_of(LedgerRow)
_payouts = table_of(PayoutRow)
_pulls = table_of(PullPaymentRow)
_key_sets = table_of(KeySetRow)
_taps = table_of(TapRow)
_stores = table_of(StoreRow)
_record = table_of(AuditRow)
_outbox = table_of(OutboxRow)


def _walk(count: int, table: Table, column: Any, *more: Any) -> Statement:
    return Statement(
        select(column, *more)
        .where(of_store(table), column > bindparam("after"))
        .distinct()
        .order_by(column)
        .limit(count)
    )


def _here(table: Table, column: Any) -> tuple[Any, ...]:
    return (of_store(table), column > bindparam("after"), column <= bindparam("until"))


_Questions = dict[Invariant, tuple[Contradiction, ...]]
_OF_PAYOUTS = among(_ledger.c.account, (RESERVED, IN_TRANSIT, PAID, CLAWBACK))
_legs = _here(_ledger, _ledger.c.transaction_id)
_LEDGER_WALK = _walk(LEDGER_SLICE, _ledger, _ledger.c.transaction_id)
_LEDGER: _Questions = {
    Invariant.BALANCED: (
        contradiction(
            "Its legs in {0} come to {1}.",
            select(_ledger.c.transaction_id, _ledger.c.unit, func.sum(_ledger.c.amount))
            .where(*_legs)
            .group_by(_ledger.c.transaction_id, _ledger.c.unit)
            .having(func.sum(_ledger.c.amount) != 0),
        ),
        contradiction(
            "It has {0} leg.",
            select(_ledger.c.transaction_id, func.count())
            .where(*_legs)
            .group_by(_ledger.c.transaction_id)
            .having(func.count() == 1),
        ),
        contradiction(
            "Its leg in {0} belongs to no payout.",
            select(_ledger.c.transaction_id, _ledger.c.account).where(
                *_legs,
                or_(
                    and_(_ledger.c.payout_id.is_(None), _OF_PAYOUTS),
                    and_(
                        _ledger.c.payout_id.is_not(None),
                        ~exists().where(
                            _payouts.c.id == _ledger.c.payout_id,
                            _payouts.c.store_id == _ledger.c.store_id,
                        ),
                    ),
                ),
            ),
        ),
    )
}


def _in_place(*places: Place) -> Any:
    states = [state for state, place in PLACE.items() if place in places]
    return func.coalesce(
        func.sum(case((among(_payouts.c.state, states), _payouts.c.original_amount), else_=0)), 0
    )


_taken, _paid = _in_place(Place.RESERVED, Place.IN_TRANSIT), _in_place(Place.PAID)
_budgets = (
    select(_pulls.c.id, _pulls.c.reserved, _pulls.c.paid, _taken, _paid, _pulls.c.budget)
    .select_from(_pulls.outerjoin(_payouts, _payouts.c.pull_payment_id == _pulls.c.id))
    .where(*_here(_pulls, _pulls.c.id))
    .group_by(_pulls.c.id, _pulls.c.reserved, _pulls.c.paid, _pulls.c.budget)
)
_booked = func.coalesce(func.sum(_ledger.c.amount), 0)
_is_of_budget = and_(
    _ledger.c.store_id == _pulls.c.store_id,
    _ledger.c.account == literal_column("'budget:'", String) + _pulls.c.id,
)
_BUDGET_WALK = _walk(BUDGET_SLICE, _pulls, _pulls.c.id)
_BUDGETS = Statement(
    _budgets.having(
        or_(_taken != _pulls.c.reserved, _paid != _pulls.c.paid, _taken + _paid > _pulls.c.budget)
    )
)
_ACCOUNT = contradiction(
    "Of its budget {0} is left; its account says {1}.",
    select(_pulls.c.id, _pulls.c.budget - _pulls.c.reserved - _pulls.c.paid, _booked)
    .select_from(_pulls.outerjoin(_ledger, _is_of_budget))
    .where(*_here(_pulls, _pulls.c.id))
    .group_by(_pulls.c.id, _pulls.c.budget, _pulls.c.reserved, _pulls.c.paid)
    .having(_booked != _pulls.c.budget - _pulls.c.reserved - _pulls.c.paid),
)

_ordered = (
    select(
        _taps.c.key_set_id,
        _taps.c.counter,
        type_coerce(_taps.c.at, BigInteger).label("at_us"),
        func.lag(type_coerce(_taps.c.at, BigInteger))
        .over(partition_by=_taps.c.key_set_id, order_by=_taps.c.counter)
        .label("before_us"),
    )
    .where(*_here(_taps, _taps.c.key_set_id))
    .subquery()
)
_CARD_WALK = _walk(CARD_SLICE, _key_sets, _key_sets.c.id, _key_sets.c.last_counter)
_CARDS: _Questions = {
    Invariant.COUNTER: (
        contradiction(
            "The last counter is {0}, but a tap with {1} was taken.",
            select(_key_sets.c.id, _key_sets.c.last_counter, func.max(_taps.c.counter))
            .select_from(_key_sets.join(_taps, _taps.c.key_set_id == _key_sets.c.id))
            .where(*_here(_key_sets, _key_sets.c.id))
            .group_by(_key_sets.c.id, _key_sets.c.last_counter)
            .having(func.max(_taps.c.counter) > _key_sets.c.last_counter),
        ),
        contradiction(
            "The tap with counter {0} came before one with a lower counter.",
            select(_ordered.c.key_set_id, _ordered.c.counter).where(
                _ordered.c.at_us + TAP_SLACK // MICROSECOND < _ordered.c.before_us
            ),
        ),
    )
}

_numbers = func.count(_record.c.number)
_wanted = case(
    (_stores.c.audit_count < bindparam("until"), _stores.c.audit_count), else_=bindparam("until")
) - bindparam("after")
_RECORD = contradiction(
    "Of the entries {0} to {1}, {2} are there.",
    select(_stores.c.id, bindparam("after") + 1, bindparam("until"), _numbers)
    .select_from(
        _stores.outerjoin(
            _record,
            and_(
                _record.c.store_id == _stores.c.id,
                _record.c.number > bindparam("after"),
                _record.c.number <= bindparam("until"),
            ),
        )
    )
    .where(_stores.c.id == bindparam("store_id"))
    .group_by(_stores.c.id, _stores.c.audit_count)
    .having(_numbers != _wanted),
)
_COUNT_RECORD = Statement(
    select(_stores.c.audit_count).where(_stores.c.id == bindparam("store_id"))
)
_OUTBOX = contradiction(
    "{0} about {1} has not been told since it was written.",
    select(_outbox.c.id, _outbox.c.topic, _outbox.c.subject_id)
    .where(
        _outbox.c.store_id == bindparam("store_id"),
        _outbox.c.told_at.is_(None),
        _outbox.c.created_at < bindparam("before", type_=_outbox.c.created_at.type),
    )
    .order_by(_outbox.c.id)
    .limit(FINDING_LIMIT),
)


def _found(tx: Transaction, invariant: Invariant, asked: Contradiction, **by: Any) -> list[Finding]:
    return [
        Finding(invariant, str(row[0]), asked.says.format(*row[1:]))
        for row in tx.rows(asked.statement, **by)
    ]


def _asked(tx: Transaction, questions: _Questions, **span: Any) -> list[Finding]:
    return [
        finding
        for invariant, asked in questions.items()
        for question in asked
        for finding in _found(tx, invariant, question, **span)
    ]


def look_at_ledger(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    """Look at the next transactions of the ledger."""
    del now
    keys = [str(row[0]) for row in tx.rows(_LEDGER_WALK, store_id=store_id, after=after)]
    if not keys:
        return Slice(0, (), None)
    findings = _asked(tx, _LEDGER, store_id=store_id, after=after, until=keys[-1])
    return Slice(len(keys), tuple(findings), keys[-1] if len(keys) == LEDGER_SLICE else None)


def look_at_budgets(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    """Look at the next pull payment: its counters, its payouts and its account."""
    del now
    keys = [str(row[0]) for row in tx.rows(_BUDGET_WALK, store_id=store_id, after=after)]
    if not keys:
        return Slice(0, (), None)
    span = {"store_id": store_id, "after": after, "until": keys[-1]}
    findings = []
    for pull_payment_id, *sums in tx.rows(_BUDGETS, **span):
        reserved, paid, taken, was_paid, budget = map(int, sums)
        if (reserved, paid) != (taken, was_paid):
            detail = f"It counts {reserved} reserved and {paid} paid; its payouts say {taken}"
            detail += f" and {was_paid}."
            findings.append(Finding(Invariant.BUDGET, pull_payment_id, detail))
        if taken + was_paid > budget:
            detail = f"Its payouts hold {taken} and {was_paid} against a budget of {budget}."
            findings.append(Finding(Invariant.LIMIT, pull_payment_id, detail))
    findings += _found(tx, Invariant.BUDGET, _ACCOUNT, **span)
    return Slice(len(keys), tuple(findings), keys[-1])


def look_at_cards(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    """Look at the next key sets, fewer where cards are tapped much."""
    del now
    rows = tx.rows(_CARD_WALK, store_id=store_id, after=after)
    # A set has no more taps than its counter says.
    taps = list(accumulate(counter for _, counter in rows))
    keys = [row[0] for row, count in zip(rows, taps, strict=True) if count <= TAP_SLICE]
    keys = keys or [row[0] for row in rows[:1]]
    if not keys:
        return Slice(0, (), None)
    findings = _asked(tx, _CARDS, store_id=store_id, after=after, until=keys[-1])
    is_last = len(keys) == len(rows) < CARD_SLICE
    return Slice(len(keys), tuple(findings), None if is_last else keys[-1])


def look_at_record(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    """Look whether entries of the record are gone, by their numbers."""
    del now
    last = tx.row(_COUNT_RECORD, store_id=store_id)
    start, count = int(after or 0), 0 if last is None else int(last[0])
    until = min(start + RECORD_SLICE, count)
    if until <= start:
        return Slice(0, (), None)
    findings = _found(tx, Invariant.RECORD, _RECORD, store_id=store_id, after=start, until=until)
    return Slice(until - start, tuple(findings), None if until == count else str(until))


def look_at_outbox(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    """Look whether something waits to be told for too long."""
    del after
    findings = _found(tx, Invariant.TOLD, _OUTBOX, store_id=store_id, before=now - TELL_WITHIN)
    return Slice(len(findings), tuple(findings), None)
