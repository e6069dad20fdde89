"""The history of balances: a row where one changed, some minutes apart, for a month or so."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, delete, func, select, type_coerce

from models.balance import KEPT, LEAST_APART, Balance
from models.instants import MICROSECOND
from models.tables.base import table_of
from models.tables.wallet import BalanceRow
from services.storage.statement import Statement, Transaction, columns, insert_into

_balances = table_of(BalanceRow)
_COLUMNS = columns(Balance, _balances)
_OF_WALLET = (
    _balances.c.store_id == bindparam("of_store"),
    _balances.c.flash_wallet_id == bindparam("of_wallet"),
)
_since = _balances.c.at >= bindparam("since", type_=_balances.c.at.type)
_before = _balances.c.at < bindparam("since", type_=_balances.c.at.type)

_ADD = insert_into(_balances)
_NEWEST = Statement(select(*_COLUMNS).where(*_OF_WALLET).order_by(_balances.c.at.desc()).limit(1))
_LAST_BEFORE = Statement(
    select(*_COLUMNS).where(*_OF_WALLET, _before).order_by(_balances.c.at.desc()).limit(1)
)
_slot = type_coerce(_balances.c.at, BigInteger) // bindparam("step_us", type_=BigInteger)
_LAST_OF_SLOTS = Statement(
    select(*_COLUMNS)
    .where(
        *_OF_WALLET,
        _balances.c.at.in_(
            select(func.max(_balances.c.at)).where(*_OF_WALLET, _since).group_by(_slot)
        ),
    )
    .order_by(_balances.c.at)
)
_FORGET = Statement(delete(_balances).where(*_OF_WALLET, _before))


def note_balance(
    tx: Transaction, store_id: str, flash_wallet_id: str, balance_nanousd: int, now: datetime
) -> bool:
    """Keep a balance if it is another than the last one kept, and that was some minutes ago."""
    place = {"of_store": store_id, "of_wallet": flash_wallet_id}
    last = tx.one(Balance, _NEWEST, **place)
    if last is not None and (
        last.balance_nanousd == balance_nanousd or now < last.at + LEAST_APART
    ):
        return False
    tx.run(
        _ADD,
        store_id=store_id,
        flash_wallet_id=flash_wallet_id,
        at=now,
        balance_nanousd=balance_nanousd,
    )
    tx.run(_FORGET, **place, since=now - KEPT)
    return True


def read_balances(
    tx: Transaction, store_id: str, flash_wallet_id: str, since: datetime, step: timedelta
) -> list[Balance]:
    """Return what held when a span began, and the last balance of each of its steps."""
    place = {"of_store": store_id, "of_wallet": flash_wallet_id, "since": since}
    before = tx.all(Balance, _LAST_BEFORE, **place)
    return before + tx.all(Balance, _LAST_OF_SLOTS, **place, step_us=step // MICROSECOND)
