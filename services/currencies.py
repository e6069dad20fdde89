"""Which currencies a store may count in: those Flash has a price for, or our own list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from models.currency import OFFLINE, Currency, CurrencyList
from models.errors import GatewayError, InvalidField
from models.instants import Clock
from models.money import minor_exponent

_log = structlog.get_logger(__name__)

ASK_EVERY = timedelta(days=1)
ASK_AGAIN = timedelta(minutes=10)


class Currencies:
    """Keeps Flash's list of currencies; while it is not to be had, our own stands in."""

    def __init__(self, clock: Clock, ask: Callable[[], Awaitable[Sequence[Currency]]]) -> None:
        self._clock = clock
        self._ask = ask
        self.known = OFFLINE

    async def run(self) -> None:
        """Ask at once, and then seldom: such a list hardly changes."""
        while True:
            is_told = await self.refresh()
            await asyncio.sleep((ASK_EVERY if is_told else ASK_AGAIN).total_seconds())

    async def refresh(self) -> bool:
        """Ask Flash; what was known stays where there is no answer."""
        try:
            found = await self._ask()
        except GatewayError as error:
            _log.info("currencies.not_asked", detail=error.message)
            return False
        # Where we count other minor units than Flash its prices would be misread.
        usable = tuple(each for each in found if each.digits == minor_exponent(each.code))
        if not usable:
            return False
        self.known = CurrencyList(usable, self._clock.utc_now())
        return True

    def check(self, code: str) -> str:
        """Return a currency's code as it is kept.

        Raises:
            InvalidField: A store cannot count in it.
        """
        wanted = code.strip().upper()
        if not self.known.has(wanted):
            raise InvalidField("currency", "choose one that Flash has a price for, such as USD")
        return wanted
