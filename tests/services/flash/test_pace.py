"""Requests to Flash stay within its limit, and the pressing ones go first."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.flash.pace import Need, Pace
from tests.support.patience import PATIENCE_S


class Seconds:
    """A clock of seconds that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def taken(pace: Pace, need: Need) -> int:
    count = 0
    while pace.try_take(need):
        count += 1
    return count


@pytest.mark.parametrize(("need", "count"), [(Need.SEND, 50), (Need.LOOK_UP, 40), (Need.PROBE, 25)])
def test_the_less_pressing_leave_a_reserve_to_the_others(need: Need, count: int) -> None:
    assert taken(Pace(50, Seconds()), need) == count


def test_what_is_left_after_probes_is_there_for_sends() -> None:
    pace = Pace(50, Seconds())

    counts = [taken(pace, need) for need in (Need.PROBE, Need.LOOK_UP, Need.SEND)]

    assert counts == [25, 15, 10]
    assert pace.free == 0


@given(
    st.integers(1, 200), st.lists(st.tuples(st.sampled_from(Need), st.integers(0, 90)), max_size=40)
)
def test_no_minute_sees_more_than_a_full_bucket_and_what_flows_in(
    per_minute: int, calls: list[tuple[Need, int]]
) -> None:
    seconds = Seconds()
    pace = Pace(per_minute, seconds)
    times: list[float] = []
    for need, pause in calls:
        seconds.now += pause
        times += [seconds.now] * pace.try_take(need)

    for start in times:
        within = [at for at in times if start <= at < start + 60]
        assert len(within) <= 2 * per_minute


def test_a_bucket_fills_again_at_its_rate_and_no_further() -> None:
    seconds = Seconds()
    pace = Pace(60, seconds)
    taken(pace, Need.SEND)

    seconds.now += 10
    assert pace.free == 10
    seconds.now += 3600
    assert pace.free == 60


def test_while_blocked_nothing_goes_through() -> None:
    seconds = Seconds()
    pace = Pace(60, seconds)

    pace.block(30)
    pace.block(5)

    assert not pace.try_take(Need.SEND)
    assert pace.wait_s(1) == 30
    seconds.now += 30
    assert pace.try_take(Need.SEND)


def test_wallets_of_one_address_share_its_bucket_but_no_pause() -> None:
    seconds = Seconds()
    one = Pace(60, seconds)
    other = one.beside()

    taken(one, Need.SEND)
    assert (other.free, other.wait_s(1)) == (0, 1)
    seconds.now += 2
    one.block(30)

    assert one.beside().wait_s(0) == 0
    assert (taken(one, Need.SEND), taken(other, Need.SEND)) == (0, 2)


def test_the_wait_of_many_requests_is_what_the_bucket_lacks() -> None:
    pace = Pace(60, Seconds())

    assert pace.wait_s(60) == 0
    assert pace.wait_s(90) == 30


async def test_who_waits_goes_on_when_there_is_room() -> None:
    pace = Pace(60_000, asyncio.get_running_loop().time)
    taken(pace, Need.SEND)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(pace.take(Need.SEND) for _ in range(20)))
