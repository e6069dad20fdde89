"""Two instances on one database: the one that pays is killed in the middle, the other goes on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from tests.crash.ground import Ground
from tests.crash.judge import Judge
from tests.crash.process import Process
from tests.crash.purse import Purse
from tests.crash.shop import Shop
from tests.crash.stage import Stage, opened
from tests.crash.till import Till
from tests.crash.unknown import read_open
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]

TILLS = 4  # of each instance
CARDS = 32
TAKEN_OVER_S = 20.0  # six seconds of lease, and what a busy machine adds
_LOOK_S = 0.02
_BEFORE, _AFTER = 30, 30  # payouts that are paid on either side of the death


async def until(claim: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> float:
    """Poll until something is so; returns how long that took."""
    began = time.monotonic()
    while not claim():
        assert time.monotonic() < began + within_s, f"not in {within_s} s: {what}"
        await asyncio.sleep(_LOOK_S)
    return time.monotonic() - began


def paid(stage: Stage, fence: int) -> int:
    """Count what was paid under one holding of the lease."""
    query = f"SELECT count(*) AS n FROM payouts WHERE state = 'completed' AND fence = {fence}"
    return int(stage.books.rows(query)[0]["n"])


def with_tills_of(stage: Stage, origin: str) -> Shop:
    """Return a shop with tills of both instances."""
    shop = Shop(stage, random.Random(5), TILLS)
    for number in range(TILLS):
        chance = random.Random(number)
        purse = Purse(stage.control, stage.almanac, chance)
        shop.tills.append(Till(origin, shop.journal, stage.almanac, purse, chance))
    return shop


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
async def test_the_survivor_takes_over_and_nobody_is_paid_twice(ground: Ground) -> None:
    async with opened(ground, 5) as stage:
        await stage.start()
        await until(lambda: fence_of(stage) == 1, "the first holds the lease")
        port = free_port()
        survivor = Process("survivor", stage.folder / "survivor.log", "app", "serve")
        shop = with_tills_of(stage, f"http://127.0.0.1:{port}")
        try:
            await survivor.start(stage.env(port))
            before = await stage.control.wallet()
            await shop.open(CARDS)
            for till in shop.tills[TILLS:]:
                till.links = []  # those lead to the first
            closing = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(shop.trade(closing))
                await until(lambda: paid(stage, 1) >= _BEFORE, "the first pays for both")
                await stage.service.kill()
                took_s = await until(lambda: paid(stage, 2) > 0, "the survivor pays")
                await until(lambda: paid(stage, 2) >= _AFTER, "the survivor goes on")
                closing.set()
            await until(lambda: is_at_rest(stage), "everything has ended")
            survivor.check()

            verdict = (await Judge.of(stage, before, hours=False)).judge(shop.journal)
        finally:
            await shop.close()
            await survivor.kill()
    print(f"took over in {took_s:.1f} s; {dict(verdict.states)}")
    assert not verdict.disagreements, "\n".join(verdict.disagreements)
    assert took_s < TAKEN_OVER_S


def fence_of(stage: Stage) -> int:
    found = stage.books.rows("SELECT fence FROM wallets WHERE lease_owner IS NOT NULL")
    return int(found[0]["fence"]) if found else 0


def is_at_rest(stage: Stage) -> bool:
    """Tell whether only what waits for a person is open."""
    return all(found.state == "awaiting_approval" for found in read_open(stage.books))
