"""A price is used while it is fresh enough; none is made up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.errors import GatewayError, UnavailableError
from models.money import Rate
from services.quotes import convert
from services.rate_watch import RateWatch
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


def other(percent: int, source: str, at: datetime = NOON) -> Rate:
    """Return another source's price, so many percent of the usual one."""
    return Rate("USD", percent, 1_000, source, at)


FLASH = Rate("USD", 1, 10, "flash", NOON)
OLD = Rate("USD", 1, 10, "flash", NOON - USABLE - SECOND)
VERDICTS: list[tuple[str, list[Rate], list[Rate], str | None]] = [
    ("nothing is known", [], [], None),
    ("Flash alone", [FLASH], [], "flash"),
    ("a witness agrees", [FLASH], [other(103, "a")], "flash"),
    ("the witness contradicts", [FLASH], [other(90, "a")], None),
    ("the middle of the witnesses counts", [FLASH], [other(50, "a"), other(101, "b")], None),
    ("one madman is outvoted", [FLASH], [other(9, "a"), other(99, "b"), other(101, "c")], "flash"),
    ("an old witness says nothing", [FLASH], [other(50, "a", NOON - timedelta(hours=1))], "flash"),
    ("others stand in", [], [other(99, "a"), other(100, "b"), other(101, "c")], "b"),
    ("one other stands in", [], [other(100, "a")], "a"),
    ("Flash is too old, and nobody else speaks", [OLD], [], None),
    ("Flash is too old, and another stands in", [OLD], [other(300, "a")], "a"),
    ("everybody is too old", [OLD], [other(99, "a", OLD.at)], None),
    ("of others a quarter of an hour counts", [], [other(99, "a", NOON - USABLE)], "a"),
    ("just within the deviation", [FLASH], [other(95, "a")], "flash"),
    ("just beyond it", [FLASH], [other(94, "a")], None),
    ("others that contradict each other do not", [], [other(100, "a"), other(120, "b")], None),
]


@pytest.mark.parametrize(
    ("flash", "others", "source"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS]
)
def test_prices_are_weighed(
    clock: HandClock, flash: list[Rate], others: list[Rate], source: str | None
) -> None:
    rates = Rates(clock)
    for rate in flash:
        rates.put(rate)
    for rate in others:
        rates.put_other(rate)

    verdict = rates.verdict("USD", NOON)

    assert (verdict.rate.source if verdict.rate else None) == source
    assert (verdict.reason is None) is (source is not None)
    assert rates.of_flash("USD", NOON) == (FLASH if flash == [FLASH] else None)


async def test_with_one_source_dead_another_stands_in_and_with_all_dead_nothing_converts(
    clock: HandClock,
) -> None:
    rates = Rates(clock)
    rates.put(FLASH)

    class Named:
        def __init__(self, name: str) -> None:
            self.name, self.is_dead = name, False

        async def fetch(self, currency: str) -> Rate:
            if self.is_dead:
                raise GatewayError
            return Rate(currency, 1, 10, self.name, clock.utc_now())

    async def currencies() -> set[str]:
        return {"USD"}

    one, other = Named("one"), Named("other")
    watch = RateWatch(rates, clock, [one, other], currencies)
    one.is_dead = True
    clock.advance(minutes=16)
    await watch.look()
    assert convert(rates, clock.utc_now(), units=5, currency="USD", into="USD").rate is not None
    verdict = rates.verdict("USD", clock.utc_now())
    assert verdict.rate is not None
    assert verdict.rate.source == "other"

    other.is_dead = True
    clock.advance(minutes=15, seconds=1)
    await watch.look()

    with pytest.raises(UnavailableError, match="to USD now: the last price is too old"):
        convert(rates, clock.utc_now(), units=5, currency="USD", into="USD")
    with pytest.raises(UnavailableError, match="to EUR now: there is no price"):
        convert(rates, clock.utc_now(), amount_msat=5_000, into="EUR")
    rates.put(Rate("USD", 1, 10, "flash", clock.utc_now()))
    rates.put_other(Rate("USD", 2, 10, "other", clock.utc_now()))
    with pytest.raises(UnavailableError, match="contradict each other"):
        convert(rates, clock.utc_now(), units=5, currency="USD", into="USD")
    # Sats are sats, whatever a price says.
    assert convert(rates, clock.utc_now(), units=5, into="SATS").amount_msat == 5_000
