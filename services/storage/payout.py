"""Payouts: how they are made, how they move, and what is written with every move."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select, update

from models.errors import StateChanged
from models.events import PayoutChanged
from models.payout import Payout, PayoutEvent
from models.states import ALLOWED, PLACE, STATUS, PayoutState, Place
from models.store import Actor
from models.tables.base import table_of
from models.tables.card import CardRow
from models.tables.payout import PayoutEventRow, PayoutRow, PayoutWordRow
from services.storage.ledger import shift, shift_budget, take_budget
from services.storage.rollup import roll_up
from services.storage.statement import (
    Statement,
    Transaction,
    among,
    columns,
    insert_into,
    record,
    replaced,
)

_payouts = table_of(PayoutRow)
_events = table_of(PayoutEventRow)
_cards = table_of(CardRow)
COLUMNS = columns(Payout, _payouts)
# The condition of the index `ix_payouts_open`, state by state: whoever looks for open payouts adds
# it, because SQLite takes a partial index only for a statement that repeats its condition.
IS_OPEN = among(
    _payouts.c.state,
    (
        PayoutState.AWAITING_APPROVAL,
        PayoutState.APPROVED,
        PayoutState.PROCESSING,
        PayoutState.IN_FLIGHT,
    ),
)

_ADD = insert_into(_payouts)
_ADD_EVENT = insert_into(_events)
_ADD_WORD = insert_into(table_of(PayoutWordRow))
_READ = Statement(
    select(*COLUMNS).where(
        _payouts.c.store_id == bindparam("store_id"), _payouts.c.id == bindparam("id")
    )
)
# Locks the row until the transaction ends; SQLite has one writer and needs no lock.
_LOCK = Statement(
    select(*COLUMNS)
    .where(_payouts.c.store_id == bindparam("store_id"), _payouts.c.id == bindparam("id"))
    .with_for_update()
)
_FIND_CLAIM = Statement(
    select(*COLUMNS).where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.claim_key == bindparam("claim_key"),
    )
)
_TAKE_TURN = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("claim_key"), 0)))
)
_READ_EVENTS = Statement(
    select(*columns(PayoutEvent, _events))
    .where(
        _events.c.store_id == bindparam("store_id"), _events.c.payout_id == bindparam("payout_id")
    )
    .order_by(_events.c.number)
)
_USE_CARD = Statement(
    update(_cards)
    .where(_cards.c.store_id == bindparam("in_store"), _cards.c.id == bindparam("card"))
    .values(last_used_at=bindparam("now"))
)


def create(
    tx: Transaction, payout: Payout, actor: Actor, words: frozenset[str] = frozenset()
) -> bool:
    """Add a payout in state `pending` and reserve its money; False if the budget is short.

    A claim key or payment hash that is taken breaks a unique constraint; callers look first.
    """
    assert payout.state is PayoutState.PENDING
    if payout.pull_payment_id is not None and not take_budget(
        tx, payout.store_id, payout.pull_payment_id, payout.original_amount, payout.created_at
    ):
        return False
    tx.run(_ADD, **record(payout))
    tx.many(
        _ADD_WORD,
        [{"store_id": payout.store_id, "word": word, "payout_id": payout.id} for word in words],
    )
    _add_event(tx, None, payout, payout.created_at, actor, None, None)
    shift(tx, payout, Place.BUDGET, Place.RESERVED, payout.created_at)
    if payout.card_id is not None and payout.card_verified:
        tx.run(_USE_CARD, in_store=payout.store_id, card=payout.card_id, now=payout.created_at)
    roll_up(tx, None, payout)
    tx.changes.append(PayoutChanged(payout.store_id, payout.id, payout.state, payout.revision))
    return True


def move(
    tx: Transaction,
    payout: Payout,
    target: PayoutState,
    *,
    now: datetime,
    actor: Actor,
    reason_code: str | None = None,
    reason: str | None = None,
    **changes: Any,
) -> Payout:
    """Take one allowed step; everything that belongs to it is written with it.

    `changes` are further columns to set. The update names the source state and revision, so a
    caller that looked at an older row changes nothing.

    Raises:
        StateChanged: The payout is no longer as the caller saw it.
    """
    step = ALLOWED[payout.state, target]
    if step.stamp is not None and getattr(payout, step.stamp) is None:
        changes[step.stamp] = now
    moved = replaced(
        payout,
        state=target,
        status=STATUS[target],
        revision=payout.revision + 1,
        **changes,
    )
    written = {"state": target, "status": moved.status, "revision": moved.revision, **changes}
    touched = tx.run(
        _move_statement(frozenset(written)),
        in_store=payout.store_id,
        moved=payout.id,
        from_state=payout.state,
        from_revision=payout.revision,
        **{f"to_{name}": value for name, value in written.items()},
    )
    if touched != 1:
        raise StateChanged(payout.id, payout.state)
    _add_event(tx, payout.state, moved, now, actor, reason_code, reason)
    shift(tx, moved, PLACE[payout.state], PLACE[target], now)
    shift_budget(tx, moved, PLACE[payout.state], PLACE[target])
    roll_up(tx, payout, moved)
    tx.changes.append(PayoutChanged(moved.store_id, moved.id, moved.state, moved.revision))
    return moved


@lru_cache(maxsize=64)
def _move_statement(names: frozenset[str]) -> Statement:
    return Statement(
        update(_payouts)
        .where(
            _payouts.c.store_id == bindparam("in_store"),
            _payouts.c.id == bindparam("moved"),
            _payouts.c.state == bindparam("from_state", type_=_payouts.c.state.type),
            _payouts.c.revision == bindparam("from_revision"),
        )
        .values({name: bindparam(f"to_{name}") for name in sorted(names)})
    )


def amend(tx: Transaction, payout: Payout, **changes: Any) -> Payout:
    """Change columns that are no transition (a fee learnt later, when to look again).

    Raises:
        StateChanged: The payout is no longer as the caller saw it.
    """
    touched = tx.run(
        _move_statement(frozenset(changes)),
        in_store=payout.store_id,
        moved=payout.id,
        from_state=payout.state,
        from_revision=payout.revision,
        **{f"to_{name}": value for name, value in changes.items()},
    )
    if touched != 1:
        raise StateChanged(payout.id, payout.state)
    amended = replaced(payout, **changes)
    roll_up(tx, payout, amended)
    tx.changes.append(PayoutChanged(payout.store_id, payout.id, payout.state, payout.revision))
    return amended


def read_payout(tx: Transaction, store_id: str, payout_id: str) -> Payout | None:
    """Return a payout of a store."""
    return tx.one(Payout, _READ, store_id=store_id, id=payout_id)


def lock_payout(tx: Transaction, store_id: str, payout_id: str) -> Payout | None:
    """Return a payout that nobody else can change before this transaction ends.

    Whatever decides by what it reads of a payout locks it first: the payout, then attempts and
    sends, then the wallet, then the pull payment, then rollups, always in this order.
    """
    return tx.one(Payout, _LOCK, store_id=store_id, id=payout_id)


def find_claim(tx: Transaction, store_id: str, claim_key: str) -> Payout | None:
    """Return the payout that a k1 (hashed) has already made, or is making in this moment.

    Of two equal callbacks the second waits for how the first ends: it must not be told of a gate
    that shut in between. SQLite has one writer, so there the first has ended.
    """
    if tx.dialect == "postgresql":
        tx.row(_TAKE_TURN, claim_key=claim_key)
    return tx.one(Payout, _FIND_CLAIM, store_id=store_id, claim_key=claim_key)


def read_events(tx: Transaction, store_id: str, payout_id: str) -> list[PayoutEvent]:
    """Return the transitions of a payout, in order."""
    return tx.all(PayoutEvent, _READ_EVENTS, store_id=store_id, payout_id=payout_id)


def _add_event(
    tx: Transaction,
    source: PayoutState | None,
    payout: Payout,
    now: datetime,
    actor: Actor,
    reason_code: str | None,
    reason: str | None,
) -> None:
    tx.run(
        _ADD_EVENT,
        store_id=payout.store_id,
        payout_id=payout.id,
        number=payout.revision,
        source=source,
        target=payout.state,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        reason_code=reason_code,
        reason=reason,
        request_id=actor.request_id,
    )
