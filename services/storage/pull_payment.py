"""Pull payments."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, tuple_, update

from models.events import PullPaymentChanged
from models.ledger import FUNDING, Entry, budget_account
from models.pull_payment import PullPayment
from models.states import PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from models.tables.pull_payment import PullPaymentRow
from services.storage.ledger import post
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_table = table_of(PullPaymentRow)
_payouts = table_of(PayoutRow)
_COLUMNS = columns(PullPayment, _table)
_ADD = insert_into(_table)
_READ = Statement(
    select(*_COLUMNS).where(
        _table.c.store_id == bindparam("store_id"), _table.c.id == bindparam("id")
    )
)
_LOCK = Statement(
    select(*_COLUMNS)
    .where(_table.c.store_id == bindparam("store_id"), _table.c.id == bindparam("id"))
    .with_for_update()
)
_FIND = Statement(
    select(*_COLUMNS).where(_table.c.claim_token_hash == bindparam("claim_token_hash"))
)
_CHANGE = Statement(
    update(_table)
    .where(
        _table.c.store_id == bindparam("in_store"),
        _table.c.id == bindparam("changed"),
        bindparam("new_budget") >= _table.c.reserved + _table.c.paid,
    )
    .values(
        name=bindparam("new_name"),
        budget=bindparam("new_budget"),
        min_sats=bindparam("new_min_sats"),
        max_sats=bindparam("new_max_sats"),
        expires_at=bindparam("new_expires_at"),
        auto_approve=bindparam("new_auto_approve"),
        state=bindparam("new_state"),
        claim_token_hash=bindparam("new_claim_token_hash"),
        claim_token_sealed=bindparam("new_claim_token_sealed"),
    )
)
_WAITING = Statement(
    select(_payouts.c.pull_payment_id, func.count())
    .where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PENDING,
        _payouts.c.pull_payment_id.is_not(None),
    )
    .group_by(_payouts.c.pull_payment_id)
)
_NEWEST = select(*_COLUMNS).where(_table.c.store_id == bindparam("store_id"))
_ORDER = (_table.c.created_at.desc(), _table.c.id.desc())
_FIRST_PAGE = Statement(_NEWEST.order_by(*_ORDER).limit(bindparam("limit")))
_NEXT_PAGE = Statement(
    _NEWEST.where(
        tuple_(_table.c.created_at, _table.c.id)
        < tuple_(
            bindparam("before_at", type_=_table.c.created_at.type),
            bindparam("before_id", type_=_table.c.id.type),
        )
    )
    .order_by(*_ORDER)
    .limit(bindparam("limit"))
)


def add_pull_payment(tx: Transaction, pull_payment: PullPayment) -> None:
    """Add a pull payment and put its budget on the book."""
    tx.run(_ADD, **record(pull_payment))
    fund_budget(tx, pull_payment, pull_payment.budget, "created")
    tx.changes.append(PullPaymentChanged(pull_payment.store_id, pull_payment.id))


def fund_budget(tx: Transaction, pull_payment: PullPayment, units: int, why: str) -> None:
    """Post a change of a budget: money it may pay out comes from the store's funding."""
    if units == 0:
        return

    def leg(number: int, account: str, amount: int) -> Entry:
        return Entry(
            store_id=pull_payment.store_id,
            transaction_id=f"{pull_payment.id}:{why}",
            leg=number,
            account=account,
            unit=pull_payment.currency,
            amount=amount,
            payout_id=None,
            at=pull_payment.created_at,
        )

    post(tx, (leg(0, FUNDING, -units), leg(1, budget_account(pull_payment.id), units)))


def read_pull_payment(tx: Transaction, store_id: str, pull_payment_id: str) -> PullPayment | None:
    """Return a pull payment of a store."""
    return tx.one(PullPayment, _READ, store_id=store_id, id=pull_payment_id)


def lock_pull_payment(tx: Transaction, store_id: str, pull_payment_id: str) -> PullPayment | None:
    """Return a pull payment that nobody else can change before this transaction ends."""
    return tx.one(PullPayment, _LOCK, store_id=store_id, id=pull_payment_id)


def find_pull_payment(tx: Transaction, claim_token_hash: str) -> PullPayment | None:
    """Return the pull payment a claim token opens; the token is what says which store."""
    return tx.one(PullPayment, _FIND, claim_token_hash=claim_token_hash)


def change_pull_payment(tx: Transaction, changed: PullPayment) -> bool:
    """Write the editable fields; refused when the budget would not cover what is taken."""
    touched = tx.run(
        _CHANGE,
        in_store=changed.store_id,
        changed=changed.id,
        new_name=changed.name,
        new_budget=changed.budget,
        new_min_sats=changed.min_sats,
        new_max_sats=changed.max_sats,
        new_expires_at=changed.expires_at,
        new_auto_approve=changed.auto_approve,
        new_state=changed.state,
        new_claim_token_hash=changed.claim_token_hash,
        new_claim_token_sealed=changed.claim_token_sealed,
    )
    if touched:
        tx.changes.append(PullPaymentChanged(changed.store_id, changed.id))
    return touched == 1


def page_pull_payments(
    tx: Transaction, store_id: str, limit: int, before: tuple[object, str] | None
) -> list[PullPayment]:
    """Return pull payments, newest first, from before a (created_at, id)."""
    if before is None:
        return tx.all(PullPayment, _FIRST_PAGE, store_id=store_id, limit=limit)
    return tx.all(
        PullPayment,
        _NEXT_PAGE,
        store_id=store_id,
        limit=limit,
        before_at=before[0],
        before_id=before[1],
    )


def count_waiting(tx: Transaction, store_id: str) -> dict[str, int]:
    """Return how many claims wait on each pull payment that has any."""
    return {row[0]: int(row[1]) for row in tx.rows(_WAITING, store_id=store_id)}
