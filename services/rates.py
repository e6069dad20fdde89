"""The price of a sat, as fresh as it is; there is no constant to fall back on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from models.errors import GatewayError
from models.instants import Clock
from models.money import Rate

FRESH = timedelta(minutes=5)
# Flash itself may serve a price up to ten minutes old; older ones convert nothing.
USABLE = timedelta(minutes=15)
AHEAD = timedelta(minutes=5)


class Rates:
    """Keeps the newest rate of each currency that somebody asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[str, Rate] = {}

    def put(self, rate: Rate) -> None:
        """Take a rate if it is newer than the one we have."""
        if rate.at > self._clock.utc_now() + AHEAD:
            return  # a clock that is wrong would make this the newest for ever
        known = self._rates.get(rate.currency)
        if known is None or known.at <= rate.at:
            self._rates[rate.currency] = rate

    def usable(self, currency: str, now: datetime) -> Rate | None:
        """Return a rate that is not too old to convert with, or nothing."""
        rate = self._rates.get(currency)
        return rate if rate is not None and now - rate.at <= USABLE else None

    def newest(self, currency: str) -> Rate | None:
        """Return the last rate there was, however old; it is for showing, not for converting."""
        return self._rates.get(currency)

    async def refresh(self, currency: str, fetch: Callable[[str], Awaitable[Rate]]) -> bool:
        """Ask for a rate if ours is not fresh; False if there was no answer."""
        now = self._clock.utc_now()
        rate = self._rates.get(currency)
        if rate is not None and now - rate.at <= FRESH:
            return True
        try:
            self.put(await fetch(currency))
        except GatewayError:
            return False
        return True
