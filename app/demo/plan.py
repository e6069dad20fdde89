"""Who came when: the part of the past that has an order, worked out before anything is written.

Counters of cards only rise, and nobody's expenses may still be undecided; everything else about
a visit can be told by whoever knows when it was and whose.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.demo.rhythm import Hour, hours
from app.sandbox.habits import TOWN
from app.sandbox.townsfolk import CUSTOMERS, FUND_OF, Customer
from models.instants import MICROSECOND, from_us, to_us

CHUNK: Final = 1_000
QUIET: Final = timedelta(minutes=2)
"""The past ends so long before now, so that all of it is over."""
DECIDED_WITHIN: Final = timedelta(hours=4)
WAITING: Final = (timedelta(minutes=44), timedelta(minutes=23), timedelta(minutes=7))
"""How long ago the claims were made that still wait for approval."""
_FAIR: Final = (0.3, 0.62)
"""The harvest fair, as parts of the whole time."""
_WASTED_TAP: Final = 0.03

INDEX: Final = {customer.name: place for place, customer in enumerate(CUSTOMERS)}


class Visit(NamedTuple):
    """One visit: whose card or link, by its place among the customers, and at which counter."""

    at_us: int
    customer: int
    counter: int
    makes_payout: bool = True
    waits: bool = False


@dataclass(slots=True)
class Plan:
    """The visits of a stretch of time, in order, in batches of a bounded size."""

    start: datetime
    now: datetime
    zone: ZoneInfo
    payouts: int
    seed: int
    counters: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def batches(self) -> Iterator[list[Visit]]:
        """Yield visits that make `CHUNK` payouts at a time, and with the last what still waits."""
        chance = random.Random(f"{self.seed}:plan")
        waiting = self._waiting(chance)
        batch: list[Visit] = []
        room = CHUNK
        for visit in self._past(chance, self.payouts - len(waiting)):
            batch.append(visit)
            room -= visit.makes_payout
            if room == 0:
                yield batch
                batch, room = [], CHUNK
        yield batch + waiting

    def _past(self, chance: random.Random, payouts: int) -> Iterator[Visit]:
        end = max(self.start, self.now - QUIET)
        for hour in hours(self.start, end, self.zone, payouts, chance):
            moments = sorted(
                chance.randrange(hour.start_us, hour.end_us) for _ in range(hour.visits)
            )
            for at_us in moments:
                yield from self._visits(chance, hour, at_us)

    def _visits(self, chance: random.Random, hour: Hour, at_us: int) -> Iterator[Visit]:
        customer = TOWN.choose(chance, hour.hour)
        while not self._may_come(customer, at_us):
            customer = TOWN.choose(chance, hour.hour)
        place = INDEX[customer.name]
        if not customer.has_card:
            yield Visit(at_us, place, 0)
            return
        if chance.random() < _WASTED_TAP:
            # Read once for nothing: the till gave up, or the card was pulled away.
            yield Visit(at_us - 1_000_000, place, self._next(place), makes_payout=False)
        yield Visit(at_us, place, self._next(place))

    def _next(self, place: int) -> int:
        self.counters[place] += 1
        return self.counters[place]

    def _may_come(self, customer: Customer, at_us: int) -> bool:
        fund = FUND_OF[customer.fund]
        if not fund.is_open:
            return self.fair_start_us <= at_us < self.fair_end_us
        return fund.auto_approve or from_us(at_us) < self.now - DECIDED_WITHIN

    @property
    def fair_start_us(self) -> int:
        """Return when the fair began."""
        return self._part(_FAIR[0])

    @property
    def fair_end_us(self) -> int:
        """Return when the fair was over."""
        return self._part(_FAIR[1])

    def _part(self, part: float) -> int:
        span_us = (self.now - self.start) // MICROSECOND
        return to_us(self.start) + int(span_us * part)

    def _waiting(self, chance: random.Random) -> list[Visit]:
        asking = [
            place
            for place, customer in enumerate(CUSTOMERS)
            if not FUND_OF[customer.fund].auto_approve
        ]
        ages = WAITING[-min(len(WAITING), self.payouts) :] if self.payouts else ()
        moments = (to_us(self.now - age) for age in ages)
        return [Visit(us, chance.choice(asking), 0, waits=True) for us in moments]
