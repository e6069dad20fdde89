"""Pull payments: what one may be made of, and what may be changed later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.errors import InvalidField, NotFoundError
from models.ledger import FUNDING, budget_account
from models.money import MAX_MINOR, MAX_SATS
from models.pull_payment import PullPaymentState
from services.pull_payments import PullPaymentChange
from services.storage.ledger import balances
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.shop import ALICE, Shop, open_store

HOUR = timedelta(hours=1)
TOO_MUCH = max(MAX_MINOR, MAX_SATS) + 1


async def change(shop: Shop, pull_payment_id: str, **changes: Any) -> Any:
    wanted = PullPaymentChange(**changes)
    act = shop.container.pull_payments.change
    return await act(shop.store.id, pull_payment_id, wanted, ALICE)


async def book(shop: Shop) -> dict[str, int]:
    found = await shop.container.database.read(balances, shop.store.id)
    return {account: amount for (account, _), amount in found.items()}


async def test_a_new_budget_comes_from_the_stores_funding(shop: Shop) -> None:
    made = await shop.pull_payment(amount=5_000)

    assert (made.remaining, made.reserved, made.paid) == (5_000, 0, 0)
    assert await book(shop) == {FUNDING: -5_000, budget_account(made.id): 5_000}
    assert await shop.container.pull_payments.read(shop.store.id, made.id) == made


async def test_the_link_is_random_and_kept_sealed(shop: Shop, beneath: Raw) -> None:
    one, other = await shop.pull_payment(), await shop.pull_payment()

    tokens = [shop.container.pull_payments.claim_token(made) for made in (one, other)]

    assert len(set(tokens)) == 2
    assert all(len(token) == 22 for token in tokens)
    for row in beneath.rows("SELECT claim_token_sealed, claim_token_hash FROM pull_payments"):
        assert not any(token.encode() in bytes(row[0]) or token in row[1] for token in tokens)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "DOLLAR"}, "currency"),
        ({"amount": 0}, "amount"),
        ({"amount": TOO_MUCH}, "amount"),
        ({"min_sats": 0}, "min_sats"),
        ({"min_sats": MAX_SATS + 1}, "min_sats"),
        ({"min_sats": 10, "max_sats": 9}, "max_sats"),
        ({"max_sats": 0}, "max_sats"),
        ({"expires_at": NOON}, "expires_at"),
        ({"starts_at": NOON + HOUR, "expires_at": NOON + HOUR}, "expires_at"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_by_its_field(
    shop: Shop, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await shop.pull_payment(**changes)

    assert caught.value.field == field


async def test_what_is_not_named_stays_as_it_was(shop: Shop) -> None:
    made = await shop.pull_payment(expires_at=NOON + HOUR)

    changed = await change(shop, made.id, name="Tips of today", auto_approve=False)

    assert (changed.name, changed.auto_approve) == ("Tips of today", False)
    assert (changed.budget, changed.expires_at, changed.state) == (
        made.budget,
        made.expires_at,
        PullPaymentState.ACTIVE,
    )
    assert await shop.container.pull_payments.read(shop.store.id, made.id) == changed


async def test_an_archived_pull_payment_can_be_opened_again(shop: Shop) -> None:
    made = await shop.pull_payment()

    assert (await change(shop, made.id, archived=True)).state is PullPaymentState.ARCHIVED
    assert (await change(shop, made.id, archived=False)).state is PullPaymentState.ACTIVE


@pytest.mark.parametrize("amounts", [[2_000], [500], [2_000, 1_000], [2_000, 3_000, 2_000]])
async def test_a_changed_budget_is_in_the_book(shop: Shop, amounts: list[int]) -> None:
    made = await shop.pull_payment(amount=1_000)

    for amount in amounts:
        await change(shop, made.id, amount=amount)

    assert await book(shop) == {FUNDING: -amounts[-1], budget_account(made.id): amounts[-1]}


async def test_a_budget_covers_what_is_taken(shop: Shop) -> None:
    made = await shop.pull_payment(amount=5_000, auto_approve=False)
    await shop.claim(made, invoice(shop.clock, 3_000))

    with pytest.raises(InvalidField, match="cover"):
        await change(shop, made.id, amount=2_999)

    assert (await change(shop, made.id, amount=3_000)).remaining == 0


async def test_changes_are_written_down_without_the_link(shop: Shop, beneath: Raw) -> None:
    made = await shop.pull_payment()
    changed = await change(shop, made.id, name="New", new_link=True)

    rows = beneath.rows(
        "SELECT action, before, after, actor_id FROM audit"
        " WHERE action LIKE 'pull_payment%' ORDER BY number"
    )

    assert [row[0] for row in rows] == ["pull_payment.created", "pull_payment.changed"]
    assert all(row[3] == "us_alice" for row in rows)
    token = shop.container.pull_payments.claim_token(changed)
    assert not any(token in str(row) for row in rows)


async def test_another_stores_pull_payment_is_not_there(shop: Shop) -> None:
    made = await shop.pull_payment()
    other = Shop(shop.container, shop.clock, await open_store(shop.container, name="Next door"))

    with pytest.raises(NotFoundError):
        await other.container.pull_payments.read(other.store.id, made.id)
    with pytest.raises(NotFoundError):
        await change(other, made.id, name="Mine")
    assert await other.container.pull_payments.page(other.store.id, 10, None) == []


async def test_pages_are_newest_first(shop: Shop) -> None:
    made = []
    for _ in range(5):
        made.append(await shop.pull_payment())
        shop.clock.advance(seconds=1)
    page = shop.container.pull_payments.page

    first = await page(shop.store.id, 3, None)
    rest = await page(shop.store.id, 3, (first[-1].created_at, first[-1].id))

    assert [found.id for found in first + rest] == [found.id for found in reversed(made)]
