"""The townsfolk and their habits: enough of them, with a rhythm, and the same again by seed."""

from __future__ import annotations

import random
from statistics import median

import pytest

from app.sandbox.habits import HOURS, TOWN, basket
from app.sandbox.price import ANCHOR
from app.sandbox.town import gap_s
from app.sandbox.townsfolk import CUSTOMERS, FUND_OF, PAYEES, SHOPS

MEAN_GAP_MS = 3_500


def day(seed: int, visits: int = 4_000) -> list[tuple[str, str, int]]:
    chance = random.Random(seed)
    bought = []
    lively = [TOWN.liveliness(hour) for hour in range(HOURS)]
    for hour in chance.choices(range(HOURS), lively, k=visits):
        customer = TOWN.choose(chance, hour)
        taken = basket(chance, customer)
        bought.append((customer.name, taken.memo, taken.sats(ANCHOR)))
    return bought


def test_there_are_two_dozen_with_cards_and_some_with_links() -> None:
    assert sum(customer.has_card for customer in CUSTOMERS) >= 24
    assert sum(not customer.has_card for customer in CUSTOMERS) >= 3
    assert len({customer.name for customer in CUSTOMERS}) == len(CUSTOMERS)


def test_everybody_draws_from_a_fund_there_is_and_pays_where_there_is_something_to_buy() -> None:
    for customer in CUSTOMERS:
        assert customer.fund in FUND_OF
        assert all(PAYEES[key].prices for key in customer.payees)


def test_payees_are_flash_users_nodes_of_their_own_and_one_that_nobody_reaches() -> None:
    assert sum(shop.username is not None for shop in SHOPS) >= 8
    assert sum(shop.username is None for shop in SHOPS) >= 4
    assert [shop.is_reachable for shop in SHOPS].count(False) == 1


def test_the_same_seed_brings_the_same_day_and_another_a_different_one() -> None:
    assert day(1) == day(1)
    assert day(1) != day(2)


def test_amounts_are_those_of_a_market_with_some_generous_and_some_stingy() -> None:
    amounts = sorted(sats for _, _, sats in day(5))

    assert 3_000 <= median(amounts) <= 15_000
    assert amounts[0] >= 100
    assert amounts[-1] > 5 * median(amounts)


def test_regulars_come_more_often_than_others() -> None:
    names = [name for name, _, _ in day(6)]

    assert names.count("Amara Okafor") > names.count("Rafael Quispe")


@pytest.mark.parametrize("hour", range(HOURS))
def test_somebody_may_come_in_every_hour(hour: int) -> None:
    assert TOWN.liveliness(hour) > 0


def test_something_happens_every_two_to_six_seconds_on_average() -> None:
    chance, now_s, visits = random.Random(8), 0.0, 0
    day_s = 720

    while now_s < 10 * day_s:
        now_s += gap_s(chance, int(now_s * HOURS / day_s) % HOURS, MEAN_GAP_MS)
        visits += 1

    assert 2.0 <= now_s / visits <= 6.0


def test_there_are_rush_hours_and_lulls() -> None:
    chance = random.Random(9)
    noon = [gap_s(chance, 12, MEAN_GAP_MS) for _ in range(500)]
    night = [gap_s(chance, 3, MEAN_GAP_MS) for _ in range(500)]

    assert sum(noon) * 3 < sum(night)
    assert max(night) <= 3.5 * MEAN_GAP_MS / 1000
