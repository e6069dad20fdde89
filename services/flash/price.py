"""Reads the price that Flash gives, in an answer or on the socket."""

from __future__ import annotations

import re
from typing import Any, Final

from models.currency import Currency
from models.instants import from_seconds
from models.money import Rate

# Of ratio and scale more would not fit a column.
_OFFSET_MOST: Final = 18
_BASE_MOST: Final = 10**18
_CODE: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_NAME_MOST: Final = 60
_DIGITS_MOST: Final = 3


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


def read_currencies(payload: Any) -> list[Currency]:
    """Read the list of currencies; what we could not count in is left out."""
    found: list[Currency] = []
    for node in payload if isinstance(payload, list) else ():
        match node:
            case {
                "id": str(code),
                "name": str(name),
                "symbol": str(symbol),
                "fractionDigits": int(digits),
            } if _CODE.fullmatch(code) and 0 <= digits <= _DIGITS_MOST:
                found.append(Currency(code, name[:_NAME_MOST], symbol[:_NAME_MOST], digits))
    return found
