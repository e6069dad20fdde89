"""A price is used while it is fresh enough; none is made up."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.errors import GatewayError
from models.money import Rate
from services.rates import FRESH, USABLE, Rates
from tests.support.clock import NOON, HandClock

SECOND = timedelta(seconds=1)


def a_rate(at: datetime = NOON, currency: str = "USD", numerator: int = 1) -> Rate:
    return Rate(currency, numerator, 10, "test", at)


class Source:
    """Answers with what it was given, and counts how often it was asked."""

    def __init__(self, answer: Rate | None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def __call__(self, currency: str) -> Rate:
        self.asked.append(currency)
        if self.answer is None:
            raise GatewayError
        return self.answer


def test_the_newest_price_is_kept(clock: HandClock) -> None:
    rates = Rates(clock)
    newer = a_rate(NOON + SECOND)

    rates.put(newer)
    rates.put(a_rate(NOON))

    assert rates.usable("USD", NOON) is newer


def test_a_price_is_used_for_fifteen_minutes_and_for_its_currency(clock: HandClock) -> None:
    rates = Rates(clock)
    rates.put(a_rate())

    assert rates.usable("USD", NOON + USABLE) is not None
    assert rates.usable("USD", NOON + USABLE + SECOND) is None
    assert rates.usable("EUR", NOON) is None


async def test_a_fresh_price_is_not_asked_for_again(clock: HandClock) -> None:
    rates, source = Rates(clock), Source(a_rate())

    assert await rates.refresh("USD", source)
    clock.set(NOON + FRESH)
    assert await rates.refresh("USD", source)
    assert source.asked == ["USD"]
    clock.set(NOON + FRESH + SECOND)
    assert await rates.refresh("USD", source)
    assert source.asked == ["USD", "USD"]


async def test_without_an_answer_the_old_price_stays(clock: HandClock) -> None:
    rates = Rates(clock)
    old = a_rate(NOON - FRESH - SECOND)
    rates.put(old)

    assert not await rates.refresh("USD", Source(None))
    assert rates.usable("USD", NOON) is old
