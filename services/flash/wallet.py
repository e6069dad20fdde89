"""Reads which wallet pays, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from models.flash import WalletInfo
from models.money import NANOUSD_PER_CENT

# The preferred one first; Flash makes no bitcoin wallets any more.
_PAYING: Final = ("USDT", "USD", "BTC")
_NANOUSD_MOST: Final = 10**18


def read_wallet(data: Any) -> WalletInfo | None:
    """Return the wallet of an account that pays: USDT if there is one, else USD."""
    try:
        listed = data["me"]["defaultAccount"]["wallets"]
    except (KeyError, TypeError, IndexError):
        return None
    wallets = listed if isinstance(listed, list) else []
    for currency in _PAYING:
        for wallet in wallets:
            if not isinstance(wallet, Mapping) or wallet.get("walletCurrency") != currency:
                continue
            wallet_id = wallet.get("id")
            if isinstance(wallet_id, str) and wallet_id and not wallet.get("isExternal"):
                balance = None if currency == "BTC" else wallet.get("balance")
                return WalletInfo(wallet_id, currency, _nanousd(balance))
    return None


def _nanousd(cents: Any) -> int | None:
    """Return a balance, rounded down; nothing where it is no number that a wallet can hold."""
    try:
        nano = Decimal(str(cents)) * NANOUSD_PER_CENT
        whole = int(nano.to_integral_value(ROUND_FLOOR))
    except (ArithmeticError, ValueError):
        return None
    return whole if abs(whole) <= _NANOUSD_MOST else None
