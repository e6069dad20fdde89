"""Attempts, sends, sightings and evidence: what was tried for a payout and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models.hold import OF_A_COPY
from models.payout import (
    Attempt,
    AttemptState,
    Evidence,
    EvidenceGrade,
    PayeeHome,
    Payout,
    Send,
    SendAnswer,
    Sighting,
)
from models.statement import DebitState
from models.states import PayoutState
from models.tables.base import table_of
from models.tables.hold import HoldRow
from models.tables.payout import AttemptRow, EvidenceRow, PayoutRow, SendRow, SightingRow
from models.tables.statement import DebitRow
from services.storage.payout import COLUMNS as PAYOUT_COLUMNS
from services.storage.payout import IS_OPEN
from services.storage.statement import (
    Statement,
    Transaction,
    among,
    columns,
    insert_into,
    record,
)

_attempts = table_of(AttemptRow)
_sends = table_of(SendRow)
_sightings = table_of(SightingRow)
_evidence = table_of(EvidenceRow)
_payouts = table_of(PayoutRow)
_holds = table_of(HoldRow)
_debits = table_of(DebitRow)
_ATTEMPT_COLUMNS = columns(Attempt, _attempts)

_ADD_ATTEMPT = insert_into(_attempts)
_READ_ATTEMPTS = Statement(
    select(*_ATTEMPT_COLUMNS)
    .where(
        _attempts.c.store_id == bindparam("store_id"),
        _attempts.c.payout_id == bindparam("payout_id"),
    )
    .order_by(_attempts.c.number)
)
_READ_LIVE = Statement(
    select(*_ATTEMPT_COLUMNS).where(
        _attempts.c.store_id == bindparam("store_id"),
        _attempts.c.payout_id == bindparam("payout_id"),
        _attempts.c.state == AttemptState.LIVE,
    )
)
_FIND_BY_HASH = Statement(
    select(*_ATTEMPT_COLUMNS).where(_attempts.c.payment_hash == bindparam("payment_hash"))
)
_SET_ATTEMPT = Statement(
    update(_attempts)
    .where(_attempts.c.store_id == bindparam("in_store"), _attempts.c.id == bindparam("attempt"))
    .values(state=bindparam("to_state"))
)
# A dead attempt debits nothing: its debit is not looked for any more.
_DROP_DEBIT = Statement(
    update(_debits)
    .where(
        _debits.c.store_id == bindparam("in_store"),
        _debits.c.attempt_id == bindparam("attempt"),
        _debits.c.state == DebitState.OPEN,
    )
    .values(state=DebitState.DROPPED)
)
_SET_HOME = Statement(
    update(_attempts)
    .where(_attempts.c.store_id == bindparam("in_store"), _attempts.c.id == bindparam("attempt"))
    .values(home=bindparam("to_home"))
)
_SET_AMOUNT = Statement(
    update(_attempts)
    .where(_attempts.c.store_id == bindparam("in_store"), _attempts.c.id == bindparam("attempt"))
    .values(amount_msat=bindparam("to_amount_msat"))
)
_SET_EXPIRED_SEEN = Statement(
    update(_attempts)
    .where(
        _attempts.c.store_id == bindparam("in_store"),
        _attempts.c.id == bindparam("attempt"),
        _attempts.c.expired_seen_at.is_(None),
    )
    .values(expired_seen_at=bindparam("now"))
)
_ADD_SEND = insert_into(_sends)
_ANSWER_SEND = Statement(
    update(_sends)
    .where(
        _sends.c.store_id == bindparam("in_store"),
        _sends.c.attempt_id == bindparam("attempt"),
        _sends.c.number == bindparam("sent"),
        _sends.c.answered_at.is_(None),
    )
    .values(
        answered_at=bindparam("now"),
        answer=bindparam("to_answer"),
        answer_code=bindparam("to_code"),
    )
)
_READ_SENDS = Statement(
    select(*columns(Send, _sends))
    .where(_sends.c.store_id == bindparam("store_id"), _sends.c.payout_id == bindparam("payout_id"))
    .order_by(_sends.c.attempt_id, _sends.c.number)
)
_adding_sighting = insert(_sightings).values(
    {column.name: bindparam(column.name) for column in _sightings.columns}
)
_ADD_SIGHTING = Statement(
    _adding_sighting.on_conflict_do_nothing(index_elements=["source", "external_id"])
)
_READ_SIGHTINGS = Statement(
    select(*columns(Sighting, _sightings))
    .where(
        _sightings.c.store_id == bindparam("store_id"),
        _sightings.c.payout_id == bindparam("payout_id"),
    )
    .order_by(_sightings.c.at, _sightings.c.id)
)
_adding_evidence = insert(_evidence).values(
    {column.name: bindparam(column.name) for column in _evidence.columns}
)
_ADD_EVIDENCE = Statement(
    _adding_evidence.on_conflict_do_nothing(index_elements=["payout_id", "grade"])
)
_READ_EVIDENCE = Statement(
    select(*columns(Evidence, _evidence)).where(
        _evidence.c.store_id == bindparam("store_id"),
        _evidence.c.payout_id == bindparam("payout_id"),
    )
)
_is_held = exists().where(_holds.c.payout_id == _payouts.c.id, _holds.c.released_at.is_(None))


def _open_work(wanted: Sequence[ColumnElement[Any]]) -> Statement:
    return Statement(
        select(*wanted)
        .where(
            IS_OPEN,
            # Held ones must not fill the list; what may be on the wire is looked up all the same.
            or_(_payouts.c.state != PayoutState.APPROVED, ~_is_held),
            _payouts.c.store_id == bindparam("store_id"),
            _payouts.c.state == bindparam("state", type_=_payouts.c.state.type),
        )
        .order_by(_payouts.c.created_at)
        .limit(bindparam("limit"))
    )


_OPEN_WORK = _open_work(PAYOUT_COLUMNS)
_OPEN_IDS = _open_work([_payouts.c.id])


_OVERDUE = Statement(
    select(*PAYOUT_COLUMNS)
    .join(_attempts, _attempts.c.payout_id == _payouts.c.id)
    .where(
        among(_payouts.c.state, (PayoutState.AWAITING_APPROVAL, PayoutState.APPROVED)),
        _attempts.c.state == AttemptState.LIVE,
        _attempts.c.invoice_expires_at
        <= bindparam("now", type_=_attempts.c.invoice_expires_at.type),
        # Of what a restored copy keeps back nobody knows that it was not sent.
        ~exists().where(
            _holds.c.payout_id == _payouts.c.id,
            _holds.c.released_at.is_(None),
            among(_holds.c.reason, OF_A_COPY),
        ),
    )
    .limit(bindparam("limit"))
)
# What has claimed a row is known by it; the others' rows are still among those nobody claims.
_SETTLED_NEAR = Statement(
    select(_attempts.c.created_at, _payouts.c.completed_at)
    .select_from(_attempts)
    .join(_payouts, _payouts.c.id == _attempts.c.payout_id)
    .where(
        ~exists().where(
            _debits.c.attempt_id == _attempts.c.id, _debits.c.state == DebitState.CLAIMED
        ),
        _attempts.c.store_id == bindparam("store_id"),
        _attempts.c.state == AttemptState.SETTLED,
        _attempts.c.created_at >= bindparam("since", type_=_attempts.c.created_at.type),
        _payouts.c.completed_at <= bindparam("until", type_=_payouts.c.completed_at.type),
        _attempts.c.amount_msat >= bindparam("least"),
        _attempts.c.amount_msat <= bindparam("most"),
    )
)


def add_attempt(tx: Transaction, attempt: Attempt) -> None:
    """Add an attempt; a payment hash seen before breaks a unique constraint."""
    tx.run(_ADD_ATTEMPT, **record(attempt))


def read_attempts(tx: Transaction, store_id: str, payout_id: str) -> list[Attempt]:
    """Return the attempts of a payout, first to last."""
    return tx.all(Attempt, _READ_ATTEMPTS, store_id=store_id, payout_id=payout_id)


def live_attempt(tx: Transaction, store_id: str, payout_id: str) -> Attempt | None:
    """Return the one attempt whose invoice may still be paid."""
    return tx.one(Attempt, _READ_LIVE, store_id=store_id, payout_id=payout_id)


def find_attempt(tx: Transaction, payment_hash: str) -> Attempt | None:
    """Return the attempt with a payment hash, in whichever store: hashes are unique everywhere."""
    return tx.one(Attempt, _FIND_BY_HASH, payment_hash=payment_hash)


def set_attempt_state(tx: Transaction, attempt: Attempt, state: AttemptState) -> None:
    """Say that an attempt is settled or dead, or that its invoice may be paid after all."""
    tx.run(_SET_ATTEMPT, in_store=attempt.store_id, attempt=attempt.id, to_state=state)
    if state is AttemptState.DEAD:
        tx.run(_DROP_DEBIT, in_store=attempt.store_id, attempt=attempt.id)


def set_home(tx: Transaction, attempt: Attempt, home: PayeeHome) -> None:
    """Remember whether Flash issued the invoice."""
    tx.run(_SET_HOME, in_store=attempt.store_id, attempt=attempt.id, to_home=home)


def set_amount(tx: Transaction, attempt: Attempt, amount_msat: int) -> None:
    """Change what is sent by an invoice that names no amount, while nothing is on the wire."""
    tx.run(_SET_AMOUNT, in_store=attempt.store_id, attempt=attempt.id, to_amount_msat=amount_msat)


def set_expired_seen(tx: Transaction, attempt: Attempt, now: datetime) -> None:
    """Remember when Flash first called a home invoice expired (rule W asks twice)."""
    tx.run(_SET_EXPIRED_SEEN, in_store=attempt.store_id, attempt=attempt.id, now=now)


def add_send(tx: Transaction, send: Send) -> None:
    """Log a send before its request goes on the wire."""
    tx.run(_ADD_SEND, **record(send))


def answer_send(
    tx: Transaction, send: Send, answer: SendAnswer, code: str | None, now: Any
) -> bool:
    """Write down what came back for a send; False if that was done before."""
    touched = tx.run(
        _ANSWER_SEND,
        in_store=send.store_id,
        attempt=send.attempt_id,
        sent=send.number,
        now=now,
        to_answer=answer,
        to_code=code,
    )
    return touched == 1


def read_sends(tx: Transaction, store_id: str, payout_id: str) -> list[Send]:
    """Return all sends of a payout."""
    return tx.all(Send, _READ_SENDS, store_id=store_id, payout_id=payout_id)


def add_sighting(tx: Transaction, sighting: Sighting) -> bool:
    """Record a sighting; False if the same report was recorded before."""
    return tx.run(_ADD_SIGHTING, **record(sighting)) == 1


def read_sightings(tx: Transaction, store_id: str, payout_id: str) -> list[Sighting]:
    """Return the sightings of a payout, in the order they came."""
    return tx.all(Sighting, _READ_SIGHTINGS, store_id=store_id, payout_id=payout_id)


def add_evidence(tx: Transaction, evidence: Evidence) -> bool:
    """Keep evidence of settlement; False if evidence of that grade is there."""
    return tx.run(_ADD_EVIDENCE, **record(evidence)) == 1


def read_evidence(tx: Transaction, store_id: str, payout_id: str) -> list[Evidence]:
    """Return the evidence for a payout, best grade first."""
    order = list(EvidenceGrade)
    found = tx.all(Evidence, _READ_EVIDENCE, store_id=store_id, payout_id=payout_id)
    return sorted(found, key=lambda evidence: order.index(evidence.grade))


def read_open_work(tx: Transaction, store_id: str, state: PayoutState, limit: int) -> list[Payout]:
    """Return payouts in a state that a wallet worker has to look at, oldest first."""
    return tx.all(Payout, _OPEN_WORK, store_id=store_id, state=state, limit=limit)


def read_open_ids(tx: Transaction, store_id: str, state: PayoutState, limit: int) -> list[str]:
    """Return the ids of the same payouts, for whoever has most of them in hand already."""
    rows = tx.rows(_OPEN_IDS, store_id=store_id, state=state, limit=limit)
    return [payout_id for (payout_id,) in rows]


def settled_near(
    tx: Transaction,
    store_id: str,
    *,
    since: datetime,
    until: datetime,
    least_msat: int,
    most_msat: int,
) -> list[tuple[datetime, datetime]]:
    """Return when attempts between two amounts were made and settled that claimed no row yet."""
    found = tx.rows(
        _SETTLED_NEAR,
        store_id=store_id,
        since=since,
        until=until,
        least=least_msat,
        most=most_msat,
    )
    return [(made_at, completed_at) for made_at, completed_at in found]


def read_overdue(tx: Transaction, now: datetime, limit: int) -> list[Payout]:
    """Return payouts of all stores that wait unsent though their invoice has run out."""
    return tx.all(Payout, _OVERDUE, now=now, limit=limit)
