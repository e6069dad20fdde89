"""Every page: for every role of its store, and with the ids of another store in its address."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from app.pages.dashboard import Dashboard
from app.pages.register import PLACES
from app.pages.shell import Shell
from app.pages.visit import Visit
from models.permission import ALLOWED, Permission
from models.store import Role
from tests.app.doors.page_acts import Things, begin_session, open_tab, set_an_authenticator_up
from tests.app.doors.test_every_act import staged
from tests.components.pages import paper
from tests.support.shop import Shop, open_store


def addresses(things: Things) -> dict[str, str]:
    """Return the address of every path of every page, with things in place of names."""
    names = {
        "payout_id": next(iter(things.payouts.values())),
        "pull_payment_id": things.pull_id,
        "card_id": things.card_id,
    }
    return {
        path: re.sub(r"{(\w+)}", lambda found: names[found[1]], path)
        for place in PLACES
        for path in place.paths
    }


@pytest.mark.parametrize("role", Role)
async def test_a_role_is_shown_the_pages_that_the_table_says(shop: Shop, role: Role) -> None:
    async with staged(shop) as stage:
        stage.visit.caller = replace(stage.visit.caller, role=role)
        shell, known = Shell(stage.visit, PLACES), addresses(stage.things)

        for place in PLACES:
            for path in place.paths:
                found, _, _ = shell._find(known[path])
                assert found is (place if role in ALLOWED[place.permission] else PLACES[0])


@pytest.mark.parametrize("role", Role)
async def test_whoever_decides_is_told_that_a_password_is_little(shop: Shop, role: Role) -> None:
    async with staged(shop) as stage:
        stage.visit.caller = replace(stage.visit.caller, role=role)
        await stage.visit.look_at_factor()

        assert stage.visit.lacks_factor is (role in ALLOWED[Permission.APPROVE])
        await set_an_authenticator_up(stage)
        await stage.visit.look_at_factor()
        assert not stage.visit.lacks_factor


async def shown(visit: Visit, address: str) -> str:
    """Open a page as a tab does, and return all that the browser would be sent."""
    shell = Shell(visit, PLACES)
    place, names, query = shell._find(address)
    gone_to: list[str] = []
    visit.go = gone_to.append
    view = place.build(visit, names, query)
    await view.connected()
    for follow in gone_to:
        await shown(visit, follow)
    view.gone()
    return f"{[each._to_dict() for each in visit.client.elements.values()]}"


async def test_a_page_of_another_stores_thing_shows_nothing_of_it(shop: Shop) -> None:
    other = await open_store(shop.container, name="Next door", owner_email="n@example.com")
    async with staged(shop, at=other) as stage:
        things = stage.things
        secrets = {things.pull_id, things.card_id, things.key.id, things.member_id, "Tips"}
        secrets |= {"Alice", "bob@example.com", *things.payouts.values()}
        for address in addresses(things).values():
            found = await shown(stage.visit, address)
            assert not [each for each in secrets if each in found], address
        stage.visit.boards.close()

        # The same pages show them to whoever belongs here.
        caller, own = await begin_session(shop, things.owner_id, shop.store), ""
        with paper() as page:
            visit = open_tab(shop, caller, shop.store, page)
            for address in addresses(things).values():
                own += await shown(visit, address)
            visit.boards.close()
        assert {each for each in secrets if each in own} >= {"Tips", "Alice", "bob@example.com"}


async def test_a_dashboard_is_loaded_with_its_figures_and_rows(shop: Shop) -> None:
    async with staged(shop) as stage:
        payout_id = next(iter(stage.things.payouts.values()))
        loaded = {}
        for query in ({}, {"q": "Alice"}):
            view = Dashboard(stage.visit, query, None)
            await view.show_early()
            elements = stage.visit.client.elements.values()
            loaded[query.get("q")] = f"{[each._to_dict() for each in elements]}"
            stage.visit.client.content.clear()

    assert f'"id": "{payout_id}"' in loaded[None]
    assert 'class="count"></span>' not in loaded[None]
    # A search may take long, and is shown when the browser is there.
    assert payout_id not in loaded["Alice"]
    assert 'class="count"></span>' in loaded["Alice"]
