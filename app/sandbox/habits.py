"""What the townsfolk do with a day: when they are about, what they buy, how they round.

Every choice takes the source of chance as its argument, so that a seed repeats a day exactly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from app.sandbox.townsfolk import CUSTOMERS, PAYEES, Customer, Payee, Peak, Price
from models.money import NANOUSD_PER_CENT, SATS_PER_BTC

HOURS: Final = 24
# How lively each hour of the day is, by when somebody is mostly about.
_CURVES: Final[dict[Peak, tuple[int, ...]]] = {
    Peak.DAWN: (0, 0, 0, 0, 1, 6, 22, 40, 34, 18, 9, 6, 8, 7, 5, 4, 4, 5, 4, 3, 2, 1, 0, 0),
    Peak.NOON: (0, 0, 0, 0, 0, 1, 4, 9, 10, 9, 12, 26, 44, 30, 12, 8, 7, 8, 7, 5, 3, 1, 0, 0),
    Peak.DUSK: (0, 0, 0, 0, 0, 0, 2, 5, 6, 6, 7, 9, 11, 10, 9, 12, 20, 34, 38, 24, 12, 5, 1, 0),
    Peak.NIGHT: (14, 9, 4, 1, 0, 0, 1, 3, 4, 4, 4, 5, 6, 5, 5, 6, 8, 12, 16, 20, 26, 30, 28, 20),
    Peak.ANY: (1, 0, 0, 0, 0, 1, 5, 10, 12, 12, 12, 13, 15, 14, 12, 12, 13, 14, 12, 9, 6, 4, 3, 2),
}
_WEEKDAYS: Final = (90, 95, 100, 106, 132, 150, 62)
"""Monday first, in percent."""

_SPREAD: Final = 0.3
_CENT_STEP: Final = 5
_LEAST_CENTS: Final = 50
_SAT_STEP: Final = 100
_DEAR_SATS: Final = 20_000
_DEAR_STEP: Final = 1_000
# The favourite payee is met this often, the next ones share the rest.
_FAITH: Final = 0.6


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody wants to pay for, to whom, and in the payee's own money."""

    payee: Payee
    memo: str
    cents: int

    def sats(self, nanousd_per_btc: int) -> int:
        """Return the price in sats, rounded the way this payee rounds."""
        sats = self.cents * NANOUSD_PER_CENT * SATS_PER_BTC // nanousd_per_btc
        if self.payee.counts_in_sats:
            step = _DEAR_STEP if sats >= _DEAR_SATS else _SAT_STEP
            sats -= sats % step
        return max(sats, 1)


def weekday_percent(weekday: int) -> int:
    """Return how busy a day of the week is, Monday being 0, in percent of a usual day."""
    return _WEEKDAYS[weekday]


class Crowd:
    """Some people, and how likely each of them comes in each hour of the day."""

    def __init__(self, people: tuple[Customer, ...]) -> None:
        self.people = people
        self._rising = tuple(
            tuple(accumulate(person.liveliness * _CURVES[person.peak][hour] for person in people))
            for hour in range(HOURS)
        )

    def liveliness(self, hour: int) -> int:
        """Return how lively they are together in an hour of the day."""
        return self._rising[hour][-1]

    def choose(self, chance: random.Random, hour: int) -> Customer:
        """Choose who comes in an hour of the day; when nobody is about, anybody may."""
        if not self.liveliness(hour):
            return chance.choice(self.people)
        return chance.choices(self.people, cum_weights=self._rising[hour])[0]


TOWN: Final = Crowd(CUSTOMERS)


def basket(chance: random.Random, customer: Customer) -> Basket:
    """Choose where somebody goes and what they take."""
    payee = _payee(chance, customer)
    memo, usual_cents = _price(chance, payee)
    factor = chance.lognormvariate(0.0, _SPREAD) * customer.open_hand
    cents = max(_LEAST_CENTS, int(usual_cents * factor) // 100)
    return Basket(payee, memo, cents - cents % _CENT_STEP)


def _payee(chance: random.Random, customer: Customer) -> Payee:
    favourite, *others = customer.payees
    key = favourite
    if others and chance.random() >= _FAITH:
        key = chance.choice(others)
    return PAYEES[key]


def _price(chance: random.Random, payee: Payee) -> Price:
    return chance.choice(payee.prices)
