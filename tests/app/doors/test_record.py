"""The record: who did what, when, from where, and what it was before; searched, never repeated."""

from __future__ import annotations

import json
from datetime import timedelta

from models.record import EntryFilter
from models.store import Actor, ActorKind, Role
from services.sessions import Origin
from tests.support.api import api_of
from tests.support.cards import VirtualCard
from tests.support.clock import HandClock
from tests.support.invoices import invoice
from tests.support.shop import Shop, api_key
from tests.support.visitor import EMAIL, PASSWORD, Visitor

ALICE = Actor(ActorKind.PERSON, "us_alice", "203.0.113.7", "rq_1")


async def test_looks_at_whole_card_numbers_are_noted_once_in_a_while(
    shop: Shop, clock: HandClock
) -> None:
    record, card = shop.container.doors.record, VirtualCard()
    pull = await shop.pull_payment(auto_approve=False)
    await shop.card(card, pull)
    await shop.claim_tap(await shop.tap(card), invoice(clock))
    wanted = EntryFilter(action="card_numbers.seen")
    async with api_of(shop) as api:
        for _ in range(3):
            for path in ("payouts", "boltcards"):
                await api.get(path, role=Role.MANAGER)
                await api.get(path, role=Role.VIEWER)
        found = await record.page(shop.store.id, wanted, 50)

        assert [json.loads(entry.after or "")["where"] for entry in found] == [
            "boltcards",
            "payouts",
        ]
        key = await api.key(Role.MANAGER)
        assert {entry.actor_id for entry in found} == {key[3:32]}
        clock.advance(minutes=10)
        await api.get("payouts", role=Role.MANAGER)
        assert len(await record.page(shop.store.id, wanted, 50)) == 3


async def test_the_record_is_searched_by_actor_act_subject_and_time(
    shop: Shop, clock: HandClock
) -> None:
    record, store_id = shop.container.doors.record, shop.store.id
    start = clock.utc_now()
    for number in range(5):
        clock.advance(minutes=1)
        await record.note(store_id, ALICE, f"act.{number % 2}", subject_id=f"po_{number}")

    async def numbers(**wanted: object) -> list[str | None]:
        found = await record.page(store_id, EntryFilter(**wanted), 50)  # type: ignore[arg-type]
        return [entry.subject_id for entry in found]

    assert await numbers(actor_id="us_alice") == ["po_4", "po_3", "po_2", "po_1", "po_0"]
    assert await numbers(action="act.1") == ["po_3", "po_1"]
    assert await numbers(subject_id="po_2") == ["po_2"]
    since = start + timedelta(minutes=4)
    assert await numbers(actor_id="us_alice", since=since) == ["po_4", "po_3"]
    assert await numbers(actor_id="us_alice", until=since) == ["po_2", "po_1", "po_0"]
    assert await record.actions(store_id, since) == ["act.0", "act.1"]
    first = await record.page(store_id, EntryFilter(actor_id="us_alice"), 2)
    more = await record.page(store_id, EntryFilter(actor_id="us_alice"), 9, first[-1].number)
    assert [entry.subject_id for entry in more] == ["po_2", "po_1", "po_0"]
    assert (more[0].address, more[0].request_id) == ("203.0.113.7", "rq_1")
    assert await record.page("st_another", EntryFilter(), 50) == []


async def test_a_change_of_role_says_what_it_was_before(shop: Shop) -> None:
    doors = shop.container.doors
    (owner,) = await doors.people.members(shop.store.id)
    actor = Actor(ActorKind.PERSON, owner.user_id)
    _, token = await doors.people.invite(shop.store.id, "b@example.com", Role.VIEWER, actor)
    user_id = await doors.people.join(token, "wonderful brick 7 lamp", Origin("203.0.113.9"))
    await doors.people.change_role(shop.store.id, user_id, Role.APPROVER, actor)

    (entry,) = await doors.record.page(shop.store.id, EntryFilter(action="role.changed"), 5)
    assert (entry.before, entry.after) == ('{"role":"viewer"}', '{"role":"approver"}')
    assert (entry.actor_id, entry.subject_id) == (owner.user_id, user_id)


async def test_the_record_is_searched_by_words_and_names_who_acted(
    shop: Shop, clock: HandClock
) -> None:
    doors, store_id = shop.container.doors, shop.store.id
    (owner,) = await doors.people.members(store_id)
    actor = Actor(ActorKind.PERSON, owner.user_id, "203.0.113.7")
    await shop.container.stores.create_api_key(store_id, "100% Tills", Role.VIEWER, None, actor)
    (key,) = await doors.api_keys.list_of(store_id)
    await doors.api_keys.revoke(store_id, key.id, Actor(ActorKind.SYSTEM, "console"))
    _, token = await doors.people.invite(store_id, "b@example.com", Role.VIEWER, actor)
    clock.advance(minutes=1)
    user_id = await doors.people.join(token, "wonderful brick 7 lamp", Origin("203.0.113.9"))
    await doors.sign_in.enter(
        "b@example.com", "wonderful brick 7 lamp", None, Origin("203.0.113.9")
    )

    async def acts(**wanted: object) -> list[str]:
        found = await doors.record.page(store_id, EntryFilter(**wanted), 50)  # type: ignore[arg-type]
        return [entry.action for entry in found]

    assert await acts(text="0% TILLS") == ["api_key.revoked", "api_key.created"]
    assert await acts(text="0_ tills") == []
    assert await acts(text=key.id) == ["api_key.revoked", "api_key.created"]
    assert await acts(text="203.0.113.9") == ["sign_in.ok", "person.joined"]
    assert await acts(actor_kind=ActorKind.SYSTEM) == ["api_key.revoked"]
    assert await doors.record.actors(store_id) == [
        (owner.user_id, owner.email),
        (user_id, "b@example.com"),
        (key.id, "Key 100% Tills"),
    ]
    assert await doors.people.last_sign_ins(store_id) == {user_id: clock.utc_now()}
    await doors.people.remove(store_id, user_id, actor)
    names = await doors.record.names(store_id, {user_id, key.id, "demo", ""})
    assert names == {user_id: "b@example.com", key.id: "Key 100% Tills"}


async def test_an_act_names_the_sign_in_and_the_browser_it_was_done_by(
    shop: Shop, visitor: Visitor
) -> None:
    doors = shop.container.doors
    visitor.http.headers["User-Agent"] = "=Browser\x1b[31m/1 " + "x" * 500
    await visitor.sign_in()
    found = await doors.sessions.find(visitor.token or "")
    assert found is not None
    key = await api_key(shop.container, shop.store, Role.MANAGER)

    file = await visitor.http.get("/record.csv", params={"what": "sign_in.ok"})
    for bearer in (key, (await _token(visitor))["access_token"]):
        headers = {"Authorization": f"Bearer {bearer}"}
        assert (await visitor.http.post("/v1/wallet/stop", headers=headers)).status_code == 200

    page = await doors.record.page(shop.store.id, EntryFilter(), 50)
    by = {entry.action: entry for entry in page if entry.agent}
    assert {"sign_in.ok", "record.exported", "wallet.stopped"} <= set(by)
    assert by["record.exported"].session_id == found.session.id
    assert (by["record.exported"].agent or "").startswith("=Browser [31m/1 xxx")
    assert len(by["record.exported"].agent or "") <= 200
    assert found.session.id in file.text
    assert ",'=Browser" in file.text
    assert visitor.token not in str(page)
    text = EntryFilter(text=found.session.id)
    of_session = await doors.record.page(shop.store.id, text, 50)
    assert [entry.action for entry in of_session] == ["record.exported", "sign_in.ok"]


async def _token(visitor: Visitor) -> dict[str, str]:
    fields = {"email": EMAIL, "password": PASSWORD}
    pair: dict[str, str] = (await visitor.http.post("/v1/auth/token", json=fields)).json()
    return pair


async def test_the_file_of_the_record_runs_nothing_and_is_for_those_who_may(
    shop: Shop, visitor: Visitor
) -> None:
    doors, store_id = shop.container.doors, shop.store.id
    (owner,) = await doors.people.members(store_id)
    actor = Actor(ActorKind.PERSON, owner.user_id, "=cmd|'/c calc'!A1")
    await doors.record.note(store_id, actor, "act.odd")
    assert (await visitor.http.get("/record.csv")).status_code == 401
    await visitor.sign_in()

    answer = await visitor.http.get("/record.csv", params={"what": "act.odd"})

    head, row = answer.text.splitlines()
    assert head.startswith("number,at,action,actor_kind,actor_id,actor,")
    assert f"act.odd,person,{owner.user_id},{owner.email},,'=cmd" in row
    assert (await visitor.http.get("/record.csv", params={"from": "soon"})).status_code == 422
    (noted,) = await doors.record.page(store_id, EntryFilter(action="record.exported"), 5)
    assert noted.after == '{"what":"act.odd"}'
    _, token = await doors.people.invite(store_id, "v@example.com", Role.VIEWER, actor)
    await doors.people.join(token, "wonderful brick 7 lamp", Origin())
    await visitor.sign_in("v@example.com", "wonderful brick 7 lamp")
    assert (await visitor.http.get("/record.csv")).status_code == 403
