"""The demo's purser: budgets that run low are raised, and only those that are the demo's."""

from __future__ import annotations

import pytest

from app.demo.purser import raise_low_budgets
from models.pull_payment import PullPayment
from services.storage.bulk import set_budget
from tests.support.shop import Shop


async def spent(shop: Shop, name: str, *, paid: int) -> PullPayment:
    fund = await shop.pull_payment(name=name, amount=1_000)
    write = shop.container.database.write
    await write(set_budget, shop.store.id, fund.id, reserved=0, paid=paid)
    return fund


async def budget_of(shop: Shop, fund: PullPayment) -> int:
    return (await shop.container.pull_payments.read(shop.store.id, fund.id)).budget


async def test_a_budget_that_is_nearly_used_up_is_raised_by_a_quarter(shop: Shop) -> None:
    fund = await spent(shop, "Crew lunches", paid=950)

    raised = await raise_low_budgets(shop.container)

    assert raised == 1
    assert await budget_of(shop, fund) == 1_250


@pytest.mark.parametrize(
    ("name", "paid"),
    [("Crew lunches", 800), ("Pocket money", 999), ("Harvest fair volunteers", 999), ("Mine", 999)],
)
async def test_other_budgets_are_left_alone(shop: Shop, name: str, paid: int) -> None:
    fund = await spent(shop, name, paid=paid)

    assert await raise_low_budgets(shop.container) == 0
    assert await budget_of(shop, fund) == 1_000
