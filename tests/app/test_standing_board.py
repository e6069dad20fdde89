"""What the frame is told of a store: fresh, cheap in a burst, and honest when nothing is read."""

from __future__ import annotations

import asyncio

import pytest

from app.pages.standing_board import Standing, StandingReader
from models.attention import NeedKind
from models.errors import UnavailableError
from models.standing import WalletStanding
from models.store import Role, Store
from services.standing import Standings
from tests.support.api import Api
from tests.support.databases import Raw
from tests.support.patience import PATIENCE_S
from tests.support.shop import ALICE, Shop

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


class Counted(Standings):
    """Counts how often the sums were read, and fails when told to."""

    def __init__(self, shop: Shop) -> None:
        container = shop.container
        super().__init__(container.database, container.clock, container.rates)
        self.reads = 0
        self.is_down = False

    async def read(self, store: Store) -> WalletStanding:
        self.reads += 1
        if self.is_down:
            raise UnavailableError("The database cannot be read.")
        return await super().read(store)


@pytest.fixture
def sums(shop: Shop) -> Counted:
    shop.container.standings = Counted(shop)
    return shop.container.standings


async def test_a_store_without_flash_is_told_so_and_a_stop_at_once(
    shop: Shop, sums: Counted
) -> None:
    reader = StandingReader(shop.container, shop.store)
    first = await reader.read(None)
    await shop.container.wallets.stop(shop.store.id, ALICE)

    second = await reader.read(first)

    assert (first.connection, first.needs) == (None, ())
    assert [need.kind for need in second.needs] == [NeedKind.STOPPED]
    assert sums.reads == 1


async def test_the_last_change_of_a_burst_is_read_a_little_later(shop: Shop, sums: Counted) -> None:
    reader = StandingReader(shop.container, shop.store, every_s=0.5)
    found: Standing | None = None
    with shop.container.hub.listen_store(shop.store.id) as hints:
        for _ in range(9):
            found = await reader.read(found)
        assert sums.reads < 9
        async with asyncio.timeout(PATIENCE_S):
            assert await hints.wait()
        before = sums.reads
        await reader.read(found)

    assert sums.reads == before + 1


async def test_what_cannot_be_read_stays_as_it_was_and_says_why(
    shop: Shop, sums: Counted, beneath: Raw
) -> None:
    beneath.run("UPDATE wallets SET balance_nanousd = 5")
    reader = StandingReader(shop.container, shop.store, every_s=0)
    sums.is_down = True
    with pytest.raises(UnavailableError):
        await reader.read(None)
    sums.is_down = False
    before = await reader.read(None)
    sums.is_down = True

    after = await reader.read(before)

    assert after.trouble == "The database cannot be read."
    assert after.funds is before.funds
    sums.is_down = False
    assert (await reader.read(after)).trouble is None


async def test_the_api_tells_the_sums_of_the_screen(api: Api, beneath: Raw) -> None:
    wanted = {"name": "Tips", "currency": "SATS", "amount": 1_000, "auto_approve": True}
    made = await api.post("pull-payments", wanted)
    assert made.status_code == 201, made.text
    beneath.run("UPDATE wallets SET balance_nanousd = 7000000000")

    told = await api.get("wallet/standing", role=Role.VIEWER)

    assert (told["balance_nanousd"], told["committed_nanousd"], told["free_nanousd"]) == (
        *(7_000_000_000, 0, 7_000_000_000),
    )
    assert told["waiting"] == {"count": 0, "amount_msat": 0, "unquoted": 0}
    assert (told["cover_tenths_of_a_day"], told["rate_at"]) == (None, None)
    (budget,) = told["budgets"]
    assert (budget["pull_payment_id"], budget["remaining"]) == (made.json()["id"], 1_000)
