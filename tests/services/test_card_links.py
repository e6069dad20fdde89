"""Programming and wiping cards: keys go out once, to whom they are for, and never by mistake."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models.card import Card, CardStage, CardState
from models.card_keys import CardKeys
from models.card_link import HandedKeys, LinkAction, MadeLink
from models.errors import CardLinkError, NotFoundError, RuleError, TapError
from models.pull_payment import PullPayment
from services.boltcards import NewCard
from services.card_links import MOST_TRIES
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.shop import ALICE, Shop, open_store

CHIP = bytes.fromhex("04a1b2c3d4e5f6")


@pytest.fixture
async def pull(shop: Shop) -> PullPayment:
    return await shop.pull_payment()


@pytest.fixture
async def card(shop: Shop, pull: PullPayment) -> Card:
    return await shop.container.boltcards.create(shop.store.id, NewCard("Anna", pull.id), ALICE)


async def link_for(shop: Shop, card: Card, action: LinkAction = LinkAction.PROGRAM) -> MadeLink:
    return await shop.container.card_links.make(shop.store.id, card.id, action, ALICE)


async def programmed(shop: Shop, card: Card, uid: bytes = CHIP) -> VirtualCard:
    """Do what the app does: fetch the keys and put them on a chip."""
    made = await link_for(shop, card)
    return chip(await shop.container.card_links.program(made.token, uid, None), uid)


def chip(handed: HandedKeys, uid: bytes = CHIP) -> VirtualCard:
    return VirtualCard(uid, handed.keys.k1, handed.keys.k2)


def read_of(virtual: VirtualCard) -> str:
    p, c = virtual.read()
    return f"lnurlw://pay.example.com/boltcard?p={p}&c={c}"


async def stage(shop: Shop, card: Card) -> CardStage:
    return (await shop.container.card_views.one(shop.store.id, card.id)).stage


async def refusal(asking: Any) -> str:
    with pytest.raises(RuleError) as caught:
        await asking
    assert isinstance(caught.value, CardLinkError | TapError)
    return caught.value.reason


async def test_a_card_is_programmed_and_shows_its_first_tap(shop: Shop, card: Card) -> None:
    seen = [await stage(shop, card)]
    virtual = await programmed(shop, card)
    seen.append(await stage(shop, card))
    with shop.container.hub.listen_store(shop.store.id) as hints:
        opened = await shop.tap(virtual)
        assert [getattr(hint, "card_id", None) for hint in await hints.wait(1)] == [card.id]

    story = await shop.container.card_views.story(shop.store.id, card.id)
    assert [*seen, story.view.stage] == ["unprogrammed", "awaiting_tap", "in_use"]
    assert opened.card.id == card.id
    assert [tap.counter for tap in story.newest] == [1]
    assert story.view.use.first_tap_at == story.view.last_seen_at == shop.clock.utc_now()
    assert story.view.uid == "••••••••••" + CHIP.hex()[-4:]


async def test_a_link_gives_its_keys_once_and_again_only_to_the_same_card_soon(
    shop: Shop, card: Card
) -> None:
    links, made = shop.container.card_links, await link_for(shop, card)
    first = await links.program(made.token, CHIP, None)

    assert await links.program(made.token, CHIP, None) == first
    assert await refusal(links.program(made.token, VirtualCard().uid, None)) == "used"
    assert await refusal(links.program(made.token, None, None)) == "used"
    shop.clock.advance(minutes=3)
    assert await refusal(links.program(made.token, CHIP, None)) == "used"


async def test_of_many_apps_with_one_link_one_gets_the_keys(shop: Shop, card: Card) -> None:
    made = await link_for(shop, card)
    asking = [
        shop.container.card_links.program(made.token, VirtualCard().uid, None) for _ in range(6)
    ]

    results = await asyncio.gather(*asking, return_exceptions=True)

    assert sum(isinstance(found, HandedKeys) for found in results) == 1
    assert all(isinstance(found, HandedKeys | CardLinkError) for found in results)


async def test_a_link_ends_with_time_with_a_newer_one_and_with_too_many_tries(
    shop: Shop, card: Card
) -> None:
    links = shop.container.card_links
    late = await link_for(shop, card)
    shop.clock.advance(minutes=15)
    assert await refusal(links.program(late.token, CHIP, None)) == "over"

    older, newer = await link_for(shop, card), await link_for(shop, card)
    assert await refusal(links.program(older.token, CHIP, None)) == "over"
    for _ in range(MOST_TRIES):
        assert await refusal(links.reset(newer.token, read_of(VirtualCard()), None))
    for token in (newer.token, "A" * 22, "x"):
        with pytest.raises(NotFoundError):
            await links.program(token, CHIP, None)
    assert await stage(shop, card) is CardStage.UNPROGRAMMED


async def test_a_chip_that_is_in_use_is_not_given_to_a_second_card(
    shop: Shop, card: Card, pull: PullPayment
) -> None:
    links = shop.container.card_links
    await programmed(shop, card)
    other = await shop.container.boltcards.create(shop.store.id, NewCard("Bob", pull.id), ALICE)

    made = await link_for(shop, other)

    assert await refusal(links.program(made.token, CHIP, None)) == "known_card"
    assert (await links.program(made.token, VirtualCard().uid, None)).alias == "Bob"


async def test_new_keys_shut_the_old_ones_out(shop: Shop, card: Card) -> None:
    old = await programmed(shop, card)
    await shop.tap(old)
    new = await programmed(shop, card)

    assert new.k2 != old.k2
    with pytest.raises(TapError):
        await shop.tap(old)
    assert (await shop.tap(new)).card.id == card.id
    made = await link_for(shop, card)
    stranger = shop.container.card_links.program(made.token, VirtualCard().uid, None)
    assert await refusal(stranger) == "other_card"


async def test_a_card_is_wiped_against_a_fresh_read_of_it_and_can_begin_anew(
    shop: Shop, card: Card, pull: PullPayment
) -> None:
    links, virtual = shop.container.card_links, await programmed(shop, card)
    early = read_of(virtual)
    await shop.tap(virtual)
    made = await link_for(shop, card, LinkAction.RESET)

    assert await refusal(links.reset(made.token, early, None)) == "replay"
    assert await refusal(links.reset(made.token, read_of(VirtualCard()), None)) == "unknown_card"
    assert await refusal(links.program(made.token, CHIP, None)) == "other_action"
    handed = await links.reset(made.token, read_of(virtual), None)

    assert chip(handed).k2 == virtual.k2
    assert await stage(shop, card) is CardStage.WIPED
    assert await refusal(shop.tap(virtual)) == "card_disabled"
    other = await shop.container.boltcards.create(shop.store.id, NewCard("Bob", pull.id), ALICE)
    assert (await shop.tap(await programmed(shop, other))).card.id == other.id


async def test_a_wiped_card_works_again_after_programming(shop: Shop, card: Card) -> None:
    links, old = shop.container.card_links, await programmed(shop, card)
    made = await link_for(shop, card, LinkAction.RESET)
    await links.reset(made.token, read_of(old), None)

    new = await programmed(shop, card)

    opened = await shop.tap(new)
    assert (opened.card.id, opened.card.state) == (card.id, CardState.ACTIVE)
    story = await shop.container.card_views.story(shop.store.id, card.id)
    assert [version.is_current for version in story.versions] == [True, False]


async def test_old_keys_that_are_still_on_a_chip_can_be_taken_off(shop: Shop, card: Card) -> None:
    left = await programmed(shop, card)
    await programmed(shop, card)
    made = await link_for(shop, card, LinkAction.RESET)

    handed = await shop.container.card_links.reset(made.token, read_of(left), None)

    assert (handed.version, handed.keys.k2) == (0, left.k2)
    assert await stage(shop, card) is CardStage.AWAITING_TAP


async def test_an_app_that_does_not_say_the_uid_leaves_it_to_the_first_tap(
    shop: Shop, card: Card
) -> None:
    made = await link_for(shop, card)

    virtual = chip(await shop.container.card_links.program(made.token, None, None))

    assert (await shop.tap(virtual)).card.id == card.id
    shown = await shop.container.card_views.one(shop.store.id, card.id, shows_uid=True)
    assert shown.uid == CHIP.hex()


async def test_nothing_of_a_link_or_key_is_kept_in_clear_and_each_act_is_recorded(
    shop: Shop, card: Card, beneath: Raw
) -> None:
    made = await link_for(shop, card)
    handed = await shop.container.card_links.program(made.token, CHIP, "10.0.0.7")
    await shop.container.card_links.show_keys(shop.store.id, card.id, ALICE)

    rows = beneath.rows("SELECT * FROM card_links") + beneath.rows("SELECT * FROM audit")
    kept = " ".join(map(str, rows)) + str(beneath.rows("SELECT keys_sealed FROM key_sets"))
    secrets = [made.token, CHIP.hex(), *(getattr(handed.keys, name).hex() for name in KEYS)]
    assert not [secret for secret in secrets if secret in kept]
    acts = [row[0] for row in beneath.rows("SELECT action FROM audit ORDER BY number")]
    assert acts[-3:] == ["card.link_made", "card.keys_handed_out", "card.keys_shown"]
    assert await stage(shop, card) is CardStage.WIPED


KEYS = CardKeys.__slots__


async def test_a_link_is_made_for_a_card_of_the_own_store_only(shop: Shop, card: Card) -> None:
    other = await open_store(shop.container, name="Next door")
    links = shop.container.card_links

    for store_id, card_id in ((other.id, card.id), (shop.store.id, "bc_nobody")):
        with pytest.raises(NotFoundError):
            await links.make(store_id, card_id, LinkAction.PROGRAM, ALICE)
        with pytest.raises(NotFoundError):
            await links.show_keys(store_id, card_id, ALICE)
        with pytest.raises(NotFoundError):
            await shop.container.card_views.story(store_id, card_id)
    assert await shop.container.card_views.newest(other.id, 10) == []
    assert await refusal(links.make(shop.store.id, card.id, LinkAction.RESET, ALICE)) == (
        "nothing_to_reset"
    )


async def test_what_a_list_shows_is_what_a_card_drew(shop: Shop, card: Card) -> None:
    boltcards, views = shop.container.boltcards, shop.container.card_views
    await boltcards.change(shop.store.id, card.id, ALICE, active=False)

    (shown,) = await views.newest(shop.store.id, 10)

    assert shown.stage is CardStage.BLOCKED
    assert shown == replace(shown, payouts=0, paid_sats=0)
    assert (shown.use.pull_payment_name, shown.use.version, shown.uid) == ("Tips", 0, None)
