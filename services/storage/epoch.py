"""The number that rises before anything goes on the wire."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.dialects.postgresql import insert

from models.epoch import Epoch
from models.instants import to_us
from models.tables.base import table_of
from models.tables.epoch import EpochRow
from models.tables.store import InstallationRow
from models.tables.wallet import WalletRow
from services.storage.statement import Statement, Transaction

_epochs = table_of(EpochRow)
_installation = table_of(InstallationRow)
_wallets = table_of(WalletRow)

_READ_INSTALLATION = Statement(select(_installation.c.created_at))
_READ_NUMBER = Statement(select(_epochs.c.number, _epochs.c.moved_at))
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


def read_epoch(tx: Transaction) -> Epoch | None:
    """Return how far the database has come; nothing of one that is for nothing yet."""
    installation = tx.row(_READ_INSTALLATION)
    if installation is None:
        return None
    found = tx.row(_READ_NUMBER)
    name = str(to_us(installation[0]))
    return Epoch(name, 0) if found is None else Epoch(name, int(found[0]), found[1])


def raise_epoch(tx: Transaction, least: int, now: datetime) -> int:
    """Raise the number by one, or to the least it must be, and return it."""
    found = tx.row(_RAISE, one=1, least=max(least, 1), now=now)
    assert found is not None
    return int(found[0])


def is_served(tx: Transaction, now: datetime) -> bool:
    """Tell whether some instance spends a wallet now: then this is no copy."""
    return tx.row(_READ_LEASE, now=now) is not None
