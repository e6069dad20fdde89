"""Wallets: the lease, the gate, the stop, the balance; and the outbox of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update

from models.events import WalletChanged
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from models.tables.wallet import OutboxRow, WalletRow
from models.wallet import RECOVERY, Gate, Wallet
from services.storage.balance import note_balance
from services.storage.statement import (
    Statement,
    Transaction,
    among,
    columns,
    insert_into,
    record,
)

_wallets = table_of(WalletRow)
_outbox = table_of(OutboxRow)
_payouts = table_of(PayoutRow)
_COLUMNS = columns(Wallet, _wallets)
_HERE = (_wallets.c.store_id == bindparam("in_store"), _wallets.c.id == bindparam("wallet"))

_ADD = insert_into(_wallets)
_READ = Statement(select(*_COLUMNS).where(_wallets.c.store_id == bindparam("store_id")))
_LOCK = Statement(
    select(*_COLUMNS).where(_wallets.c.store_id == bindparam("store_id")).with_for_update()
)
_READ_ALL = Statement(select(*_COLUMNS).order_by(_wallets.c.created_at))
# Whoever takes a free or lapsed lease raises the fence; the holder only prolongs it.
_TAKE_LEASE = Statement(
    update(_wallets)
    .where(
        *_HERE,
        or_(
            _wallets.c.lease_owner.is_(None),
            _wallets.c.lease_until < bindparam("now", type_=_wallets.c.lease_until.type),
        ),
    )
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_wallets.c.fence + 1,
    )
    .returning(_wallets.c.fence)
)
_PROLONG = Statement(
    update(_wallets)
    .where(*_HERE, _wallets.c.fence == bindparam("my_fence"))
    .values(lease_until=bindparam("until"))
)
_RELEASE = Statement(
    update(_wallets)
    .where(*_HERE, _wallets.c.fence == bindparam("my_fence"))
    .values(lease_owner=None, lease_until=None)
)
_DEPOSE = Statement(
    update(_wallets)
    .where(_wallets.c.store_id == bindparam("in_store"))
    .values(lease_owner=None, lease_until=None, fence=_wallets.c.fence + 1)
)
# A gate that is shut already takes a new reason: only doubt opens again by itself.
_SET_GATE = Statement(
    update(_wallets)
    .where(
        *_HERE,
        or_(
            _wallets.c.gate != bindparam("to_gate", type_=_wallets.c.gate.type),
            _wallets.c.gate_reason != bindparam("why"),
        ),
    )
    .values(
        gate=bindparam("to_gate", type_=_wallets.c.gate.type),
        gate_reason=bindparam("why"),
        gate_changed_at=bindparam("now"),
    )
)
_SET_STOP = Statement(
    update(_wallets)
    .where(_wallets.c.store_id == bindparam("in_store"))
    .values(stopped_at=bindparam("at"))
    .returning(_wallets.c.id)
)
_SET_SHORT = Statement(update(_wallets).where(*_HERE).values(short_since=bindparam("since")))
_SET_CONNECTED = Statement(
    update(_wallets)
    .where(*_HERE, _wallets.c.fence == bindparam("my_fence"))
    .values(
        flash_wallet_id=bindparam("flash_id"),
        currency=bindparam("in_currency"),
        balance_nanousd=bindparam("nanousd"),
        balance_at=bindparam("now"),
    )
)
_sendable = select(_wallets.c.id).where(
    *_HERE,
    _wallets.c.fence == bindparam("my_fence"),
    _wallets.c.gate == Gate.OPEN,
    _wallets.c.stopped_at.is_(None),
)
_MAY_SEND = Statement(_sendable)
# Shared lock: several sends may start together, but none while the lease or gate changes.
_LOCK_MAY_SEND = Statement(_sendable.with_for_update(read=True))
_SHUT_OPEN_GATE = Statement(
    update(_wallets)
    .where(*_HERE, _wallets.c.gate == Gate.OPEN)
    .values(gate=Gate.SHUT, gate_reason=bindparam("why"), gate_changed_at=bindparam("now"))
)
_OPEN_GATE = Statement(
    update(_wallets)
    .where(*_HERE, _wallets.c.gate == Gate.SHUT, _wallets.c.gate_reason == bindparam("shut_for"))
    .values(gate=Gate.OPEN, gate_reason=None, gate_changed_at=bindparam("now"))
)
_UNKNOWN = Statement(
    select(func.count(), func.coalesce(func.sum(_payouts.c.amount_msat), 0)).where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PROCESSING,  # which an index begins with
        among(_payouts.c.state, (PayoutState.IN_FLIGHT, PayoutState.NEEDS_REVIEW)),
        _payouts.c.unknown_since < bindparam("before", type_=_payouts.c.unknown_since.type),
    )
)
_ON_THEIR_WAY = Statement(
    select(_payouts.c.id)
    .where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PROCESSING,  # those of people's review as well
    )
    .limit(1)
)
_ADD_ALERT = insert_into(_outbox, without=frozenset({"id"}))
_READ_ALERTS = Statement(
    select(
        _outbox.c.id,
        _outbox.c.store_id,
        _outbox.c.topic,
        _outbox.c.subject_id,
        _outbox.c.payload,
        _outbox.c.tries,
    )
    .where(_outbox.c.told_at.is_(None))
    .order_by(_outbox.c.id)
    .limit(bindparam("limit"))
)
_ALERT_TOLD = Statement(
    update(_outbox)
    .where(_outbox.c.id == bindparam("alert"))
    .values(told_at=bindparam("at"), tries=_outbox.c.tries + 1)
)
_NEWEST_ALERTS = Statement(
    select(_outbox.c.subject_id, _outbox.c.created_at)
    .where(_outbox.c.store_id == bindparam("store_id"), _outbox.c.topic == bindparam("of_topic"))
    .order_by(_outbox.c.id.desc())
    .limit(bindparam("limit"))
)
_COUNT_ALERTS = Statement(
    select(func.count()).select_from(_outbox).where(_outbox.c.told_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that waits in the outbox to be told."""

    id: int
    store_id: str
    topic: str
    subject_id: str
    payload: str
    tries: int


def add_wallet(tx: Transaction, wallet: Wallet) -> None:
    """Add the wallet of a store."""
    tx.run(_ADD, **record(wallet))


def read_wallet(tx: Transaction, store_id: str) -> Wallet | None:
    """Return the wallet of a store."""
    return tx.one(Wallet, _READ, store_id=store_id)


def lock_wallet(tx: Transaction, store_id: str) -> Wallet | None:
    """Return the wallet of a store, which nobody else can change before this transaction ends."""
    return tx.one(Wallet, _LOCK, store_id=store_id)


def read_wallets(tx: Transaction) -> list[Wallet]:
    """Return the wallets of all stores."""
    return tx.all(Wallet, _READ_ALL)


def take_lease(
    tx: Transaction, wallet: Wallet, owner: str, now: datetime, length: timedelta
) -> int | None:
    """Take a free or lapsed lease and return the new fence; nothing if somebody holds it."""
    found = tx.row(
        _TAKE_LEASE,
        in_store=wallet.store_id,
        wallet=wallet.id,
        owner=owner,
        now=now,
        until=now + length,
    )
    return None if found is None else int(found[0])


def prolong_lease(
    tx: Transaction, wallet: Wallet, fence: int, now: datetime, length: timedelta
) -> bool:
    """Prolong the lease of the holder of a fence; False if it was lost."""
    return (
        tx.run(
            _PROLONG,
            in_store=wallet.store_id,
            wallet=wallet.id,
            my_fence=fence,
            until=now + length,
        )
        == 1
    )


def release_lease(tx: Transaction, wallet: Wallet, fence: int) -> None:
    """Give a lease back."""
    tx.run(_RELEASE, in_store=wallet.store_id, wallet=wallet.id, my_fence=fence)


def depose(tx: Transaction, store_id: str) -> None:
    """Take the lease from whoever holds it: not one more send begins under its fence."""
    tx.run(_DEPOSE, in_store=store_id)


def may_send(tx: Transaction, store_id: str, wallet_id: str, fence: int) -> bool:
    """Tell whether the holder of a fence may start a send: gate open, no stop, fence current."""
    found = tx.row(_MAY_SEND, in_store=store_id, wallet=wallet_id, my_fence=fence)
    return found is not None


def lock_may_send(tx: Transaction, store_id: str, wallet_id: str, fence: int) -> bool:
    """Tell the same, and keep it so until this transaction ends."""
    found = tx.row(_LOCK_MAY_SEND, in_store=store_id, wallet=wallet_id, my_fence=fence)
    return found is not None


def open_gate(tx: Transaction, wallet: Wallet, shut_for: str, now: datetime) -> bool:
    """Open the gate if it is shut for this reason and no other."""
    touched = tx.run(
        _OPEN_GATE, in_store=wallet.store_id, wallet=wallet.id, shut_for=shut_for, now=now
    )
    if touched:
        tx.changes.append(WalletChanged(wallet.store_id, wallet.id))
    return touched == 1


def shut_open_gate(tx: Transaction, wallet: Wallet, reason: str, now: datetime) -> bool:
    """Shut the gate unless it is shut already, for whichever reason."""
    touched = tx.run(
        _SHUT_OPEN_GATE, in_store=wallet.store_id, wallet=wallet.id, why=reason, now=now
    )
    if touched:
        tx.changes.append(WalletChanged(wallet.store_id, wallet.id))
    return touched == 1


def set_gate(
    tx: Transaction, wallet: Wallet, gate: Gate, reason: str | None, now: datetime
) -> bool:
    """Open or shut the gate; False if it was so already, for the same reason.

    One that is shut for recovery stays so for that reason until it is opened.
    """
    if gate is Gate.SHUT and wallet.gate is Gate.SHUT and wallet.gate_reason == RECOVERY:
        return False
    touched = tx.run(
        _SET_GATE, in_store=wallet.store_id, wallet=wallet.id, to_gate=gate, why=reason, now=now
    )
    if touched:
        tx.changes.append(WalletChanged(wallet.store_id, wallet.id))
    return touched == 1


def set_stop(tx: Transaction, store_id: str, at: datetime | None) -> int:
    """Stop (or resume, with nothing) all wallets of a store; returns how many."""
    stopped = tx.rows(_SET_STOP, in_store=store_id, at=at)
    tx.changes += [WalletChanged(store_id, row[0]) for row in stopped]
    return len(stopped)


def set_short(tx: Transaction, wallet: Wallet, since: datetime | None) -> None:
    """Remember since when the wallet cannot cover an approved payout."""
    tx.run(_SET_SHORT, in_store=wallet.store_id, wallet=wallet.id, since=since)
    tx.changes.append(WalletChanged(wallet.store_id, wallet.id))


def set_connected(
    tx: Transaction,
    wallet: Wallet,
    fence: int,
    *,
    flash_wallet_id: str,
    currency: str,
    balance_nanousd: int | None,
    now: datetime,
) -> None:
    """Remember what Flash says of the wallet to the holder of a fence."""
    is_holder = tx.run(
        _SET_CONNECTED,
        my_fence=fence,
        in_store=wallet.store_id,
        wallet=wallet.id,
        flash_id=flash_wallet_id,
        in_currency=currency,
        nanousd=balance_nanousd,
        now=now,
    )
    if is_holder and balance_nanousd is not None:
        note_balance(tx, wallet.store_id, flash_wallet_id, balance_nanousd, now)
    tx.changes.append(WalletChanged(wallet.store_id, wallet.id))


def unknown_since(tx: Transaction, store_id: str, before: datetime) -> tuple[int, int]:
    """Return how many payouts, and how many msat, have been unknown since before a moment."""
    found = tx.row(_UNKNOWN, store_id=store_id, before=before)
    assert found is not None
    return int(found[0]), int(found[1])


def are_on_their_way(tx: Transaction, store_id: str) -> bool:
    """Tell whether payouts of a store were sent, and how they end is not known."""
    return tx.row(_ON_THEIR_WAY, store_id=store_id) is not None


def add_alert(
    tx: Transaction, store_id: str, topic: str, subject_id: str, payload: str, now: datetime
) -> None:
    """Put something into the outbox, to be told at least once."""
    tx.run(
        _ADD_ALERT,
        store_id=store_id,
        topic=topic,
        subject_id=subject_id,
        payload=payload,
        created_at=now,
        tries=0,
        told_at=None,
    )


def read_alerts(tx: Transaction, limit: int) -> list[Alert]:
    """Return what waits in the outbox of all stores, oldest first."""
    return tx.all(Alert, _READ_ALERTS, limit=limit)


def newest_alerts(
    tx: Transaction, store_id: str, topic: str, limit: int
) -> list[tuple[str, datetime]]:
    """Return what alerts of a topic were about and when, newest first, told or not."""
    rows = tx.rows(_NEWEST_ALERTS, store_id=store_id, of_topic=topic, limit=limit)
    return [(row[0], row[1]) for row in rows]


def alert_told(tx: Transaction, alert: Alert, now: datetime) -> None:
    """Mark something as told."""
    tx.run(_ALERT_TOLD, alert=alert.id, at=now)


def count_alerts(tx: Transaction) -> int:
    """Return how much waits in the outbox."""
    found = tx.row(_COUNT_ALERTS)
    return 0 if found is None else int(found[0])
