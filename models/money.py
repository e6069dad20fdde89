"""Whole amounts with their unit in the type, and the only places where they are rounded.

Nothing here is a float and nothing divides without a direction: fees and debits go up, credits
and worths go down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NewType

Msat = NewType("Msat", int)
Sats = NewType("Sats", int)
Cents = NewType("Cents", int)
NanoUsd = NewType("NanoUsd", int)

MSAT_PER_SAT = 1000
SATS_PER_BTC = 100_000_000
NANOUSD_PER_CENT = 10_000_000
# 21 million bitcoin: no amount of ours may be larger, in any unit a column holds.
MAX_SATS = 2_100_000_000_000_000
MAX_MSAT = MAX_SATS * MSAT_PER_SAT
MAX_MINOR = 10**15

SATS_CURRENCY = "SATS"
BTC_CURRENCY = "BTC"  # its minor unit is the sat, so it is kept as SATS
_DECIMAL = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,5}|[0-9]{1,18})(?:\.([0-9]{1,8}))?", re.ASCII)
# ISO 4217 minor units that are not two.
_EXPONENTS = {
    "SATS": 0,
    "BTC": 8,
    "BIF": 0,
    "CLP": 0,
    "DJF": 0,
    "GNF": 0,
    "ISK": 0,
    "JPY": 0,
    "KMF": 0,
    "KRW": 0,
    "PYG": 0,
    "RWF": 0,
    "UGX": 0,
    "VND": 0,
    "VUV": 0,
    "XAF": 0,
    "XOF": 0,
    "XPF": 0,
    "BHD": 3,
    "IQD": 3,
    "JOD": 3,
    "KWD": 3,
    "LYD": 3,
    "OMR": 3,
    "TND": 3,
}


def to_sat_ceil(amount_msat: int) -> Sats:
    """Return whole sats, rounded up, as budgets reserve them."""
    return Sats(-(-amount_msat // MSAT_PER_SAT))


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide and round up; both must be whole, the divisor positive."""
    return -(-numerator // denominator)


def minor_exponent(currency: str) -> int:
    """Return how many decimal places the currency's minor unit has (ISO 4217; sats have none)."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of one sat in minor units of a currency, as a ratio of whole numbers."""

    currency: str
    numerator: int
    denominator: int
    source: str
    at: datetime

    def minor_ceil(self, amount_msat: int) -> int:
        """Return what an amount costs in minor units, rounded up (a debit)."""
        return ceil_div(amount_msat * self.numerator, MSAT_PER_SAT * self.denominator)

    def minor_floor(self, amount_msat: int) -> int:
        """Return what an amount is worth in minor units, rounded down."""
        return amount_msat * self.numerator // (MSAT_PER_SAT * self.denominator)

    def msat_floor(self, minor: int) -> Msat:
        """Return how many millisats an amount of minor units buys, rounded down."""
        return Msat(minor * MSAT_PER_SAT * self.denominator // self.numerator)


def parse_minor(text: str, currency: str) -> int | None:
    """Read a plain decimal number as minor units: `12.34` USD is 1234; nothing if it is none.

    Commas between thousands are taken; a third decimal of a cent is not, as nothing is rounded.
    """
    exponent = minor_exponent(currency)
    found = _DECIMAL.fullmatch(text.strip().replace("\u00a0", ""))
    if found is None or len(found[2] or "") > exponent:
        return None
    return int(found[1].replace(",", "") + (found[2] or "").ljust(exponent, "0"))


def format_minor(amount: int, currency: str) -> str:
    """Print minor units as a plain decimal number: 1234 USD is `12.34`."""
    exponent = minor_exponent(currency)
    return f"{Decimal(amount).scaleb(-exponent):.{exponent}f}"
