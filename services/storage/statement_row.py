"""The wallet's statement as we keep it: rows, the debits we expect, and which claimed which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from models.payout import AttemptState, SendAnswer
from models.statement import Debit, DebitState, KeptRow, RowState
from models.states import PayoutState
from models.tables.base import table_of
from models.tables.payout import AttemptRow, PayoutRow, SendRow
from models.tables.statement import DebitRow, StatementRowRow
from services.storage.statement import (
    Judged,
    Statement,
    Transaction,
    among,
    columns,
    record,
)

_rows = table_of(StatementRowRow)
_debits = table_of(DebitRow)
_attempts = table_of(AttemptRow)
_payouts = table_of(PayoutRow)
_sends = table_of(SendRow)
_ROW_COLUMNS = columns(KeptRow, _rows)
ROWS_LIMIT = 5_000  # more in one window decide nothing, and are shown
DEBITS_LIMIT = 2_000

_adding_debit = insert(_debits).values(
    {column.name: bindparam(column.name) for column in _debits.columns}
)
_ADD_DEBIT = Statement(_adding_debit.on_conflict_do_nothing(index_elements=["attempt_id"]))
_EXPECT_ANEW = Statement(
    _adding_debit.on_conflict_do_update(
        index_elements=["attempt_id"],
        set_={
            name: _adding_debit.excluded[name]
            for name in (
                *("state", "flash_wallet_id", "expected_nanousd"),
                *("msat_per_cent", "logged_at"),
            )
        },
        where=_debits.c.state != DebitState.CLAIMED,
    )
)
_READ_DEBIT = Statement(
    select(*columns(Debit, _debits)).where(
        _debits.c.store_id == bindparam("store_id"),
        _debits.c.attempt_id == bindparam("attempt_id"),
    )
)
_CLAIM_DEBIT = Statement(
    update(_debits)
    .where(
        _debits.c.store_id == bindparam("in_store"),
        _debits.c.attempt_id == bindparam("attempt"),
        _debits.c.state == DebitState.OPEN,
    )
    .values(
        state=DebitState.CLAIMED,
        row_id=bindparam("row"),
        amount_nanousd=bindparam("amount"),
        fee_nanousd=bindparam("fee"),
        claimed_at=bindparam("now"),
    )
)
_adding_row = insert(_rows).values(
    {column.name: bindparam(column.name) for column in _rows.columns}
)
_KEEP_ROW = Statement(_adding_row.on_conflict_do_nothing(index_elements=["store_id", "id"]))
_HERE = (_rows.c.store_id == bindparam("in_store"), _rows.c.id == bindparam("row"))
_CLAIM_ROW = Statement(
    update(_rows)
    .where(*_HERE, among(_rows.c.state, (RowState.UNCLAIMED, RowState.EXTRA)))
    .values(
        state=RowState.CLAIMED,
        attempt_id=bindparam("attempt"),
        claimed_at=bindparam("now"),
    )
)
_SET_DETAILS = Statement(
    update(_rows)
    .where(*_HERE)
    .values(is_completed=bindparam("completed"), fee_nanousd=bindparam("fee"))
)
_SET_STATE = Statement(
    update(_rows)
    .where(*_HERE, _rows.c.state == bindparam("from_state", type_=_rows.c.state.type))
    .values(state=bindparam("to_state"))
)
_SET_ASIDE = Statement(
    update(_rows)
    .where(
        _rows.c.store_id == bindparam("in_store"),
        _rows.c.flash_wallet_id == bindparam("wallet"),
        _rows.c.state == RowState.UNCLAIMED,
        _rows.c.at >= bindparam("since", type_=_rows.c.at.type),
        _rows.c.at < bindparam("until", type_=_rows.c.at.type),
    )
    .values(state=RowState.EXTRA)
)
_OPEN_ROWS = Statement(
    select(*_ROW_COLUMNS)
    .where(
        _rows.c.store_id == bindparam("store_id"),
        _rows.c.flash_wallet_id == bindparam("wallet"),
        _rows.c.state == RowState.UNCLAIMED,
    )
    .order_by(_rows.c.at)
    .limit(ROWS_LIMIT)
)
# The state is written out: the few that are unclaimed or extra have indexes of their own.
_ROWS_OF_STATE = {
    state: Statement(
        select(*_ROW_COLUMNS)
        .where(
            _rows.c.store_id == bindparam("store_id"),
            _rows.c.state == state,
            _rows.c.at >= bindparam("since", type_=_rows.c.at.type),
        )
        .order_by(_rows.c.at.desc())
        .limit(bindparam("limit"))
    )
    for state in RowState
}
_ROWS_SEEN = Statement(
    select(*_ROW_COLUMNS)
    .where(
        _rows.c.store_id == bindparam("store_id"),
        _rows.c.flash_wallet_id == bindparam("wallet"),
        _rows.c.seen_at > bindparam("since", type_=_rows.c.seen_at.type),
    )
    .order_by(_rows.c.seen_at)
    .limit(ROWS_LIMIT)
)
_READ_ROW = Statement(
    select(*_ROW_COLUMNS).where(
        _rows.c.store_id == bindparam("store_id"), _rows.c.id == bindparam("row")
    )
)
# Each is the end of an index; asked for together they would cost a look at every row.
_FIRST_SEEN = Statement(
    select(_rows.c.seen_at)
    .where(
        _rows.c.store_id == bindparam("store_id"), _rows.c.flash_wallet_id == bindparam("wallet")
    )
    .order_by(_rows.c.seen_at)
    .limit(1)
)
_NEWEST = Statement(
    select(_rows.c.at)
    .where(
        _rows.c.store_id == bindparam("store_id"),
        Judged(_rows.c.flash_wallet_id) == bindparam("wallet"),
    )
    .order_by(_rows.c.at.desc())
    .limit(1)
)
# Long enough for any list to show it; what then is missing is for the reconciliation to tell.
_DROP_MISSING = Statement(
    update(_debits)
    .where(
        _debits.c.store_id == bindparam("in_store"),
        _debits.c.state == DebitState.OPEN,
        _debits.c.logged_at < bindparam("before", type_=_debits.c.logged_at.type),
        # Asked for each: as a list SQLite would make one of every attempt that was ever settled.
        exists().where(
            _attempts.c.id == _debits.c.attempt_id,
            _attempts.c.store_id == _debits.c.store_id,
            _attempts.c.state == AttemptState.SETTLED,
        ),
    )
    .values(state=DebitState.DROPPED)
)
# One line for each send of an attempt, and one for an attempt without any.
_joined = (
    select(
        *columns(Debit, _debits),
        _payouts.c.state,
        _payouts.c.completed_at,
        _attempts.c.state,
        _attempts.c.invoice_expires_at,
        _sends.c.answer,
    )
    .join(_payouts, _payouts.c.id == _debits.c.payout_id)
    .join(_attempts, _attempts.c.id == _debits.c.attempt_id)
    .outerjoin(_sends, _sends.c.attempt_id == _debits.c.attempt_id)
    .where(_debits.c.store_id == bindparam("store_id"))
    .order_by(_debits.c.logged_at, _debits.c.attempt_id, _sends.c.number)
    .limit(DEBITS_LIMIT)
)
_with_attempt = _joined.where(_debits.c.flash_wallet_id == bindparam("wallet"))
_ELSEWHERE = Statement(
    _joined.where(
        _debits.c.flash_wallet_id != bindparam("wallet"), _debits.c.state == DebitState.OPEN
    )
)
_EXPECTED = Statement(_with_attempt.where(_debits.c.state == DebitState.OPEN))
# By the attempts' index of time: dropped debits are many, and asked for seldom.
_DROPPED = Statement(
    _with_attempt.where(
        _debits.c.state == DebitState.DROPPED,
        _attempts.c.store_id == bindparam("store_id"),
        _attempts.c.state == AttemptState.DEAD,
        _attempts.c.created_at >= bindparam("since", type_=_attempts.c.created_at.type),
        _attempts.c.created_at <= bindparam("until", type_=_attempts.c.created_at.type),
    )
)


@dataclass(frozen=True, slots=True)
class ExpectedDebit:
    """An open debit with what is known of its attempt."""

    debit: Debit
    payout_state: PayoutState
    completed_at: datetime | None
    attempt_state: AttemptState
    invoice_expires_at: datetime
    answers: tuple[SendAnswer | None, ...]


def add_debit(tx: Transaction, debit: Debit) -> None:
    """Expect a debit; one that is expected already stays as it is."""
    tx.run(_ADD_DEBIT, **record(debit))


def expect_anew(tx: Transaction, debit: Debit) -> None:
    """Expect a debit as of now, by the wallet and at the price of now."""
    tx.run(_EXPECT_ANEW, **record(debit))


def read_debit(tx: Transaction, store_id: str, attempt_id: str) -> Debit | None:
    """Return what an attempt was expected to cost, and did."""
    return tx.one(Debit, _READ_DEBIT, store_id=store_id, attempt_id=attempt_id)


def expected_debits(tx: Transaction, store_id: str, wallet: str) -> list[ExpectedDebit]:
    """Return the debits that still have to be found in a wallet's statement."""
    return _gathered(tx.rows(_EXPECTED, store_id=store_id, wallet=wallet))


def debits_elsewhere(tx: Transaction, store_id: str, wallet: str) -> list[ExpectedDebit]:
    """Return the debits that are still to be found, of the wallets that were there before."""
    return _gathered(tx.rows(_ELSEWHERE, store_id=store_id, wallet=wallet))


def dropped_debits(
    tx: Transaction, store_id: str, wallet: str, since: datetime, until: datetime
) -> list[ExpectedDebit]:
    """Return what dead attempts that were made in a span would have cost."""
    return _gathered(tx.rows(_DROPPED, store_id=store_id, wallet=wallet, since=since, until=until))


def is_cut(expected: Sequence[ExpectedDebit]) -> bool:
    """Tell whether there may be more open debits than were read: each send takes a line."""
    return sum(len(each.answers) for each in expected) >= DEBITS_LIMIT


def _gathered(rows: list[tuple[Any, ...]]) -> list[ExpectedDebit]:
    width = len(columns(Debit, _debits))
    found: dict[str, ExpectedDebit] = {}
    for row in rows:
        debit = Debit(*row[:width])
        known = found.get(debit.attempt_id)
        payout_state, completed_at, attempt_state, expires_at, answer = row[width:]
        answers = (*(() if known is None else known.answers), answer)
        found[debit.attempt_id] = ExpectedDebit(
            debit, payout_state, completed_at, attempt_state, expires_at, answers
        )
    return list(found.values())


def drop_missing(tx: Transaction, store_id: str, before: datetime) -> int:
    """Look no longer for debits of settled attempts that no list has shown; returns how many."""
    return tx.run(_DROP_MISSING, in_store=store_id, before=before)


def keep_row(tx: Transaction, row: KeptRow) -> bool:
    """Keep a row of the statement; False if it was kept before."""
    return tx.run(_KEEP_ROW, **record(row)) == 1


def read_row(tx: Transaction, store_id: str, row_id: str) -> KeptRow | None:
    """Return one row of the statement."""
    return tx.one(KeptRow, _READ_ROW, store_id=store_id, row=row_id)


def unclaimed_rows(tx: Transaction, store_id: str, wallet: str) -> list[KeptRow]:
    """Return the debits in a statement that nothing has claimed, oldest first."""
    return tx.all(KeptRow, _OPEN_ROWS, store_id=store_id, wallet=wallet)


def rows_of_state(
    tx: Transaction, store_id: str, state: RowState, since: datetime, limit: int = ROWS_LIMIT
) -> list[KeptRow]:
    """Return rows of a state since a moment, newest first."""
    return tx.all(KeptRow, _ROWS_OF_STATE[state], store_id=store_id, since=since, limit=limit)


def rows_seen_since(tx: Transaction, store_id: str, wallet: str, since: datetime) -> list[KeptRow]:
    """Return the rows of a wallet that were first seen after a moment."""
    return tx.all(KeptRow, _ROWS_SEEN, store_id=store_id, wallet=wallet, since=since)


def newest_row_at(
    tx: Transaction, store_id: str, wallet: str
) -> tuple[datetime | None, datetime | None]:
    """Return when the newest row was made, and when the first row was seen."""
    first = tx.row(_FIRST_SEEN, store_id=store_id, wallet=wallet)
    if first is None:
        return None, None
    newest = tx.row(_NEWEST, store_id=store_id, wallet=wallet)
    assert newest is not None
    return newest[0], first[0]


def set_row_details(
    tx: Transaction, row: KeptRow, *, is_completed: bool, fee_nanousd: int | None
) -> None:
    """Keep what Flash tells of a row when asked for it alone."""
    tx.run(
        _SET_DETAILS,
        in_store=row.store_id,
        row=row.id,
        completed=is_completed,
        fee=fee_nanousd if row.fee_nanousd is None else row.fee_nanousd,
    )


def set_row_state(tx: Transaction, row: KeptRow, state: RowState) -> bool:
    """Say what a row is to us; False if somebody else just did."""
    touched = tx.run(
        _SET_STATE, in_store=row.store_id, row=row.id, from_state=row.state, to_state=state
    )
    return touched == 1


def set_aside(
    tx: Transaction, store_id: str, flash_wallet_id: str, since: datetime, until: datetime
) -> None:
    """Have no unclaimed row of a span settle anything: rule S is off for its windows."""
    tx.run(_SET_ASIDE, in_store=store_id, wallet=flash_wallet_id, since=since, until=until)


def claim_row(tx: Transaction, row: KeptRow, debit: Debit, now: datetime) -> bool:
    """Let an attempt claim a row, once; False if either is taken."""
    assert row.amount_nanousd is not None
    touched = tx.run(
        _CLAIM_ROW, in_store=row.store_id, row=row.id, attempt=debit.attempt_id, now=now
    )
    if touched != 1:
        return False
    claimed = tx.run(
        _CLAIM_DEBIT,
        in_store=debit.store_id,
        attempt=debit.attempt_id,
        row=row.id,
        amount=abs(row.amount_nanousd),
        fee=row.fee_nanousd,
        now=now,
    )
    return claimed == 1
