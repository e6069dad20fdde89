"""Stores and keys: made once, asked for often, and good for one store only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.errors import InvalidField, Unauthenticated
from models.store import DatabaseKind, Role
from services.stores import NewStore, StoreAndOwner
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store

NEW = {"name": "Bar", "owner_email": "bob@example.com"}


async def init(shop: Shop, **changes: Any) -> StoreAndOwner:
    return await shop.container.stores.init(NewStore(**NEW | changes), DatabaseKind.REAL)


async def key(shop: Shop, role: Role = Role.MANAGER, days: int | None = None) -> str:
    return await shop.container.stores.create_api_key(shop.store.id, "till", role, days)


async def test_making_a_store_again_answers_the_same(shop: Shop, beneath: Raw) -> None:
    first = await init(shop)

    again = await init(shop, owner_email=" BOB@example.com ", name=" Bar ")

    assert again == first
    assert beneath.value("SELECT count(*) FROM stores") == 2


async def test_an_owner_may_have_several_stores(shop: Shop) -> None:
    first, second = await init(shop), await init(shop, name="Club")

    assert first.user_id == second.user_id
    assert first.store_id != second.store_id


async def test_the_first_store_is_the_operators(shop: Shop) -> None:
    made = await init(shop)

    stores = {store.id: store.is_first for store in await shop.container.stores.all()}

    assert stores == {shop.store.id: True, made.store_id: False}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "store"),
        ({"name": "x" * 101}, "store"),
        ({"owner_email": "bob"}, "owner"),
        ({"owner_email": "b ob@example.com"}, "owner"),
        ({"currency": "DOLLARS"}, "currency"),
        ({"currency": "$"}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"password": "short"}, "password"),
    ],
    ids=str,
)
async def test_a_store_that_cannot_be_is_refused_by_its_field(
    shop: Shop, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await init(shop, **changes)

    assert caught.value.field == field


async def test_a_password_is_kept_as_a_hash(shop: Shop, beneath: Raw) -> None:
    await init(shop, password="correct horse battery")

    kept = beneath.value("SELECT password_hash FROM users WHERE email = 'bob@example.com'")

    assert kept.startswith("$argon2id$")


async def test_a_key_says_which_store_and_role_it_is_good_for(shop: Shop) -> None:
    shown = await key(shop)

    found = await shop.container.stores.authenticate(shown)

    assert (found.store_id, found.role, found.name) == (shop.store.id, Role.MANAGER, "till")


async def test_only_a_hash_of_a_key_is_kept(shop: Shop, beneath: Raw) -> None:
    shown = await key(shop)

    kept = str(beneath.rows("SELECT * FROM api_keys"))

    assert shown not in kept
    assert shown[-40:] not in kept


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shown: shown[:0],
        lambda shown: shown[:-1],
        lambda shown: shown + "x",
        lambda shown: shown.swapcase(),
        lambda shown: shown.replace("fp_", "fq_"),
        lambda shown: shown[: shown.rindex("_") + 1],
        lambda shown: "fp_ak_" + "0" * 26 + shown[32:],
        lambda shown: "fp_" + shown,
        lambda shown: shown[3:],
        lambda shown: shown[:5] + "é" * 75,
    ],
)
async def test_what_only_resembles_a_key_is_none(shop: Shop, spoil: Any) -> None:
    with pytest.raises(Unauthenticated):
        await shop.container.stores.authenticate(spoil(await key(shop)))


async def test_a_key_ends_with_its_days(shop: Shop) -> None:
    shown = await key(shop, days=90)
    shop.clock.advance(days=89, hours=23)
    assert (await shop.container.stores.authenticate(shown)).expires_at == NOON + timedelta(days=90)

    shop.clock.advance(hours=1)

    with pytest.raises(Unauthenticated, match="expired"):
        await shop.container.stores.authenticate(shown)


async def test_a_revoked_key_is_refused(shop: Shop, beneath: Raw) -> None:
    shown = await key(shop)
    beneath.run("UPDATE api_keys SET revoked_at = 1")

    with pytest.raises(Unauthenticated, match="revoked"):
        await shop.container.stores.authenticate(shown)


async def test_the_last_use_of_a_key_is_written_once_a_minute(shop: Shop, beneath: Raw) -> None:
    shown = await key(shop)
    uses = []
    for seconds in (0, 30, 31):
        shop.clock.advance(seconds=seconds)
        await shop.container.stores.authenticate(shown)
        uses.append(beneath.value("SELECT last_used_at FROM api_keys"))

    assert uses[0] == uses[1] < uses[2]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"store_id": "st_nobody"}, "store"),
        ({"name": " "}, "name"),
        ({"role": Role.AUDITOR}, "role"),
        ({"days": 0}, "days"),
        ({"days": 3651}, "days"),
    ],
    ids=str,
)
async def test_a_key_that_cannot_be_is_refused_by_its_field(
    shop: Shop, changes: dict[str, Any], field: str
) -> None:
    given = {"store_id": shop.store.id, "name": "till", "role": Role.OWNER, "days": None}

    with pytest.raises(InvalidField) as caught:
        await shop.container.stores.create_api_key(**given | changes)

    assert caught.value.field == field


async def test_who_did_what_is_numbered_without_gaps(shop: Shop, beneath: Raw) -> None:
    for _ in range(3):
        await key(shop)
    await open_store(shop.container, name="Next door")

    rows = beneath.rows("SELECT store_id, number FROM audit ORDER BY store_id, number")

    for store in await shop.container.stores.all():
        numbers = [number for store_id, number in rows if store_id == store.id]
        assert numbers == list(range(1, len(numbers) + 1))
