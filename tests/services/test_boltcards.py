"""Cards: how they are added, and that only a fresh read of a known card opens anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models.errors import InvalidField, NotFoundError, TapError
from models.pull_payment import PullPayment
from services.boltcards import Boltcards, NewCard
from services.card_crypto import TapQuery, parse_tap
from services.storage import card as cards
from services.storage.statement import Transaction
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.shop import ALICE, Shop, open_store


@pytest.fixture
async def pull(shop: Shop) -> PullPayment:
    return await shop.pull_payment(auto_approve=False)


@pytest.fixture
async def card(shop: Shop, pull: PullPayment) -> VirtualCard:
    virtual = VirtualCard()
    await shop.card(virtual, pull)
    return virtual


async def refusal(tapping: Any) -> str:
    with pytest.raises(TapError) as caught:
        await tapping
    return caught.value.reason


def counter(beneath: Raw) -> int:
    return int(beneath.value("SELECT last_counter FROM key_sets"))


async def test_a_fresh_read_opens_a_withdrawal(
    shop: Shop, card: VirtualCard, pull: PullPayment, beneath: Raw
) -> None:
    opened = await shop.container.boltcards.take_tap(card.tap(), "hint")

    assert opened.card.alias == "Alice"
    assert opened.pull_payment.id == pull.id
    assert len(bytes.fromhex(opened.k1)) == 16
    assert counter(beneath) == 1
    assert beneath.value("SELECT hint FROM taps") == "hint"


async def test_counters_may_jump_but_never_go_back(
    shop: Shop, card: VirtualCard, beneath: Raw
) -> None:
    take = shop.container.boltcards.take_tap
    old = parse_tap(*card.reading(5))
    await take(parse_tap(*card.reading(9)), None)

    assert await refusal(take(old, None)) == "replay"
    assert await refusal(take(parse_tap(*card.reading(9)), None)) == "replay"
    assert counter(beneath) == 9


async def test_of_many_readers_with_one_read_one_is_served(
    shop: Shop, card: VirtualCard, beneath: Raw
) -> None:
    read = card.tap()
    taking = [shop.container.boltcards.take_tap(read, None) for _ in range(12)]

    results = await asyncio.gather(*taking, return_exceptions=True)

    refused = [found for found in results if isinstance(found, TapError)]
    assert {error.reason for error in refused} == {"replay"}
    assert len(refused) == 11
    assert beneath.value("SELECT count(*) FROM taps") == 1


async def test_a_forged_c_opens_nothing_and_leaves_the_counter(
    shop: Shop, card: VirtualCard, beneath: Raw
) -> None:
    take = shop.container.boltcards.take_tap
    read = card.tap()
    forged = TapQuery(read.p, bytes([read.c[0] ^ 1]) + read.c[1:])

    assert await refusal(take(forged, None)) == "unknown_card"
    assert counter(beneath) == 0
    assert (await take(read, None)).card.alias == "Alice"


async def test_a_c_of_another_read_opens_nothing(
    shop: Shop, card: VirtualCard, beneath: Raw
) -> None:
    first, second = card.tap(), card.tap()

    asked = shop.container.boltcards.take_tap(TapQuery(second.p, first.c), None)

    assert await refusal(asked) == "unknown_card"
    assert counter(beneath) == 0


async def test_a_card_of_nobody_is_not_known(shop: Shop, card: VirtualCard) -> None:
    stranger = VirtualCard()
    twin = VirtualCard(uid=card.uid)
    cousin = VirtualCard(k1=card.k1)

    for unknown in (stranger, twin, cousin):
        asked = shop.container.boltcards.take_tap(unknown.tap(), None)
        assert await refusal(asked) == "unknown_card"


async def test_a_card_that_is_switched_off_opens_nothing_until_it_is_on_again(
    shop: Shop, card: VirtualCard, beneath: Raw
) -> None:
    boltcards = shop.container.boltcards
    (found,) = await boltcards.page(shop.store.id, 10, None)
    await boltcards.change(shop.store.id, found.id, ALICE, active=False)

    assert await refusal(boltcards.take_tap(card.tap(), None)) == "card_disabled"
    assert counter(beneath) == 0

    await boltcards.change(shop.store.id, found.id, ALICE, active=True)
    assert (await boltcards.take_tap(card.tap(), None)).card.id == found.id


async def test_a_card_shows_its_uid_at_its_first_good_tap(shop: Shop, pull: PullPayment) -> None:
    virtual = VirtualCard()
    added = await shop.card(virtual, pull, knows_uid=False)
    assert shop.container.boltcards.uid_of(added) is None

    opened = await shop.container.boltcards.take_tap(virtual.tap(), None)

    assert shop.container.boltcards.uid_of(opened.card) == virtual.uid.hex()
    read = shop.container.database.read
    found = await read(cards.find_uid, shop.container.boltcards.uid_hash(virtual.uid))
    assert found == opened.card


async def test_cards_that_share_k1_are_told_apart_by_their_k2(
    shop: Shop, pull: PullPayment
) -> None:
    one = VirtualCard()
    other = VirtualCard(k1=one.k1)
    await shop.card(one, pull, "Alice", knows_uid=False)
    await shop.card(other, pull, "Bob", knows_uid=False)

    for virtual, alias in ((other, "Bob"), (one, "Alice"), (other, "Bob")):
        opened = await shop.container.boltcards.take_tap(virtual.tap(), None)
        assert opened.card.alias == alias


async def test_a_restart_knows_all_cards(shop: Shop, card: VirtualCard) -> None:
    container = shop.container
    restarted = Boltcards(container.database, container.vault, container.clock, container.ids)
    await restarted.load_keys()

    assert (await restarted.take_tap(card.tap(), None)).card.alias == "Alice"


async def test_a_card_added_by_another_instance_is_found(shop: Shop, pull: PullPayment) -> None:
    container = shop.container
    other = Boltcards(container.database, container.vault, container.clock, container.ids)
    await other.load_keys()
    virtual = VirtualCard()
    await shop.card(virtual, pull)

    assert (await other.take_tap(virtual.tap(), None)).card.alias == "Alice"


async def test_strangers_cannot_make_us_read_all_keys_again_and_again(
    shop: Shop, card: VirtualCard, pull: PullPayment
) -> None:
    container = shop.container
    other = Boltcards(container.database, container.vault, container.clock, container.ids)
    await refusal(other.take_tap(VirtualCard().tap(), None))
    newest = VirtualCard()
    await shop.card(newest, pull, "Bob")

    assert await refusal(other.take_tap(newest.tap(), None)) == "unknown_card"
    shop.clock.advance(seconds=5)
    assert (await other.take_tap(newest.tap(), None)).card.alias == "Bob"


async def test_keys_that_are_not_given_are_made_and_never_shown(
    shop: Shop, pull: PullPayment, beneath: Raw
) -> None:
    uid = VirtualCard().uid
    boltcards = shop.container.boltcards
    made = await boltcards.create(shop.store.id, NewCard("Alice", pull.id, uid), ALICE)

    def keys_of(tx: Transaction) -> Any:
        found = cards.current_keys(tx, shop.store.id, made.id)
        assert found is not None
        return boltcards.key_sets.open(found)

    keys = await shop.container.database.read(keys_of)
    virtual = VirtualCard(uid=uid, k1=keys.k1, k2=keys.k2)
    assert (await boltcards.take_tap(virtual.tap(), None)).card.id == made.id
    kept = bytes(beneath.value("SELECT keys_sealed FROM key_sets"))
    assert keys.k2 not in kept
    assert keys.k2.hex().encode() not in kept


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"alias": " "}, "alias"),
        ({"alias": "x" * 61}, "alias"),
        ({"alias": "ALICE "}, "alias"),
        ({"pull_payment_id": "pp_nobody"}, "pull_payment_id"),
        ({"uid": b"known"}, "uid"),
    ],
    ids=str,
)
async def test_a_card_that_cannot_be_added_is_refused_by_its_field(
    shop: Shop, card: VirtualCard, pull: PullPayment, changes: dict[str, Any], field: str
) -> None:
    if "uid" in changes:
        changes = {"uid": card.uid}
    wanted = replace(VirtualCard().as_new("Bob", pull.id), **changes)

    with pytest.raises(InvalidField) as caught:
        await shop.container.boltcards.create(shop.store.id, wanted, ALICE)

    assert caught.value.field == field
    assert len(await shop.container.boltcards.page(shop.store.id, 10, None)) == 1


async def test_a_card_moves_to_another_pull_payment_and_name(shop: Shop, card: VirtualCard) -> None:
    boltcards = shop.container.boltcards
    (found,) = await boltcards.page(shop.store.id, 10, None)
    other = await shop.pull_payment(name="Other")

    changed = await boltcards.change(
        shop.store.id, found.id, ALICE, alias="Bob", pull_payment_id=other.id
    )

    assert changed == replace(found, alias="Bob", pull_payment_id=other.id)
    opened = await boltcards.take_tap(card.tap(), None)
    assert (opened.card.alias, opened.pull_payment.id) == ("Bob", other.id)


async def test_a_card_is_invisible_to_other_stores(
    shop: Shop, card: VirtualCard, pull: PullPayment
) -> None:
    boltcards = shop.container.boltcards
    (found,) = await boltcards.page(shop.store.id, 10, None)
    other = await open_store(shop.container, name="Next door")

    assert await boltcards.page(other.id, 10, None) == []
    with pytest.raises(NotFoundError):
        await boltcards.read(other.id, found.id)
    with pytest.raises(NotFoundError):
        await boltcards.change(other.id, found.id, ALICE, active=False)
    with pytest.raises(InvalidField):
        await boltcards.create(other.id, VirtualCard().as_new("Bob", pull.id), ALICE)


async def test_two_stores_may_use_one_alias(shop: Shop, card: VirtualCard) -> None:
    store = await open_store(shop.container, name="Next door")
    other = Shop(shop.container, shop.clock, store)

    made = await other.card(VirtualCard(), await other.pull_payment(), "Alice")

    assert made.store_id == store.id
