"""The gate of a wallet: shuts by itself on doubt, opens by itself when the doubt is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from models.instants import Clock
from models.money import NANOUSD_PER_CENT
from models.wallet import Gate, Wallet
from services.database import Database
from services.rates import Rates
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

DOUBT = "unknown_outcomes"
OPENED = "opened_by_owner"
UNKNOWN_LIMIT = 3  # payouts
UNKNOWN_AGE = timedelta(minutes=2)
# Unknown money above one part in ten of the balance shuts the gate as well.
BALANCE_PARTS = 10


class GateKeeper:
    """Judges how much a wallet does not know about its own money."""

    def __init__(self, database: Database, clock: Clock, rates: Rates) -> None:
        self._database = database
        self._clock = clock
        self._rates = rates

    async def judge(self, store_id: str) -> None:
        """Shut or open the gate of a store's wallet; one shut for another reason stays shut."""
        now = self._clock.utc_now()
        rate = self._rates.of_flash("USD", now)
        sat_rate = None if rate is None else (rate.numerator, rate.denominator)
        await self._database.write(_judge, store_id, now, sat_rate)


def _judge(
    tx: Transaction, store_id: str, now: datetime, rate: tuple[int, int] | None
) -> Gate | None:
    wallet = wallets.read_wallet(tx, store_id)
    if wallet is None:
        return None
    old, _ = wallets.unknown_since(tx, store_id, now - UNKNOWN_AGE)
    _, unknown_msat = wallets.unknown_since(tx, store_id, now)
    if wallet.gate is Gate.OPEN and wallet.gate_reason == OPENED and wallet.gate_changed_at:
        # What the owner knew of when they opened it does not shut it again.
        old -= wallets.unknown_since(tx, store_id, min(wallet.gate_changed_at, now - UNKNOWN_AGE))[
            0
        ]
        unknown_msat -= wallets.unknown_since(tx, store_id, wallet.gate_changed_at)[1]
    is_too_much = _is_too_much(wallet, unknown_msat, rate)
    doubtful = old >= UNKNOWN_LIMIT or is_too_much is True
    if doubtful and wallet.gate is Gate.OPEN:
        if not wallets.shut_open_gate(tx, wallet, DOUBT, now):
            return None  # somebody just shut it for a graver reason, which must not be forgotten
        wallets.add_alert(tx, store_id, "gate_shut", wallet.id, DOUBT, now)
        _log.warning("gate.shut", wallet_id=wallet.id, unknown=old)
        return Gate.SHUT
    is_resolved = not doubtful and is_too_much is not None
    if is_resolved and wallet.gate is Gate.SHUT and wallets.open_gate(tx, wallet, DOUBT, now):
        _log.info("gate.opened", wallet_id=wallet.id)
        return Gate.OPEN
    return None


def _is_too_much(wallet: Wallet, unknown_msat: int, rate: tuple[int, int] | None) -> bool | None:
    """Tell whether unknown money is above its part; nothing where that cannot be reckoned."""
    if unknown_msat == 0:
        return False
    if rate is None or wallet.balance_nanousd is None:
        return None
    numerator, denominator = rate
    unknown_nanousd = unknown_msat * numerator * NANOUSD_PER_CENT // (denominator * 1000)
    return unknown_nanousd * BALANCE_PARTS > wallet.balance_nanousd
