"""The price of a bitcoin in the past: a walk that ends where the sandbox begins."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from app.sandbox.price import ANCHOR, sat_price_base
from models.instants import MICROSECOND, to_us
from models.money import ceil_div

_HOUR_US: Final = timedelta(hours=1) // MICROSECOND
_TICK_US: Final = timedelta(minutes=1) // MICROSECOND
_HOURLY: Final = 0.004
_PULL: Final = 0.004
_MOST_FEE_PPM: Final = 3_000
_MILLION: Final = 1_000_000
RATE_DENOMINATOR: Final = 10**12
"""What `sat_price_base` counts cents in."""


@dataclass(frozen=True, slots=True)
class PastPrices:
    """Nano-dollars per bitcoin at full hours, and in between by the straight line."""

    start_us: int
    hourly: tuple[int, ...]

    @classmethod
    def walk(cls, start: datetime, end: datetime, chance: random.Random) -> Self:
        """Walk back from the sandbox's first price to the start."""
        hours = (to_us(end) - to_us(start)) // _HOUR_US + 2
        backwards = [ANCHOR]
        for _ in range(hours):
            last = backwards[-1]
            step = int(last * chance.gauss(0.0, _HOURLY)) + int((ANCHOR - last) * _PULL)
            backwards.append(last + step)
        return cls(to_us(start), tuple(reversed(backwards)))

    def at(self, at_us: int) -> tuple[int, int]:
        """Return the price that was known at a moment, and since when."""
        tick_us = at_us - at_us % _TICK_US
        hour, rest_us = divmod(max(0, tick_us - self.start_us), _HOUR_US)
        low, high = self.hourly[hour], self.hourly[hour + 1]
        return low + (high - low) * rest_us // _HOUR_US, max(tick_us, self.start_us)


def fee_of(payment_hash: str, debit_nanousd: int) -> int:
    """Return what a payment to a foreign node cost beside its amount: at most 0.3 %, rounded up."""
    ppm = int(payment_hash[:8], 16) % (_MOST_FEE_PPM + 1)
    return ceil_div(debit_nanousd * ppm, _MILLION)


def rate_numerator(nanousd_per_btc: int) -> int:
    """Return the numerator of a rate as the service keeps it, in cents for one sat."""
    return sat_price_base(nanousd_per_btc)
