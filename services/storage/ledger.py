"""The double-entry book and the counters of pull payments: both follow a payout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update

from models.ledger import CLAWBACK, IN_TRANSIT, PAID, RESERVED, Entry, budget_account
from models.payout import Payout
from models.pull_payment import PullPaymentState
from models.states import Place
from models.tables.base import table_of
from models.tables.ledger import LedgerRow
from models.tables.pull_payment import PullPaymentRow
from services.storage.statement import Statement, Transaction, insert_into, record

_ledger = table_of(LedgerRow)
_pulls = table_of(PullPaymentRow)

# How the id of a debit ends that came after its payout's money had been released.
AFTER_RELEASE = ":after-release"

_ADD_ENTRY = insert_into(_ledger)
_IS_POSTED = Statement(
    select(_ledger.c.leg).where(_ledger.c.transaction_id == bindparam("transaction")).limit(1)
)
_BALANCES = Statement(
    select(_ledger.c.account, _ledger.c.unit, func.sum(_ledger.c.amount))
    .where(_ledger.c.store_id == bindparam("store_id"))
    .group_by(_ledger.c.account, _ledger.c.unit)
)
_AFTER_RELEASE = Statement(
    select(_ledger.c.unit, func.sum(_ledger.c.amount))
    .where(
        _ledger.c.store_id == bindparam("store_id"),
        _ledger.c.account == PAID,
        _ledger.c.transaction_id.like(f"%{AFTER_RELEASE}"),
    )
    .group_by(_ledger.c.unit)
)
_TAKE_BUDGET = Statement(
    update(_pulls)
    .where(
        _pulls.c.id == bindparam("pull_payment"),
        _pulls.c.store_id == bindparam("store"),
        _pulls.c.reserved + _pulls.c.paid + bindparam("units") <= _pulls.c.budget,
        # Read before, but it may have been archived or shortened since.
        _pulls.c.state == PullPaymentState.ACTIVE,
        or_(
            _pulls.c.expires_at.is_(None),
            _pulls.c.expires_at > bindparam("now", type_=_pulls.c.expires_at.type),
        ),
    )
    .values(reserved=_pulls.c.reserved + bindparam("units"))
)
_SHIFT_BUDGET = Statement(
    update(_pulls)
    .where(_pulls.c.id == bindparam("pull_payment"), _pulls.c.store_id == bindparam("store"))
    .values(
        reserved=_pulls.c.reserved + bindparam("reserved_units"),
        paid=_pulls.c.paid + bindparam("paid_units"),
    )
)


def account_of(place: Place, pull_payment_id: str | None) -> str:
    """Return the account in which a payout's money stands."""
    match place:
        case Place.BUDGET:
            return budget_account(pull_payment_id)
        case Place.RESERVED:
            return RESERVED
        case Place.IN_TRANSIT:
            return IN_TRANSIT
        case Place.PAID:
            return PAID
        case Place.CLAWBACK:
            return CLAWBACK


def post(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Write the legs of one ledger transaction; they must sum to zero per unit."""
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.unit] = sums.get(entry.unit, 0) + entry.amount
    assert not any(sums.values()), "ledger transaction does not sum to zero"
    tx.many(_ADD_ENTRY, [record(entry) for entry in entries])


def is_posted(tx: Transaction, transaction_id: str) -> bool:
    """Tell whether a ledger transaction of this id was written before."""
    return tx.row(_IS_POSTED, transaction=transaction_id) is not None


def is_posted_after_release(tx: Transaction, attempt_ids: Sequence[str]) -> bool:
    """Tell whether an attempt was paid after its payout's money had been released."""
    return any(is_posted(tx, f"{attempt_id}{AFTER_RELEASE}") for attempt_id in attempt_ids)


def shift(tx: Transaction, payout: Payout, source: Place, target: Place, now: datetime) -> None:
    """Move a payout's money from one account to another, named by the revision that caused it."""
    if source is target:
        return
    units, pull_payment_id = payout.original_amount, payout.pull_payment_id
    transaction_id = f"{payout.id}:{payout.revision}"

    def leg(number: int, place: Place, amount: int) -> Entry:
        return Entry(
            store_id=payout.store_id,
            transaction_id=transaction_id,
            leg=number,
            account=account_of(place, pull_payment_id),
            unit=payout.currency,
            amount=amount,
            payout_id=payout.id,
            at=now,
        )

    post(tx, (leg(0, source, -units), leg(1, target, units)))


def take_budget(
    tx: Transaction, store_id: str, pull_payment_id: str, units: int, now: datetime
) -> bool:
    """Reserve units of an open budget if that many are free: check and act are one statement."""
    taken = tx.run(_TAKE_BUDGET, pull_payment=pull_payment_id, store=store_id, units=units, now=now)
    return taken == 1


def give_budget_back(tx: Transaction, store_id: str, pull_payment_id: str, units: int) -> None:
    """Undo taking units of a budget, in the transaction that took them."""
    tx.run(
        _SHIFT_BUDGET,
        pull_payment=pull_payment_id,
        store=store_id,
        reserved_units=-units,
        paid_units=0,
    )


_HELD = frozenset({Place.RESERVED, Place.IN_TRANSIT})


def shift_budget(tx: Transaction, payout: Payout, source: Place, target: Place) -> None:
    """Keep a pull payment's counters in step with the ledger."""
    if payout.pull_payment_id is None:
        return
    units = payout.original_amount
    reserved = units * ((target in _HELD) - (source in _HELD))
    paid = units * ((target is Place.PAID) - (source is Place.PAID))
    if reserved or paid:
        tx.run(
            _SHIFT_BUDGET,
            pull_payment=payout.pull_payment_id,
            store=payout.store_id,
            reserved_units=reserved,
            paid_units=paid,
        )


def balances(tx: Transaction, store_id: str) -> dict[tuple[str, str], int]:
    """Return the balance of every account, by account and unit."""
    rows = tx.rows(_BALANCES, store_id=store_id)
    return {(row[0], row[1]): int(row[2]) for row in rows}


def paid_after_release(tx: Transaction, store_id: str) -> dict[str, int]:
    """Return, by unit, what was paid for payouts whose money had been released."""
    rows = tx.rows(_AFTER_RELEASE, store_id=store_id)
    return {row[0]: int(row[1]) for row in rows}
