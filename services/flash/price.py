"""Reads the price that Flash gives, in an answer or on the socket."""

from __future__ import annotations

from typing import Any, Final

from models.instants import from_seconds
from models.money import Rate

# Of ratio and scale more would not fit a column.
_OFFSET_MOST: Final = 18
_BASE_MOST: Final = 10**18


def read_price(payload: Any, currency: str) -> Rate | None:
    """Read a realtime price: base / 10^offset minor units for one sat."""
    try:
        price = payload["btcSatPrice"]
        base, offset = int(price["base"]), int(price["offset"])
        at = from_seconds(int(payload["timestamp"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    if not 0 < base <= _BASE_MOST or not 0 <= offset <= _OFFSET_MOST:
        return None
    return Rate(currency, base, 10**offset, "flash", at)
