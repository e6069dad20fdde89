"""Every act of every page: tried by whoever lost the right to it, and at another store's things."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from app.pages.people import PeoplePage
from models.errors import Forbidden, ServiceError
from models.flash import ConnectionTest, FlashConnection, WalletInfo
from models.permission import ALLOWED, ASKS_AGAIN
from models.session import SessionEnd
from models.store import Role, Store
from services.connections import Connections
from tests.app.doors.page_acts import (
    ACTS,
    PageAct,
    Stage,
    begin_session,
    open_tab,
    take_an_invitation_back,
    things_in,
)
from tests.components.pages import paper
from tests.support.databases import Raw
from tests.support.rules.rights import sites_without
from tests.support.rules.source import read_sources
from tests.support.shop import Shop, open_store
from tests.support.visitor import PASSWORD

ROOT = Path(__file__).resolve().parents[3]
# That somebody was here, which is no change that anybody asked for.
_SEEN = {"sessions": "seen_at"}


class Obliging(Connections):
    """Says of every credential that it works."""

    async def test(self, connection: FlashConnection, currency: str) -> ConnectionTest:
        del connection, currency
        wallet = WalletInfo("flash-wallet", "USD", 0)
        return ConnectionTest(
            wallet, is_sandbox=False, reads_statement=True, socket_answers=True, took_ms=1
        )


@asynccontextmanager
async def staged(shop: Shop, *, at: Store | None = None) -> AsyncIterator[Stage]:
    """Have the owner of a store look at a page of it, with the things of the shop at hand."""
    container = shop.container
    (owner,) = await container.doors.people.members(shop.store.id)
    things = await things_in(shop, shop.store, owner.user_id)
    parts = (container.database, container.vault, container.clock, container.ids)
    container.connections = Obliging(*parts, ("https://flash.example", "wss://flash.example"))
    store = at or shop.store
    members = await container.doors.people.members(store.id)
    (owner,) = [member for member in members if member.role is Role.OWNER]
    caller = await begin_session(shop, owner.user_id, store)
    with paper() as page:
        yield Stage(shop, open_tab(shop, caller, store, page), things)


async def tried(each: PageAct, stage: Stage) -> None:
    """Have an act done as a browser would, whether or not its button is shown."""
    stage.visit.asked.clear()
    with contextlib.suppress(ServiceError):
        await each.do(stage)
    await asyncio.sleep(0)


def kept(beneath: Raw, store: Store | None = None) -> dict[str, Any]:
    """Return all rows, or all of a store."""
    found = {}
    for table in SQLModel.metadata.sorted_tables:
        names = [each.name for each in table.columns if each.name != _SEEN.get(table.name)]
        where = f" WHERE store_id = '{store.id}'" if store and "store_id" in names else ""
        if store is None or where:
            rows = beneath.rows(f"SELECT {', '.join(names)} FROM {table.name}{where}")
            found[table.name] = sorted(rows, key=str)
    return found


def is_refused(each: PageAct, stage: Stage) -> bool:
    """Tell whether the right was asked for where the act is done, and was not there."""
    return bool(stage.visit.asked) and not any(
        each.site in askers and was_there for askers, _, was_there in stage.visit.asked
    )


def test_every_way_to_an_actor_begins_with_an_act_of_the_table() -> None:
    sources = [each for each in read_sources(ROOT) if each.is_in("app/pages")]

    assert sites_without(sources, {each.site for each in ACTS}) == []
    known = {each.site for each in ACTS}
    assert sites_without(sources, known - {"shell.Shell._stop"}) == ["shell.Shell._stop"]
    live = {each for each in known if each != "account.AccountPage._end"}
    assert sites_without(sources, live) == ["account.AccountPage._live"]


async def test_every_act_does_something_for_whoever_may(shop: Shop, beneath: Raw) -> None:
    async with staged(shop) as stage:
        for each in ACTS:
            beneath.run("UPDATE wallets SET gate = 'shut', gate_reason = 'look'")
            before = kept(beneath)
            await tried(each, stage)

            asked = [
                (each.permission, was_there)
                for askers, permission, was_there in stage.visit.asked
                if each.site in askers and permission is each.permission
            ]
            assert asked, f"{each.site} did not ask for {each.permission}"
            assert all(was_there for _, was_there in asked), each.site
            assert (kept(beneath) != before) is each.changes, each


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.OWNER])
async def test_an_open_page_does_nothing_that_its_role_no_longer_allows(
    shop: Shop, beneath: Raw, role: Role
) -> None:
    async with staged(shop) as stage:
        who = stage.visit.caller.person_id
        beneath.run(f"UPDATE memberships SET role = '{role}' WHERE user_id = '{who}'")
        before = kept(beneath)

        tries = [each for each in ACTS if role not in ALLOWED[each.permission]]
        for each in tries:
            await tried(each, stage)
            assert is_refused(each, stage), each.site
        assert len(tries) > 5
        assert kept(beneath) == before


@pytest.mark.parametrize("lost", ["ended", "another store"])
async def test_an_open_page_does_nothing_once_its_session_is_over_or_elsewhere(
    shop: Shop, beneath: Raw, lost: str
) -> None:
    async with staged(shop) as stage:
        session, sessions = stage.visit.caller.session, shop.container.doors.sessions
        assert session is not None
        if lost == "ended":
            await sessions.end(session.id, SessionEnd.ENDED, stage.visit.caller.actor)
        else:
            other = await open_store(shop.container, name="Second")
            await sessions.choose_store(session, other.id)
        before = kept(beneath)

        for each in ACTS:
            await tried(each, stage)
            assert is_refused(each, stage), each.site
        assert kept(beneath) == before


async def test_what_decides_for_good_asks_for_the_password_again(shop: Shop, beneath: Raw) -> None:
    async with staged(shop) as stage:
        shop.clock.advance(minutes=11)
        before = kept(beneath)

        tries = [each for each in ACTS if each.changes and each.permission in ASKS_AGAIN]
        for each in tries:
            await tried(each, stage)
        assert len(tries) > 10
        assert kept(beneath) == before

        wanted = {"email": "new@example.com", "role": "viewer"}
        page = PeoplePage(stage.visit)
        assert not await page._make_link(wanted | {"password": "not the one"})
        assert await page._make_link(wanted | {"password": PASSWORD})
        await tried(next(each for each in tries if each.do is take_an_invitation_back), stage)
        assert {"audit", "links", "sessions"} <= _changed(before, kept(beneath))


async def test_a_developer_makes_keys_that_allow_no_more_than_they_may(
    shop: Shop, beneath: Raw
) -> None:
    async with staged(shop) as stage:
        who, api_keys = stage.visit.caller.person_id, shop.container.doors.api_keys
        beneath.run(f"UPDATE memberships SET role = 'developer' WHERE user_id = '{who}'")
        stage.visit.caller = replace(stage.visit.caller, role=Role.DEVELOPER)
        panel = PeoplePage(stage.visit)._keys
        assert panel is not None
        wanted = {"role": "viewer", "days": "30"}

        assert await panel._make(wanted | {"name": "Look"})
        assert not await panel._make(wanted | {"name": "More", "scope.export": "on"})
        made = next(key for key in await api_keys.list_of(shop.store.id) if key.name == "Look")
        await panel._replace(made)
        with pytest.raises(Forbidden):
            await panel._replace(stage.things.key)

        assert made.scopes == "read"
        assert {key.scopes for key in await api_keys.list_of(shop.store.id)} == {"read", None}


def _changed(before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    return {table for table in now if now[table] != before[table]}


async def test_no_act_reaches_the_things_of_another_store(shop: Shop, beneath: Raw) -> None:
    wanted = {"name": "Next door", "owner_email": "n@example.com", "password": PASSWORD}
    other = await open_store(shop.container, **wanted)
    async with staged(shop, at=other) as stage:
        before = kept(beneath, shop.store)

        for each in ACTS:
            await tried(each, stage)
        assert kept(beneath, shop.store) == before
