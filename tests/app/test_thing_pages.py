"""The pages of pull payments and cards ask for permission where they act, not where they draw."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.auth import Caller
from app.live import Boards
from app.pages.boltcard import BoltcardPage
from app.pages.boltcards import BoltcardsPage
from app.pages.follower import Follower
from app.pages.pull_payment import PullPaymentPage
from app.pages.pull_payments import PullPaymentsPage
from app.pages.reach import reach_words
from app.pages.visit import Visit
from models.card import CardStage
from models.card_link import LinkAction
from models.errors import Forbidden, UnavailableError
from models.store import DatabaseKind, Role
from services.pull_payments import PullPaymentChange
from tests.components.pages import paper
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.shop import ALICE, Shop, settings_for

FORM = {"name": "Tips", "amount": "5,000", "currency": "SATS", "auto_approve": "yes"}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@contextmanager
def visited(shop: Shop, role: Role, gone_to: list[str] | None = None) -> Iterator[Visit]:
    """Open a tab that somebody of a role looks at."""
    with paper() as page:
        caller = Caller(shop.store.id, role, ALICE)
        boards = Boards(shop.container.hub)
        go = ([] if gone_to is None else gone_to).append
        yield Visit(shop.container, boards, caller, shop.store, page.client, go)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
async def test_who_may_only_look_changes_nothing_whatever_the_browser_sends(
    shop: Shop, beneath: Raw, role: Role
) -> None:
    pull = await shop.pull_payment()
    card = await shop.card(VirtualCard(), pull)
    before = beneath.rows("SELECT * FROM audit")
    with visited(shop, role) as visit:
        one, chip = PullPaymentPage(visit, pull.id), BoltcardPage(visit, card.id, programs=False)

        assert not await PullPaymentsPage(visit)._make(FORM)
        assert not await BoltcardsPage(visit)._make({"alias": "Bob", "pull_payment_id": pull.id})
        for act in (
            one._change(PullPaymentChange(new_link=True)),
            chip._change(active=False),
            chip._offer_link(LinkAction.PROGRAM),
            chip._show_keys(),
        ):
            with pytest.raises(Forbidden):
                await act

    assert beneath.rows("SELECT * FROM audit") == before
    assert beneath.value("SELECT count(*) FROM card_links") == 0


async def test_a_manager_makes_a_pull_payment_and_cards_and_is_led_to_them(shop: Shop) -> None:
    gone_to: list[str] = []
    virtual = VirtualCard()
    with visited(shop, Role.MANAGER, gone_to) as visit:
        pulls, cards = PullPaymentsPage(visit), BoltcardsPage(visit)

        assert await pulls._make(FORM | {"expires_at": "2026-12-24T18:00"})
        (pull,) = await shop.container.pull_payments.views(shop.store.id, 5)
        given: dict[str, Any] = {"alias": "Bob", "pull_payment_id": pull.pull_payment.id}
        assert await cards._make(given | {"keys": "link"})
        shop.clock.advance(seconds=1)
        keys = {"k1": virtual.k1.hex(), "k2": virtual.k2.hex(), "uid": virtual.uid.hex(":")}
        assert await cards._make(given | {"alias": "Eve", "keys": "by_hand"} | keys)
        assert not await cards._make(given | {"alias": "Mallory", "keys": "by_hand", "k1": "zz"})
        await asyncio.sleep(0)

    assert str(pull.pull_payment.expires_at) == "2026-12-24 18:00:00+00:00"
    by_hand, by_link = await shop.container.card_views.newest(shop.store.id, 5)
    assert (by_hand.stage, by_link.stage) == (CardStage.AWAITING_TAP, CardStage.UNPROGRAMMED)
    assert (await shop.tap(virtual)).card.id == by_hand.card.id
    assert gone_to == [
        f"/pull-payments/{pull.pull_payment.id}",
        f"/boltcards/{by_link.card.id}?program=1",
        f"/boltcards/{by_hand.card.id}",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "12.5"}, "amount"),
        ({"currency": "EUR"}, "currency"),
        ({"name": ""}, "name"),
        ({"min_sats": "a few"}, "min_sats"),
        ({"min_sats": "10", "max_sats": "9"}, "max_sats"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
    ],
    ids=str,
)
async def test_an_answer_that_cannot_be_is_said_at_its_field(
    shop: Shop, changes: dict[str, str], field: str
) -> None:
    with visited(shop, Role.OWNER) as visit:
        pulls = PullPaymentsPage(visit)
        pulls._ask()

        assert not await pulls._make(FORM | changes)

        said = {name: place.text for name, place in pulls._form._errors.items() if place.text}
        assert set(said) == {field}
        assert said[field].endswith(".")


@pytest.mark.parametrize(
    ("public_url", "kind", "said"),
    [
        ("", DatabaseKind.REAL, "Set FLASH_PAYOUTS_PUBLIC_URL"),
        ("", DatabaseKind.DEMO, "Links of the demo lead to this machine"),
        ("https://pay.example.com", DatabaseKind.REAL, ""),
    ],
)
def test_a_page_says_when_phones_cannot_reach_its_links(
    tmp_path: Path, public_url: str, kind: DatabaseKind, said: str
) -> None:
    settings = settings_for("sqlite:///x.db", tmp_path, public_url=public_url)
    container = SimpleNamespace(settings=settings, kind=kind)

    words = reach_words(container)  # type: ignore[arg-type]

    assert said in words
    assert bool(said) is bool(words)


async def test_a_database_that_is_away_is_said_and_asked_again(shop: Shop) -> None:
    with visited(shop, Role.OWNER) as visit:
        seen: list[str] = []

        async def read() -> str:
            if not seen:
                seen.append("away")
                raise UnavailableError
            return "back"

        follower = Follower(visit, "question", read, seen.append)
        await follower.join()
        await follower.join()
        follower.leave()

    assert seen == ["away", "back"]
