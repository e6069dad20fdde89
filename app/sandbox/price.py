"""The price of a bitcoin: a random walk that a seed repeats exactly, or what a test sets."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Final

NANOUSD_PER_DOLLAR: Final = 1_000_000_000
ANCHOR: Final = 100_000 * NANOUSD_PER_DOLLAR
_STEP_PPM: Final = 1_200
_PULL: Final = 400
_MILLION: Final = 1_000_000
# After a longer jump of the clock the walk goes on from where it was.
_MAX_STEPS: Final = 20_000


@dataclass(slots=True)
class PriceWalk:
    """The price in nano-dollars per bitcoin, one step per period of sandbox time."""

    seed: int
    period_ms: int
    # Steps are counted from here, so that the walk does not depend on the day it is run.
    origin_ms: int
    step: int = 0
    nanousd_per_btc: int = ANCHOR
    is_held: bool = False

    def advance(self, now_ms: int) -> None:
        """Take all steps up to now; a held price stays."""
        last = (now_ms - self.origin_ms) // self.period_ms
        if self.is_held or last - self.step > _MAX_STEPS:
            self.step = max(self.step, last)
        while self.step < last:
            self.step += 1
            self.nanousd_per_btc += self._move()

    def set(self, nanousd_per_btc: int, *, is_held: bool) -> None:
        """Put the price somewhere, and keep it there if asked."""
        if nanousd_per_btc <= 0:
            raise ValueError("a price is above zero")
        self.nanousd_per_btc = nanousd_per_btc
        self.is_held = is_held

    def text(self) -> str:
        """Return it as the ledger keeps it."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    def _move(self) -> int:
        """Return one step: chance within about a tenth of a percent, pulled to the anchor."""
        ppm = random.Random(self.seed * 1_000_003 + self.step).randint(-_STEP_PPM, _STEP_PPM)
        return self.nanousd_per_btc * ppm // _MILLION + (ANCHOR - self.nanousd_per_btc) // _PULL


def sat_price_base(nanousd_per_btc: int) -> int:
    """Return cents per sat, times 10^12, as `btcSatPrice` carries it with offset 12."""
    # 10^12 per cent, 10^7 nano-dollars in a cent, 10^8 sats in a bitcoin.
    return nanousd_per_btc // 1_000
