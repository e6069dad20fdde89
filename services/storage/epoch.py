"""The number that rises before anything goes on the wire, and what a restored copy leaves open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, case, exists, select
from sqlalchemy.dialects.postgresql import insert

from models.epoch import Epoch
from models.instants import to_us
from models.payout import Payout
from models.states import PayoutState, PayoutStatus
from models.tables.base import table_of
from models.tables.epoch import EpochRow
from models.tables.hold import HoldRow
from models.tables.payout import PayoutRow
from models.tables.store import InstallationRow
from models.tables.wallet import WalletRow
from services.storage.statement import Statement, Transaction, among, columns

_epochs = table_of(EpochRow)
_installation = table_of(InstallationRow)
_payouts = table_of(PayoutRow)
_holds = table_of(HoldRow)
_wallets = table_of(WalletRow)

_READ_INSTALLATION = Statement(select(_installation.c.created_at))
_READ_NUMBER = Statement(select(_epochs.c.number))
_adding = insert(_epochs).values(
    id=bindparam("one"), number=bindparam("least"), moved_at=bindparam("now")
)
_next = _epochs.c.number + 1
_RAISE = Statement(
    _adding.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "number": case((_next < _adding.excluded.number, _adding.excluded.number), else_=_next),
            "moved_at": _adding.excluded.moved_at,
        },
    ).returning(_epochs.c.number)
)
_READ_LEASE = Statement(
    select(_wallets.c.id).where(
        _wallets.c.lease_until > bindparam("now", type_=_wallets.c.lease_until.type)
    )
)
# What was not sent when the copy was made may have been sent since.
_READ_UNSENT = Statement(
    select(*columns(Payout, _payouts))
    .where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PENDING,
        ~exists().where(
            _holds.c.payout_id == _payouts.c.id,
            _holds.c.released_at.is_(None),
            _holds.c.reason == bindparam("why"),
        ),
    )
    .order_by(_payouts.c.id)
    .limit(bindparam("limit"))
)
_READ_SENT = Statement(
    select(*columns(Payout, _payouts))
    .where(
        _payouts.c.store_id == bindparam("store_id"),
        _payouts.c.status == PayoutStatus.PROCESSING,
        among(_payouts.c.state, (PayoutState.PROCESSING, PayoutState.IN_FLIGHT)),
    )
    .order_by(_payouts.c.id)
    .limit(bindparam("limit"))
)


def read_epoch(tx: Transaction) -> Epoch | None:
    """Return how far the database has come; nothing of one that is for nothing yet."""
    installation = tx.row(_READ_INSTALLATION)
    if installation is None:
        return None
    found = tx.row(_READ_NUMBER)
    return Epoch(str(to_us(installation[0])), 0 if found is None else int(found[0]))


def raise_epoch(tx: Transaction, least: int, now: datetime) -> int:
    """Raise the number by one, or to the least it must be, and return it."""
    found = tx.row(_RAISE, one=1, least=max(least, 1), now=now)
    assert found is not None
    return int(found[0])


def is_served(tx: Transaction, now: datetime) -> bool:
    """Tell whether some instance spends a wallet now: then this is no copy."""
    return tx.row(_READ_LEASE, now=now) is not None


def read_unsent(tx: Transaction, store_id: str, reason: str, limit: int) -> list[Payout]:
    """Return payouts of a store with nothing on the wire, but those held for a reason."""
    return tx.all(Payout, _READ_UNSENT, store_id=store_id, why=reason, limit=limit)


def read_sent(tx: Transaction, store_id: str, limit: int) -> list[Payout]:
    """Return payouts of a store whose outcome nobody knows and no person has been asked for."""
    return tx.all(Payout, _READ_SENT, store_id=store_id, limit=limit)
