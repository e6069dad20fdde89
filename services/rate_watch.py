"""Keeps independent prices at hand: often while Flash is silent, seldom while it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from models.errors import GatewayError, ServiceError
from models.instants import Clock
from services.rate_sources import RateSource
from services.rates import Rates

_log = structlog.get_logger(__name__)

POLL_S = 10.0
WITNESS_EVERY = timedelta(minutes=10)  # inside the quarter of an hour in which a price counts
STAND_IN_EVERY = timedelta(minutes=1)


class RateWatch:
    """Asks every source for every currency that is needed."""

    def __init__(
        self,
        rates: Rates,
        clock: Clock,
        sources: Sequence[RateSource],
        currencies: Callable[[], Awaitable[set[str]]],
    ) -> None:
        self._rates = rates
        self._clock = clock
        self._sources = sources
        self._currencies = currencies
        self._asked: dict[tuple[str, str], datetime] = {}

    async def run(self) -> None:
        """Ask for ever; without a source there is nothing to ask."""
        while self._sources:
            try:
                await self.look()
            except ServiceError as error:
                _log.info("rates.not_asked", detail=error.message)
            await asyncio.sleep(POLL_S)

    async def look(self) -> None:
        """Ask whoever is due."""
        for currency in sorted(await self._currencies()):
            every = WITNESS_EVERY if self._rates.is_fresh(currency) else STAND_IN_EVERY
            for source in self._sources:
                now = self._clock.utc_now()
                asked_at = self._asked.get((source.name, currency))
                if asked_at is not None and now < asked_at + every:
                    continue
                self._asked[source.name, currency] = now
                await self._ask(source, currency)

    async def _ask(self, source: RateSource, currency: str) -> None:
        try:
            self._rates.put_other(await source.fetch(currency))
        except GatewayError as error:
            _log.info("rates.source_silent", source=source.name, detail=error.message)
