"""The first set-up, invitations, roles, and that an owner always stays."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.container import build
from models.errors import NotFoundError, RuleError
from models.record import EntryFilter
from models.session import SessionKind
from models.store import Actor, ActorKind, DatabaseKind, Role
from services import totp_policy
from services.sessions import Origin
from tests.support.clock import HandClock
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store, settings_for
from tests.support.visitor import EMAIL, PASSWORD, Visitor, visiting

NEW = "wonderful brick 7 lamp"
STORE = {"email": "first@example.com", "password": NEW, "store": "Corner", "currency": "eur"}


@pytest.fixture
async def bare(sqlite_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    """An installation that nobody owns."""
    container = build(settings_for(sqlite_url, tmp_path), DatabaseKind.REAL, clock)
    yield Shop(container, clock, None)  # type: ignore[arg-type]  # there is no store yet
    await asyncio.to_thread(container.database.close)


async def owner_of(shop: Shop) -> Actor:
    (owner,) = await shop.container.doors.people.members(shop.store.id)
    return Actor(ActorKind.PERSON, owner.user_id, "203.0.113.7")


async def joined(shop: Shop, role: Role, email: str = "bob@example.com") -> tuple[str, Visitor]:
    """Invite somebody who has no account, and have them join; returns who they are."""
    _, token = await shop.container.doors.people.invite(
        shop.store.id, email, role, await owner_of(shop)
    )
    async with visiting(shop) as visitor:
        answer = await visitor.submit(f"/join/{token}", password=NEW)
        assert answer.status_code == 303, answer.text
        found = await shop.container.doors.sessions.find(visitor.token or "")
        assert found is not None
        assert found.role is role
        return found.session.user_id, visitor


async def test_the_set_up_link_makes_the_owner_and_works_once(bare: Shop) -> None:
    set_up = bare.container.doors.set_up
    stale = await set_up.begin()
    token = await set_up.begin()
    fields = STORE | {"time_zone": "Europe/Berlin"}
    async with visiting(bare) as visitor:
        assert (await visitor.http.get(f"/setup/{stale}")).status_code == 404
        weak = await visitor.submit(f"/setup/{token}", **fields | {"password": "password1234"})
        assert (weak.status_code, visitor.token) == (422, None)
        assert "guess" in weak.text
        short = await visitor.submit(f"/setup/{token}", **fields | {"password": "short"})
        assert "Choose at least 12 characters." in short.text

        done = await visitor.submit(f"/setup/{token}", weak, **fields)

        assert (done.status_code, done.headers["location"]) == (303, "/settings")
        found = await bare.container.doors.sessions.find(visitor.token or "")
        assert found is not None
        assert found.role is Role.OWNER
        (store,) = await bare.container.stores.all()
        assert (store.name, store.currency, store.time_zone) == ("Corner", "EUR", "Europe/Berlin")
        assert (await visitor.http.get(f"/setup/{token}")).status_code == 404
    assert await set_up.begin() is None


async def test_the_set_up_link_ends_after_an_hour(bare: Shop, clock: HandClock) -> None:
    token = await bare.container.doors.set_up.begin()
    clock.advance(minutes=61)
    async with visiting(bare) as visitor:
        answer = await visitor.http.post(f"/setup/{token}", data=STORE | {"time_zone": "UTC"})

        assert answer.status_code == 404
    assert await bare.container.stores.all() == []


async def test_of_two_who_set_up_at_once_one_becomes_owner(bare: Shop) -> None:
    token = await bare.container.doors.set_up.begin()
    async with visiting(bare) as one, visiting(bare) as two:
        fields = STORE | {"time_zone": "UTC"}
        answers = await asyncio.gather(
            one.submit(f"/setup/{token}", **fields),
            two.submit(f"/setup/{token}", **fields | {"email": "second@example.com"}),
        )

    assert sorted(answer.status_code for answer in answers) == [303, 404]
    assert len(await bare.container.stores.all()) == 1


async def test_an_invitation_is_shown_kept_hashed_and_works_once(
    shop: Shop, visitor: Visitor, beneath: Raw
) -> None:
    people = shop.container.doors.people
    link, token = await people.invite(
        shop.store.id, " Bob@Example.com ", Role.APPROVER, await owner_of(shop)
    )
    assert [found.id for found in await people.invitations(shop.store.id)] == [link.id]
    assert token not in str(beneath.rows("SELECT * FROM links"))
    page = await visitor.http.get(f"/join/{token}")
    assert "Corner Café" in page.text
    assert "approver" in page.text

    answer = await visitor.submit(f"/join/{token}", page, password=NEW)

    assert answer.status_code == 303
    assert (await visitor.http.get(f"/join/{token}")).status_code == 404
    assert await people.invitations(shop.store.id) == []
    roles = {member.email: member.role for member in await people.members(shop.store.id)}
    assert roles == {EMAIL: Role.OWNER, "bob@example.com": Role.APPROVER}
    acts = [row[0] for row in beneath.rows("SELECT action FROM audit ORDER BY number")]
    assert acts[-3:] == ["person.invited", "person.joined", "sign_in.ok"]


async def test_who_has_an_account_joins_with_its_password_only(
    shop: Shop, visitor: Visitor
) -> None:
    neighbour = await open_store(shop.container, name="Next door", owner_email="n@example.com")
    doors = shop.container.doors
    (boss,) = await doors.people.members(neighbour.id)
    actor = Actor(ActorKind.PERSON, boss.user_id)
    _, token = await doors.people.invite(neighbour.id, EMAIL, Role.VIEWER, actor)
    assert (await visitor.submit(f"/join/{token}", password=NEW)).status_code == 401

    assert (await visitor.submit(f"/join/{token}", password=PASSWORD)).status_code == 303

    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    assert (found.session.store_id, found.role) == (neighbour.id, Role.VIEWER)
    stores = await doors.people.stores_of(found.session.user_id)
    assert {store_id: role for store_id, _, role in stores} == {
        shop.store.id: Role.OWNER,
        neighbour.id: Role.VIEWER,
    }
    await doors.sessions.choose_store(found.session, shop.store.id)
    back = await doors.sessions.find(visitor.token or "")
    assert back is not None
    assert (back.session.store_id, back.role) == (shop.store.id, Role.OWNER)


async def test_nobody_sets_the_password_of_another_stores_owner_by_inviting_them(
    shop: Shop, visitor: Visitor
) -> None:
    neighbour = await open_store(shop.container, name="Next door", owner_email="n@example.com")
    _, token = await shop.container.doors.people.invite(
        shop.store.id, "n@example.com", Role.VIEWER, await owner_of(shop)
    )

    refused = await visitor.submit(f"/join/{token}", password=NEW)

    assert (refused.status_code, visitor.token) == (403, None)
    assert "Ask the operator" in refused.text
    assert (await visitor.sign_in("n@example.com", NEW)).status_code == 401
    (owner,) = await shop.container.doors.people.members(neighbour.id)
    assert owner.has_password is False


async def test_who_was_removed_comes_back_by_an_invitation_and_their_password(shop: Shop) -> None:
    people, actor = shop.container.doors.people, await owner_of(shop)
    user_id, _ = await joined(shop, Role.MANAGER)
    await people.remove(shop.store.id, user_id, actor)
    async with visiting(shop) as visitor:
        assert (await visitor.sign_in("bob@example.com", NEW)).status_code == 401
        _, token = await people.invite(shop.store.id, "bob@example.com", Role.VIEWER, actor)

        assert (await visitor.submit(f"/join/{token}", password=PASSWORD)).status_code == 401
        assert (await visitor.submit(f"/join/{token}", password=NEW)).status_code == 303

        found = await shop.container.doors.sessions.find(visitor.token or "")
        assert found is not None
        assert (found.session.user_id, found.role) == (user_id, Role.VIEWER)


@pytest.mark.parametrize("change", ["removed", "demoted"])
async def test_invitations_end_with_the_right_to_invite(shop: Shop, change: str) -> None:
    people, actor = shop.container.doors.people, await owner_of(shop)
    bob, _ = await joined(shop, Role.OWNER)
    as_bob = Actor(ActorKind.PERSON, bob)
    kept, _ = await people.invite(shop.store.id, "kept@example.com", Role.VIEWER, actor)
    _, token = await people.invite(shop.store.id, "again@example.com", Role.OWNER, as_bob)

    if change == "removed":
        await people.remove(shop.store.id, bob, actor)
    else:
        await people.change_role(shop.store.id, bob, Role.MANAGER, actor)

    with pytest.raises(NotFoundError):
        await people.invitation(token)
    assert [link.id for link in await people.invitations(shop.store.id)] == [kept.id]
    entries = await shop.container.doors.record.page(
        shop.store.id, EntryFilter(action="invitation.taken_back"), 10
    )
    assert [entry.actor_id for entry in entries] == [actor.id]


async def test_an_invitation_ends_taken_back_or_after_a_week(shop: Shop, clock: HandClock) -> None:
    people, actor = shop.container.doors.people, await owner_of(shop)
    link, taken = await people.invite(shop.store.id, "a@example.com", Role.VIEWER, actor)
    await people.take_back(shop.store.id, link.id, actor)
    _, late = await people.invite(shop.store.id, "b@example.com", Role.VIEWER, actor)
    clock.advance(days=7)

    for token in (taken, late):
        with pytest.raises(NotFoundError):
            await people.invitation(token)


async def test_a_role_holds_at_once_and_removal_ends_the_session(shop: Shop) -> None:
    doors, actor = shop.container.doors, await owner_of(shop)
    user_id, visitor = await joined(shop, Role.MANAGER)
    told: list[bool] = []
    doors.sessions.listen(lambda: told.append(True))

    await doors.people.change_role(shop.store.id, user_id, Role.VIEWER, actor)
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    assert found.role is Role.VIEWER

    await doors.people.remove(shop.store.id, user_id, actor)
    assert await doors.sessions.find(visitor.token or "") is None
    assert len(told) == 2
    with pytest.raises(NotFoundError):
        await doors.people.change_role(shop.store.id, user_id, Role.OWNER, actor)


async def test_a_store_is_never_without_an_owner(shop: Shop) -> None:
    people, actor = shop.container.doors.people, await owner_of(shop)
    assert actor.id is not None
    with pytest.raises(RuleError, match="at least one owner"):
        await people.change_role(shop.store.id, actor.id, Role.VIEWER, actor)
    with pytest.raises(RuleError, match="at least one owner"):
        await people.remove(shop.store.id, actor.id, actor)
    second, _ = await joined(shop, Role.OWNER)

    both = await asyncio.gather(
        people.change_role(shop.store.id, actor.id, Role.VIEWER, actor),
        people.remove(shop.store.id, second, actor),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, RuleError) for outcome in both) == 1
    owners = [m for m in await people.members(shop.store.id) if m.role is Role.OWNER]
    assert len(owners) == 1


async def test_a_password_set_on_the_console_ends_every_session(
    shop: Shop, visitor: Visitor, beneath: Raw
) -> None:
    await visitor.sign_in()
    await open_store(shop.container, password=PASSWORD)
    assert await shop.container.doors.sessions.find(visitor.token or "")

    await open_store(shop.container, password=NEW)

    assert await shop.container.doors.sessions.find(visitor.token or "") is None
    assert (await visitor.sign_in()).status_code == 401
    assert (await visitor.sign_in(password=NEW)).status_code == 303
    assert (
        beneath.value("SELECT actor_id FROM audit WHERE action = 'password.changed'") == "console"
    )


async def test_a_link_of_the_console_sets_a_lost_password_once(
    shop: Shop, visitor: Visitor, clock: HandClock, beneath: Raw
) -> None:
    resets, console = shop.container.doors.resets, Actor(ActorKind.SYSTEM, "console")
    await visitor.sign_in()
    stale = await resets.begin(EMAIL, console, drops_factor=False)
    assert await shop.container.doors.sessions.find(visitor.token or "") is None
    clock.advance(hours=1)
    token = await resets.begin(EMAIL.upper(), console, drops_factor=True)

    for dead in (stale, "", "x" * 900, token[:-4] + "AAA="):
        assert (await visitor.http.get(f"/reset/{dead}")).status_code == 404
    assert (await visitor.submit(f"/reset/{token}", password="short")).status_code == 422
    done = await visitor.submit(f"/reset/{token}", password=NEW)

    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert (await visitor.http.get(f"/reset/{token}")).status_code == 404
    assert (await visitor.sign_in()).status_code == 401
    clock.advance(minutes=1)
    assert (await visitor.sign_in(password=NEW)).status_code == 303
    with pytest.raises(NotFoundError):
        await resets.begin("nobody@example.com", console, drops_factor=False)
    wrote = beneath.rows("SELECT action, actor_id FROM audit WHERE action LIKE 'password.reset%'")
    assert [action for action, _ in sorted(wrote)] == [
        *("password.reset", "password.reset_begun", "password.reset_begun"),
    ]


async def test_a_lost_authenticator_goes_only_where_the_operator_says_so(shop: Shop) -> None:
    doors, console = shop.container.doors, Actor(ActorKind.SYSTEM, "console")
    actor = await owner_of(shop)
    assert actor.id is not None
    session, _ = doors.sessions.new(SessionKind.BROWSER, actor.id, shop.store.id, Origin())
    enrolled = await doors.factors.enrol(session)
    secret = base64.b32decode(enrolled.secret + "=" * (-len(enrolled.secret) % 8))
    step = totp_policy.step_of(int(shop.clock.utc_now().timestamp()))
    await doors.factors.confirm(session, totp_policy.code_at(secret, step), actor)

    for drops_factor in (False, True):
        token = await doors.resets.begin(EMAIL, console, drops_factor=drops_factor)
        await doors.resets.use(token, NEW if drops_factor else NEW + "!", Origin())

        (owner,) = await doors.people.members(shop.store.id)
        assert owner.has_second_factor is not drops_factor


async def test_serving_what_nobody_owns_prints_the_link(tmp_path: Path) -> None:
    from tests.support.program import Program

    with Program(tmp_path, {}).serving() as server:
        url = await asyncio.to_thread(server.ready)
        link = re.search(r"http\S+/setup/\S{43}", server.log.read_text())

        assert link is not None
        assert link.group().startswith(url)
