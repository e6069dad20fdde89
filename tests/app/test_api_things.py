"""Pull payments, cards, figures and the wallet over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from models.errors import InvalidField
from models.store import Role
from services import lnurl
from tests.support.api import Api, is_problem
from tests.support.cards import VirtualCard
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.shop import open_store
from tests.support.town import populate

PULL = {"name": "Tips", "currency": "SATS", "amount": 10_000, "auto_approve": False}
PULL_FIELDS = {
    *("id", "store_id", "name", "currency", "amount", "min_sats", "max_sats", "starts_at"),
    *("expires_at", "auto_approve", "archived", "remaining", "reserved", "paid", "claim_url"),
    *("lnurl", "lnurlw", "created_at", "status"),
}
CARD_FIELDS = {
    *("id", "store_id", "alias", "pull_payment_id", "uid", "active", "lnurlw_base"),
    *("created_at", "last_used_at"),
}
FIGURE = {"count", "amount_sats"}
STATUSES = {"pending", "processing", "completed", "failed", "cancelled"}


async def made(api: Api, **changes: Any) -> Any:
    answer = await api.post("pull-payments", PULL | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_pull_payment_is_made_with_its_links(api: Api) -> None:
    pull = await made(api, min_sats=5, max_sats=500, expires_at="2026-12-24")

    assert set(pull) == PULL_FIELDS
    assert (pull["remaining"], pull["reserved"], pull["paid"]) == (10_000, 0, 0)
    assert (pull["min_sats"], pull["max_sats"]) == (5, 500)
    assert pull["expires_at"] == "2026-12-25T00:00:00.000Z"
    token = pull["claim_url"].rpartition("/")[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert pull["id"] not in pull["claim_url"]
    assert lnurl.decode(pull["lnurl"], outbound_allow=("127.0.0.1:8080",)) == pull["claim_url"]
    assert pull["lnurlw"] == "lnurlw://127.0.0.1:8080/lnurlw/" + token
    assert pull == await api.get(f"pull-payments/{pull['id']}")


async def test_its_links_are_told_only_to_those_who_may_draw(api: Api) -> None:
    pull = await made(api)

    seen = await api.get(f"pull-payments/{pull['id']}", role=Role.VIEWER)
    (listed,) = (await api.get("pull-payments", role=Role.APPROVER))["items"]

    assert seen == listed == pull | dict.fromkeys(("claim_url", "lnurl", "lnurlw"))
    assert (await api.get(f"pull-payments/{pull['id']}", role=Role.MANAGER)) == pull


async def test_a_pull_payment_shows_what_is_reserved(api: Api) -> None:
    pull = await made(api)
    token = pull["claim_url"].rpartition("/")[2]
    offer = (await api.http.get(f"/lnurlw/{token}")).json()
    params = {"k1": offer["k1"], "pr": invoice(api.shop.clock, 3_000)}
    await api.http.get(offer["callback"], params=params)

    shown = await api.get(f"pull-payments/{pull['id']}")

    assert (shown["remaining"], shown["reserved"], shown["paid"]) == (7_000, 3_000, 0)


BAD_PULLS = [
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "a\x00"}, "name"),
    ({"name": 7}, "name"),
    ({"currency": "EURO!"}, "currency"),
    ({"currency": "12"}, "currency"),
    ({"amount": 0}, "amount"),
    ({"amount": -5}, "amount"),
    ({"amount": 1.5}, "amount"),
    ({"amount": "10"}, "amount"),
    ({"amount": True}, "amount"),
    ({"amount": 10**16}, "amount"),
    ({"amount": 10**400}, "amount"),
    ({"min_sats": 0}, "min_sats"),
    ({"min_sats": 10, "max_sats": 9}, "max_sats"),
    ({"expires_at": "soon"}, "expires_at"),
    ({"expires_at": "2020-01-01"}, "expires_at"),
    ({"starts_at": "2026-11-20T12:00:00"}, "starts_at"),
    ({"auto_approve": "yes"}, "auto_approve"),
    ({"auto_approve": 1}, "auto_approve"),
    ({"budget": 5}, "budget"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_PULLS, ids=lambda value: str(value)[:40])
async def test_a_pull_payment_that_cannot_be_names_its_field(
    api: Api, beneath: Raw, changes: dict[str, Any], field: str
) -> None:
    is_problem(await api.post("pull-payments", PULL | changes), 422, "invalid", field)
    assert beneath.value("SELECT count(*) FROM pull_payments") == 0


@pytest.mark.parametrize("missing", ["name", "currency", "amount", "auto_approve"])
async def test_what_is_required_is_named(api: Api, missing: str) -> None:
    body = {name: value for name, value in PULL.items() if name != missing}

    is_problem(await api.post("pull-payments", body), 422, "invalid", missing)


async def test_a_pull_payment_is_changed_field_by_field(api: Api) -> None:
    pull = await made(api)
    body = {"name": "Prizes", "amount": 20_000, "archived": True, "auto_approve": True}
    body |= {"min_sats": 5, "max_sats": 900}

    changed = await api.call("PATCH", f"pull-payments/{pull['id']}", json=body)
    moved = await api.call("PATCH", f"pull-payments/{pull['id']}", json={"new_link": True})

    assert changed.json() == pull | body | {"remaining": 20_000, "status": "archived"}
    assert moved.json()["claim_url"] != pull["claim_url"]
    assert (await api.http.get(pull["claim_url"])).json()["status"] == "ERROR"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"name": " "}, "name"),
        ({"currency": "USD"}, "currency"),
        ({"min_sats": 10, "max_sats": 9}, "max_sats"),
        ({"expires_at": "x"}, "expires_at"),
        ({"archived": "no"}, "archived"),
    ],
)
async def test_a_change_that_cannot_be_names_its_field(
    api: Api, body: dict[str, Any], field: str
) -> None:
    pull = await made(api)

    answer = await api.call("PATCH", f"pull-payments/{pull['id']}", json=body)

    is_problem(answer, 422, "invalid", field)


@pytest.mark.parametrize("path", ["pull-payments", "boltcards"])
async def test_lists_are_paged_newest_first(api: Api, path: str) -> None:
    pull = await api.shop.pull_payment()
    ids = [pull.id] if path == "pull-payments" else []
    for number in range(5):
        api.shop.clock.advance(seconds=1)
        if path == "pull-payments":
            ids.append((await api.shop.pull_payment()).id)
        else:
            ids.append((await api.shop.card(VirtualCard(), pull, f"Card {number}")).id)

    assert [item["id"] for item in await api.pages(path, limit=2)] == ids[::-1]
    for params, field in (({"limit": 0}, "limit"), ({"cursor": "x"}, "cursor"), ({"q": 1}, "q")):
        is_problem(await api.call("GET", path, params=params), 422, "invalid", field)


async def test_a_card_is_added_with_its_own_keys_and_taps(api: Api) -> None:
    pull, card = await made(api), VirtualCard()
    body = {
        "alias": "Alice",
        "pull_payment_id": pull["id"],
        "uid": card.uid.hex().upper(),
        "k1": card.k1.hex(),
        "k2": card.k2.hex().upper(),
    }

    answer = await api.post("boltcards", body)

    added = answer.json()
    assert answer.status_code == 201
    assert set(added) == CARD_FIELDS
    assert (added["alias"], added["uid"], added["active"]) == ("Alice", card.uid.hex(), True)
    assert added["lnurlw_base"] == "lnurlw://127.0.0.1:8080/boltcard"
    assert not {card.k1.hex(), card.k2.hex(), card.k2.hex().upper()} & set(answer.text.split('"'))
    p, c = card.read()
    offer = (await api.http.get("/boltcard", params={"p": p, "c": c})).json()
    assert offer["tag"] == "withdrawRequest"
    assert added == await api.get(f"boltcards/{added['id']}")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"alias": ""}, "alias"),
        ({"alias": "x" * 61}, "alias"),
        ({"alias": "a\ud800"}, "alias"),
        ({"pull_payment_id": "pp_nobody"}, "pull_payment_id"),
        ({"pull_payment_id": "pp\x00"}, "pull_payment_id"),
        ({"uid": "04"}, "uid"),
        ({"uid": "zz" * 7}, "uid"),
        ({"k1": "00" * 16}, "k1"),
        ({"k1": "ab"}, "k1"),
        ({"k2": "0" * 31 + "1"}, "k2"),
        ({"k0": "ab" * 16}, "k0"),
    ],
)
async def test_a_card_that_cannot_be_names_its_field_and_shows_no_key(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    pull = await made(api)
    body = {"alias": "Alice", "pull_payment_id": pull["id"], "k2": "cd" * 16} | changes

    answer = await api.post("boltcards", body)

    is_problem(answer, 422, "invalid", field)
    assert "cdcd" not in answer.text
    assert (await api.get("boltcards"))["items"] == []


async def test_a_card_is_switched_off_and_on_and_renamed(api: Api) -> None:
    pull, card = await api.shop.pull_payment(auto_approve=False), VirtualCard()
    added = await api.shop.card(card, pull)

    off = await api.call("PATCH", f"boltcards/{added.id}", json={"active": False})
    p, c = card.read()
    refused = (await api.http.get("/boltcard", params={"p": p, "c": c})).json()
    on = await api.call("PATCH", f"boltcards/{added.id}", json={"active": True, "alias": "Bob"})

    assert (off.json()["active"], on.json()["active"], on.json()["alias"]) == (False, True, "Bob")
    assert refused == {"status": "ERROR", "reason": "This card is switched off."}


async def test_stats_have_the_shape_of_the_contract(api: Api, beneath: Raw) -> None:
    town = populate(beneath, api.shop.store, count=24)

    stats = await api.get("stats")

    assert set(stats) == {"as_of", "from", "to", "total", "active_boltcards"} | STATUSES
    assert all(set(stats[name]) == FIGURE for name in STATUSES | {"total"})
    assert stats["as_of"] == "2026-11-20T12:00:00.000Z"
    assert (stats["from"], stats["to"]) == (None, None)
    for name in FIGURE:
        assert stats["total"][name] == sum(stats[status][name] for status in STATUSES)
    assert stats["total"]["count"] == len(town.payouts)


@pytest.mark.parametrize(
    ("params", "zone"), [({}, "UTC"), ({"days": 2, "bucket": "hour"}, "Europe/Berlin")]
)
async def test_the_timeline_has_a_bucket_for_every_stretch(
    api: Api, beneath: Raw, params: dict[str, Any], zone: str
) -> None:
    store = await open_store(api.shop.container, name="Far away", time_zone=zone)
    populate(beneath, store, count=24)

    answer = await api.call("GET", "timeline", store=store, params=params)

    found = answer.json()
    assert set(found) == {"zone", "bucket", "items"}
    assert (found["zone"], found["bucket"]) == (zone, params.get("bucket", "day"))
    assert len(found["items"]) == (48 if params else 30)
    assert all(set(item) == {"start"} | STATUSES for item in found["items"])
    first = "2026-11-18T23:00:00.000Z" if params else "2026-10-22T00:00:00.000Z"
    assert found["items"][0]["start"] == first


async def test_the_top_cards_have_the_shape_of_the_contract(api: Api, beneath: Raw) -> None:
    populate(beneath, api.shop.store)
    api.shop.clock.set(NOON + timedelta(days=3))

    top = await api.get("boltcards/top", days=30, limit=1, by="count")

    (card,) = top["items"]
    assert set(card) == {"boltcard_id", "alias", "count", "amount_sats", "last_used_at"}
    assert card["count"] > 0


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("stats", {"status": "open"}, "status"),
        ("stats", {"limit": "5"}, "limit"),
        ("stats", {"from_": "2026-11-20"}, "from_"),
        ("timeline", {"days": "0"}, "days"),
        ("timeline", {"days": "401"}, "days"),
        ("timeline", {"bucket": "month"}, "bucket"),
        ("timeline", {"zone": "UTC"}, "zone"),
        ("boltcards/top", {"by": "name"}, "by"),
        ("boltcards/top", {"limit": "0"}, "limit"),
        ("wallet", {"x": "1"}, "x"),
    ],
)
async def test_a_question_that_cannot_be_read_names_its_field(
    api: Api, path: str, params: dict[str, str], field: str
) -> None:
    is_problem(await api.call("GET", path, params=params), 422, "invalid", field)


async def test_the_wallet_is_stopped_and_resumed(api: Api, beneath: Raw) -> None:
    before = await api.get("wallet", role=Role.VIEWER)
    stopped = (await api.post("wallet/stop", role=Role.APPROVER)).json()
    resumed = (await api.post("wallet/resume")).json()

    assert (before["stopped"], stopped["stopped"], resumed["stopped"]) == (False, True, False)
    assert stopped["stopped_at"] == "2026-11-20T12:00:00.000Z"
    assert (before["gate"], before["connected"], before["socket"]) == ("open", False, "cut-off")
    actions = beneath.rows("SELECT action FROM audit WHERE action LIKE 'wallet%' ORDER BY number")
    assert [row[0] for row in actions] == ["wallet.stopped", "wallet.resumed"]


def test_a_refused_field_is_told_by_its_name() -> None:
    assert InvalidField("alias", "no").field == "alias"
