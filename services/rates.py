"""The price of a sat, as fresh as it is; there is no constant to fall back on.

Flash's own price goes first, since Flash converts by it. Independent sources stand in when it
goes silent, and bear witness while it speaks: prices that contradict each other convert nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.errors import GatewayError
from models.instants import Clock
from models.money import Rate

FRESH = timedelta(minutes=5)
# Flash itself may serve a price up to ten minutes old; older ones convert nothing.
USABLE = timedelta(minutes=15)
AHEAD = timedelta(minutes=5)
MOST_DEVIATION_PERCENT = 5


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """What may be converted with, or why nothing may; `known` is every price that was weighed."""

    currency: str
    rate: Rate | None
    reason: str | None
    known: tuple[Rate, ...]


class Rates:
    """Keeps the newest rate of each currency that somebody asked for, from every source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[str, Rate] = {}
        self._others: dict[str, dict[str, Rate]] = {}

    def put(self, rate: Rate) -> None:
        """Take a rate of Flash if it is newer than the one we have."""
        if rate.at > self._clock.utc_now() + AHEAD:
            return  # a clock that is wrong would make this the newest for ever
        known = self._rates.get(rate.currency)
        if known is None or known.at <= rate.at:
            self._rates[rate.currency] = rate

    def put_other(self, rate: Rate) -> None:
        """Take a rate of an independent source, by the source's name."""
        if rate.at > self._clock.utc_now() + AHEAD:
            return
        known = self._others.setdefault(rate.currency, {})
        if rate.source not in known or known[rate.source].at <= rate.at:
            known[rate.source] = rate

    def usable(self, currency: str, now: datetime) -> Rate | None:
        """Return a rate that may be converted with, or nothing."""
        return self.verdict(currency, now).rate

    def of_flash(self, currency: str, now: datetime) -> Rate | None:
        """Return the rate that Flash debits by, whatever others say; not to convert with."""
        rate = self._rates.get(currency)
        return rate if rate is not None and now - rate.at <= USABLE else None

    def verdict(self, currency: str, now: datetime) -> RateVerdict:
        """Weigh what is known of a currency."""
        first = self.of_flash(currency, now)
        others = [
            rate
            for rate in self._others.get(currency, {}).values()
            if now - rate.at <= USABLE and not _is_same_source(rate, first)
        ]
        known = (*(() if first is None else (first,)), *others)
        if not known:
            has_any = currency in self._rates or currency in self._others
            reason = "the last price is too old" if has_any else "there is no price"
            return RateVerdict(currency, None, reason, known)
        if first is None and _spread_is_wide(others):
            return RateVerdict(currency, None, "the sources contradict each other", known)
        if first is not None and others and _differ(first, _median(others)):
            reason = f"{first.source} and the other sources contradict each other"
            return RateVerdict(currency, None, reason, known)
        return RateVerdict(currency, first or _median(others), None, known)

    def newest(self, currency: str) -> Rate | None:
        """Return the last rate there was, however old; it is for showing, not for converting."""
        return self._rates.get(currency)

    def is_fresh(self, currency: str) -> bool:
        """Tell whether Flash's price is so new that nobody has to be asked."""
        rate = self._rates.get(currency)
        return rate is not None and self._clock.utc_now() - rate.at <= FRESH

    async def refresh(self, currency: str, fetch: Callable[[str], Awaitable[Rate]]) -> bool:
        """Ask for a rate if ours is not fresh; False if there was no answer."""
        if self.is_fresh(currency):
            return True
        try:
            self.put(await fetch(currency))
        except GatewayError:
            return False
        return True


def _is_same_source(rate: Rate, first: Rate | None) -> bool:
    return first is not None and rate.source == first.source


def _median(rates: Sequence[Rate]) -> Rate:
    """Return the rate in the middle; of two in the middle the lower, which promises less."""
    ordered = sorted(rates, key=lambda rate: rate.numerator * 10**18 // rate.denominator)
    return ordered[(len(ordered) - 1) // 2]


def _spread_is_wide(rates: Sequence[Rate]) -> bool:
    return any(_differ(one, other) for one in rates for other in rates)


def _differ(one: Rate, other: Rate) -> bool:
    """Tell whether two prices are further apart than any market."""
    left, right = one.numerator * other.denominator, other.numerator * one.denominator
    return abs(left - right) * 100 > MOST_DEVIATION_PERCENT * max(left, right)
