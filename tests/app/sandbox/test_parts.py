"""The small parts that need no socket: time, the timetable, prices, amounts, feeds, limits."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from app.sandbox import amounts
from app.sandbox.clock import SandboxClock
from app.sandbox.hub import MAX_WAITING, Hub
from app.sandbox.limits import AddressLimiter, KeyLimiter
from app.sandbox.price import ANCHOR, PriceWalk, sat_price_base
from app.sandbox.timetable import Timetable
from app.sandbox.uuids import new_uuid


class Machine:
    """A machine whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


def test_the_clock_is_the_machine_plus_what_was_added() -> None:
    machine = Machine()
    clock = SandboxClock(machine)
    clock.advance(5_500)
    machine.ms += 500

    assert (clock.now_ms(), clock.now_s()) == (1_006_000, 1_006)
    assert clock.utc_now().timestamp() == 1_006
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


async def test_what_is_planned_happens_in_order_once_its_time_has_come() -> None:
    clock, seen = SandboxClock(Machine()), list[str]()
    timetable = Timetable(clock)
    timetable.after(300, lambda: seen.append("third"))
    timetable.after(100, lambda: seen.append("first"))
    timetable.after(100, lambda: seen.append("second"))
    timetable.after(100, lambda: seen.append("never")).cancel()
    timetable.after(900, lambda: seen.append("later"))

    clock.advance(300)
    timetable.run_due()
    timetable.close()

    assert seen == ["first", "second", "third"]


async def test_one_bad_action_does_not_stop_the_next() -> None:
    clock, seen = SandboxClock(Machine()), list[int]()
    timetable = Timetable(clock)
    timetable.after(1, lambda: seen.append(int("not a number")))
    timetable.after(2, lambda: seen.append(2))

    clock.advance(10)
    timetable.run_due()
    timetable.close()

    assert seen == [2]


async def test_a_sleep_ends_when_the_clock_is_moved() -> None:
    clock = SandboxClock(Machine())
    timetable = Timetable(clock)
    async with asyncio.TaskGroup() as tasks:
        sleeper = tasks.create_task(timetable.sleep(60_000))
        await asyncio.sleep(0)
        clock.advance(60_000)
        timetable.run_due()
        await sleeper
    timetable.close()


def walk(seed: int, steps: int) -> list[int]:
    price, seen = PriceWalk(seed, 30_000, 0), []
    for step in range(steps):
        price.advance(step * 30_000)
        seen.append(price.nanousd_per_btc)
    return seen


def test_the_price_walks_around_its_anchor_and_a_seed_repeats_it() -> None:
    first = walk(7, 3_000)

    assert first == walk(7, 3_000) != walk(8, 3_000)
    assert all(abs(price - ANCHOR) < ANCHOR // 10 for price in first)
    assert len(set(first)) > 2_900


def test_a_jump_in_time_takes_all_the_steps_between() -> None:
    jumping = PriceWalk(7, 30_000, 0)
    jumping.advance(2_999 * 30_000)

    assert jumping.nanousd_per_btc == walk(7, 3_000)[-1]


def test_a_price_base_is_cents_per_sat_times_ten_to_the_twelfth() -> None:
    # 100,000 dollars a bitcoin are a tenth of a cent a sat.
    assert sat_price_base(ANCHOR) == 10**11


@pytest.mark.parametrize(
    ("nanousd", "usd", "usdt", "whole", "dollars"),
    [
        (0, 0.0, 0.0, 0, "0"),
        (-1_735_000_000, -173.5, -173.5, -174, "-1.735"),
        (1_102_376_205, 110.2376205, 110.2376, 110, "1.102376205"),
        (15_000_000, 1.5, 1.5, 2, "0.015"),
        (25_000_000, 2.5, 2.5, 2, "0.025"),
        (10_000_000_000_000, 1_000_000.0, 1_000_000.0, 1_000_000, "10000"),
    ],
)
def test_nano_dollars_are_shown_as_each_wallet_shows_them(
    nanousd: int, usd: float, usdt: float, whole: int, dollars: str
) -> None:
    assert amounts.usd_wallet_cents(nanousd) == usd
    assert amounts.usdt_wallet_cents(nanousd) == usdt
    assert amounts.whole_cents(nanousd) == whole
    assert amounts.dollars_text(nanousd) == dollars


def test_debits_round_up_and_credits_down() -> None:
    price = ANCHOR + 1

    assert amounts.debit_of(1, price) == 1_001
    assert amounts.credit_of(1, price) == 1_000
    assert amounts.nanousd_of_cents(12.5) == 125_000_000
    assert amounts.sats_for(125_000_000, ANCHOR) == 125


async def test_a_feed_that_is_not_read_loses_the_oldest() -> None:
    hub = Hub()
    with hub.listen("prices") as feed:
        for number in range(MAX_WAITING + 1):
            hub.publish("prices", number)

        assert await feed.next() == 1
    hub.publish("prices", "nobody listens")

    assert hub.topics("prices") == []


def test_a_bucket_refills_with_time_and_per_address() -> None:
    limiter = AddressLimiter(per_minute=60, burst=2)

    assert [limiter.allows("a", 0) for _ in range(4)] == [True, True, True, False]
    assert limiter.allows("b", 0)
    assert [limiter.allows("a", 1_000) for _ in range(2)] == [True, False]


def test_a_key_has_a_window_of_a_minute() -> None:
    limiter = KeyLimiter()
    verdicts = [limiter.count("k", 2, 0) for _ in range(3)]

    assert [v.is_allowed for v in verdicts] == [True, True, False]
    assert [v.remaining for v in verdicts] == [1, 0, 0]
    assert limiter.count("k", 2, 60_000).is_allowed


def test_uuids_have_the_right_form() -> None:
    made = [new_uuid() for _ in range(500)]

    assert len(set(made)) == 500
    assert {uuid.UUID(each).version for each in made} == {4}
    assert {uuid.UUID(each).variant for each in made} == {uuid.RFC_4122}
    assert made == [str(uuid.UUID(each)) for each in made]
