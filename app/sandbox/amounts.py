"""Nano-dollars to and from the numbers and texts that Flash's API carries.

The API speaks of fractional cents and of dollars as JSON numbers; inside, money is whole
nano-dollars, and a number with a point exists only between here and the wire.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

from models.money import MSAT_PER_SAT, NANOUSD_PER_CENT, SATS_PER_BTC, ceil_div

MSAT_PER_BTC: Final = SATS_PER_BTC * MSAT_PER_SAT
_DOLLAR_PLACES: Final = -9
_CENT_PLACES: Final = -7
# A USDT wallet's smallest unit is a millionth of a dollar.
_NANOUSD_PER_MICRO: Final = 1_000


def debit_of(amount_msat: int, nanousd_per_btc: int) -> int:
    """Return what millisats cost in nano-dollars, rounded up."""
    return ceil_div(amount_msat * nanousd_per_btc, MSAT_PER_BTC)


def credit_of(amount_msat: int, nanousd_per_btc: int) -> int:
    """Return what millisats are worth in nano-dollars, rounded down."""
    return amount_msat * nanousd_per_btc // MSAT_PER_BTC


def sats_for(nanousd: int, nanousd_per_btc: int) -> int:
    """Return how many whole sats nano-dollars buy, rounded down."""
    return nanousd * SATS_PER_BTC // nanousd_per_btc


def nanousd_of_cents(cents: str | float | Decimal) -> int:
    """Return whole nano-dollars of a number of cents, rounded to the nearest."""
    nanousd = Decimal(str(cents)).scaleb(-_CENT_PLACES)
    return int(nanousd.to_integral_value(ROUND_HALF_EVEN))


def usd_wallet_cents(nanousd: int) -> float:
    """Return a USD wallet's balance: cents with a fraction."""
    return float(Decimal(nanousd).scaleb(_CENT_PLACES))


def usdt_wallet_cents(nanousd: int) -> float:
    """Return a USDT wallet's balance: cents with at most four places, rounded down."""
    micros = Decimal(nanousd // _NANOUSD_PER_MICRO)
    return float(micros.scaleb(-4))


def whole_cents(nanousd: int) -> int:
    """Return whole cents, halves to even, as USDT rows carry them."""
    return int((Decimal(nanousd).scaleb(_CENT_PLACES)).to_integral_value(ROUND_HALF_EVEN))


def floor_cents(nanousd: int) -> int:
    """Return whole cents, rounded down."""
    return nanousd // NANOUSD_PER_CENT


def hundredth_cents(nanousd: int) -> float:
    """Return cents with two places, as a fee probe on a USD wallet answers."""
    cents = Decimal(nanousd).scaleb(_CENT_PLACES)
    return float(cents.quantize(Decimal("0.01"), rounding=ROUND_FLOOR))


def dollars_number(nanousd: int) -> float:
    """Return dollars as a number."""
    return float(Decimal(nanousd).scaleb(_DOLLAR_PLACES))


def dollars_text(nanousd: int) -> str:
    """Return dollars as a plain decimal text without trailing zeros."""
    text = f"{Decimal(nanousd).scaleb(_DOLLAR_PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
