"""Takes what Flash says of the wallet, and notes it when it is not the one of before.

Everything that counts a wallet's money (its rows, debits and books) is kept by the wallet's own
id, so another one begins with nothing. What is on its way by the one before is still looked up,
but not repeated, and no statement decides it any more: within a day it is with a person.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from models.flash import WalletInfo
from models.store import SYSTEM
from services.audit import audit
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

CHANGED = "wallet_changed"


def take_wallet(
    tx: Transaction, store_id: str, fence: int, info: WalletInfo, now: datetime
) -> None:
    """Remember what Flash says of the wallet to the holder of a fence."""
    known = wallets.read_wallet(tx, store_id)
    if known is None or known.fence != fence:
        return
    before = known.flash_wallet_id
    wallets.set_connected(
        tx,
        known,
        fence,
        flash_wallet_id=info.flash_wallet_id,
        currency=info.currency,
        balance_nanousd=info.balance_nanousd,
        now=now,
    )
    if before in {None, info.flash_wallet_id}:
        return
    _log.warning("wallet.changed", store_id=store_id)
    wallets.set_short(tx, known, None)
    wallets.add_alert(tx, store_id, CHANGED, known.id, "", now)
    audit(
        *(tx, store_id, SYSTEM, "wallet.changed"),
        now=now,
        subject_id=known.id,
        before={"wallet": before},
        after={"wallet": info.flash_wallet_id},
    )
