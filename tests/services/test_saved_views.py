"""Filters kept under a name: each person's own, so many and no more."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import InvalidField, LimitReached, NotFoundError
from models.saved_view import NAME_LIMIT, VIEWS_LIMIT
from services.saved_views import SavedViews, values_of
from tests.support.shop import Shop

FAILED = {"status": "failed", "q": "a & b=c", "sort": "amount"}
ALICE, BOB = "us_alice", "us_bob"


@pytest.fixture
def saved(shop: Shop) -> SavedViews:
    return shop.container.saved_views


async def test_a_view_is_kept_renamed_and_removed_by_the_one_who_saved_it(
    shop: Shop, saved: SavedViews
) -> None:
    store_id = shop.store.id
    tips = await saved.save(store_id, ALICE, "  Failed \n tips ", FAILED)
    await saved.save(store_id, ALICE, "all of Anna's", {"card": "Anna"})

    found = await saved.all(store_id, ALICE)
    assert [view.name for view in found] == ["all of Anna's", "Failed tips"]
    assert values_of(found[1]) == FAILED

    await saved.rename(store_id, ALICE, tips.id, "FAILED TIPS")
    assert [view.name for view in await saved.all(store_id, ALICE)][1] == "FAILED TIPS"
    for other, whose in ((store_id, BOB), ("st_other", ALICE)):
        assert await saved.all(other, whose) == []
        with pytest.raises(NotFoundError):
            await saved.rename(other, whose, tips.id, "mine")
        await saved.remove(other, whose, tips.id)
    assert len(await saved.all(store_id, ALICE)) == 2

    await saved.remove(store_id, ALICE, tips.id)
    await saved.remove(store_id, ALICE, tips.id)
    assert [view.name for view in await saved.all(store_id, ALICE)] == ["all of Anna's"]


async def test_a_name_is_taken_once_by_each_person(shop: Shop, saved: SavedViews) -> None:
    store_id = shop.store.id
    await saved.save(store_id, ALICE, "Tips", FAILED)
    other = await saved.save(store_id, ALICE, "Other", FAILED)

    await saved.save(store_id, BOB, "Tips", FAILED)
    with pytest.raises(InvalidField, match="of this name"):
        await saved.save(store_id, ALICE, "TIPS", FAILED)
    with pytest.raises(InvalidField, match="of this name"):
        await saved.rename(store_id, ALICE, other.id, "tips")
    for name in ("", " \n ", "\u202e", "x" * (NAME_LIMIT + 1)):
        with pytest.raises(InvalidField, match="1 to 40"):
            await saved.save(store_id, ALICE, name, FAILED)
    for values in ({}, {"q": "x" * 3_000}):
        with pytest.raises(InvalidField, match="no filter"):
            await saved.save(store_id, ALICE, "nothing", values)


async def test_nobody_keeps_more_views_than_there_are_places(shop: Shop, saved: SavedViews) -> None:
    async def save(number: int) -> bool:
        try:
            await saved.save(shop.store.id, ALICE, f"view {number}", FAILED)
        except (LimitReached, InvalidField):
            return False
        return True

    for start in range(0, VIEWS_LIMIT, 10):
        await asyncio.gather(*map(save, range(start, start + 8)))
    for number in range(100, 100 + VIEWS_LIMIT):
        await save(number)

    assert len(await saved.all(shop.store.id, ALICE)) == VIEWS_LIMIT
    with pytest.raises(LimitReached, match="delete one first"):
        await saved.save(shop.store.id, ALICE, "one more", FAILED)
