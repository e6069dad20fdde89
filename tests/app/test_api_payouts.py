"""Payouts over HTTP: their shape, their filters, their pages, and people's decisions."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from models.instants import iso
from models.payout import Payout
from models.pull_payment import PullPayment
from models.states import PayoutState
from models.store import Role
from services import bolt11
from services.housekeeping import Housekeeping
from services.storage import listing
from tests.support.api import Api, is_problem
from tests.support.cards import VirtualCard
from tests.support.invoices import invoice

# Design 10, word for word; `kind` and `risk` are more.
PAYOUT_FIELDS = {
    *("id", "store_id", "pull_payment_id", "status", "state", "revision", "amount_sats"),
    *("amount_msat", "fee_msat", "debited_nanousd", "value_cents", "currency"),
    *("original_amount", "rate", "boltcard_id", "boltcard_alias", "boltcard_uid"),
    *("card_verified", "destination", "payment_hash", "preimage", "evidence", "attempts"),
    *("memo", "error_code", "error_message", "metadata", "created_at", "approved_at"),
    *("submitted_at", "completed_at", "kind", "risk"),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
async def pull(api: Api) -> PullPayment:
    return await api.shop.pull_payment(auto_approve=False)


@pytest.fixture
async def waiting(api: Api, pull: PullPayment) -> Payout:
    return await api.shop.claim(pull, invoice(api.shop.clock, description="Lunch for Bob"))


async def claims(api: Api, pull: PullPayment, count: int, minutes: int = 1) -> list[Payout]:
    """Return so many payouts, some minutes apart, oldest first."""
    made = []
    for number in range(count):
        made.append(await api.shop.claim(pull, invoice(api.shop.clock, 1_000 + number)))
        api.shop.clock.advance(minutes=minutes)
    return made


async def test_a_payout_has_the_fields_of_the_contract(api: Api, waiting: Payout) -> None:
    shown = await api.get(f"payouts/{waiting.id}")

    assert set(shown) == PAYOUT_FIELDS
    assert (shown["status"], shown["state"], shown["revision"]) == (
        "pending",
        "awaiting_approval",
        2,
    )
    assert (shown["amount_sats"], shown["amount_msat"], shown["currency"]) == (
        1_000,
        1_000_000,
        "SATS",
    )
    unknown = ("fee_msat", "debited_nanousd", "value_cents", "rate", "preimage", "evidence")
    assert all(shown[name] is None for name in unknown)
    assert shown["metadata"] == {}
    assert MOMENT.fullmatch(shown["created_at"])
    assert shown["destination"].startswith("lnbc")


async def test_a_card_is_named_with_what_it_collected(api: Api, pull: PullPayment) -> None:
    card = VirtualCard()
    added = await api.shop.card(card, pull, "Alice")
    payout = await api.shop.claim_tap(await api.shop.tap(card), invoice(api.shop.clock))

    shown = await api.get(f"payouts/{payout.id}")

    assert (shown["boltcard_id"], shown["boltcard_alias"]) == (added.id, "Alice")
    assert (shown["boltcard_uid"], shown["card_verified"]) == (card.uid.hex(), True)
    assert shown["kind"] == "tap"


async def test_the_events_tell_the_whole_way(api: Api, waiting: Payout) -> None:
    await api.post(f"payouts/{waiting.id}/approve", {"revision": waiting.revision})

    found = await api.get(f"payouts/{waiting.id}/events")

    assert found["next_cursor"] is None
    assert [(event["from"], event["to"]) for event in found["items"]] == [
        (None, "pending"),
        ("pending", "awaiting_approval"),
        ("awaiting_approval", "approved"),
    ]
    assert [event["number"] for event in found["items"]] == [1, 2, 3]
    assert found["items"][0]["actor"] == {"kind": "payee", "id": None}
    assert found["items"][2]["actor"]["kind"] == "api_key"


async def test_a_list_is_newest_first_and_shows_what_the_single_one_shows(
    api: Api, pull: PullPayment
) -> None:
    made = await claims(api, pull, 3)

    page = await api.get("payouts")

    assert [item["id"] for item in page["items"]] == [payout.id for payout in reversed(made)]
    assert page["next_cursor"] is None
    assert page["items"][0] == await api.get(f"payouts/{made[-1].id}")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_show_every_payout_once_though_more_are_added(
    api: Api, pull: PullPayment, limit: int
) -> None:
    before = [payout.id for payout in await claims(api, pull, 7, minutes=0)]
    seen, cursor = [], None
    while True:
        params = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        page = await api.get("payouts", **params)
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        api.shop.clock.advance(seconds=1)
        await api.shop.claim(pull, invoice(api.shop.clock))

    assert seen == sorted(before, reverse=True)


FILTERS: list[tuple[dict[str, Any], set[int]]] = [
    ({}, {0, 1, 2, 3}),
    ({"status": "pending"}, {0, 1}),
    ({"status": "PENDING, cancelled"}, {0, 1, 2, 3}),
    ({"state": "approved"}, {1}),
    ({"state": "rejected,cancelled"}, {2, 3}),
    ({"status": "pending", "state": "rejected"}, set()),
    ({"min_sats": 1_001}, {1, 2, 3}),
    ({"max_sats": 1_001}, {0, 1}),
    ({"min_sats": 1_001, "max_sats": 1_002}, {1, 2}),
    ({"min_sats": 0, "max_sats": 0}, set()),
    ({"pull_payment": "pp_nobody"}, set()),
    ({"card": "nobody"}, set()),
    ({"q": "po_0"}, {0, 1, 2, 3}),
    ({"q": "lnbc1001"}, {1}),
    ({"q": "xyz"}, set()),
    ({"from": "2026-11-20T12:01:00Z"}, {1, 2, 3}),
    ({"to": "2026-11-20T12:01:00Z"}, {0}),
    ({"from": "2026-11-20T13:01:00+01:00", "to": "2026-11-20T12:03:00Z"}, {1, 2}),
    ({"from": "2026-11-20"}, {0, 1, 2, 3}),
    ({"to": "2026-11-20"}, {0, 1, 2, 3}),
    ({"to": "2026-11-19"}, set()),
    ({"from": "2026-11-21"}, set()),
]


@pytest.mark.parametrize(("params", "wanted"), FILTERS, ids=str)
async def test_a_filter_finds_what_it_says(
    api: Api, pull: PullPayment, params: dict[str, Any], wanted: set[int]
) -> None:
    made = await claims(api, pull, 4)
    await api.post(f"payouts/{made[1].id}/approve", {"revision": 2})
    words = {"revision": 2, "reason_code": "no", "reason": "Not today."}
    await api.post(f"payouts/{made[2].id}/reject", words)
    await api.post(f"payouts/{made[3].id}/cancel")

    found = await api.pages("payouts", **params)
    stats = await api.get("stats", **params)

    assert {item["id"] for item in found} == {made[number].id for number in wanted}
    assert stats["total"]["count"] == len(wanted)
    assert stats["total"]["amount_sats"] == sum(item["amount_sats"] for item in found)


@pytest.mark.parametrize("few", [5_000, -1])
async def test_several_words_are_all_to_be_found(
    api: Api, pull: PullPayment, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    card = VirtualCard()
    await api.shop.card(card, pull, "Bob's 100% card")
    memos = ("The window cleaner, June", "Window glass", "A cleaner window: July", "Shop window")
    made = [
        await api.shop.claim(pull, invoice(api.shop.clock, number, description=memo))
        for number, memo in enumerate(memos, 1)
    ]
    pr = invoice(api.shop.clock, 9, description="window seat")
    made.append(await api.shop.claim_tap(await api.shop.tap(card), pr))

    for q, wanted in (
        ("Window cleaner", {0, 2}),
        ("cleaner  WIND", {0, 2}),
        ("a window of glass", {1}),
        ("window, cleaner: june", {0}),
        ("window card", {4}),
        ("bob's 100% seat", {4}),
        ("window 1_0% seat", set()),
        (f"window {made[3].id}", {3}),
        ("window door", set()),
    ):
        found = await api.pages("payouts", q=q)
        stats = await api.get("stats", q=q)
        assert {item["id"] for item in found} == {made[number].id for number in wanted}, q
        assert stats["total"]["count"] == len(wanted), q


async def test_a_payout_is_found_by_the_start_of_its_texts(api: Api, pull: PullPayment) -> None:
    card = VirtualCard()
    await api.shop.card(card, pull, "Bob's card")
    pr = invoice(api.shop.clock, description="Breakfast")
    payout = await api.shop.claim_tap(await api.shop.tap(card), pr)
    await api.shop.claim(pull, invoice(api.shop.clock, 5))
    hash_start = bolt11.decode(pr).payment_hash[:12]

    for q in (payout.id, payout.id[:20], hash_start, hash_start.upper(), pr[:60], "bob", "BREAK"):
        found = await api.get("payouts", q=q)
        assert [item["id"] for item in found["items"]] == [payout.id], q


@pytest.mark.parametrize("spell", [str, str.upper, "  {} ".format])
async def test_a_card_is_named_by_id_uid_or_alias_in_any_case(
    api: Api, pull: PullPayment, spell: Any
) -> None:
    card = VirtualCard()
    added = await api.shop.card(card, pull, "Alice")
    payout = await api.shop.claim_tap(await api.shop.tap(card), invoice(api.shop.clock))
    await api.shop.claim(pull, invoice(api.shop.clock))

    for name in (added.id, card.uid.hex(), "Alice"):
        found = await api.get("payouts", card=spell(name))
        assert [item["id"] for item in found["items"]] == [payout.id], name


async def test_a_date_means_the_stores_day(api: Api, pull: PullPayment) -> None:
    berlin = await api.neighbour()
    del berlin
    api.shop.clock.advance(hours=11, minutes=30)
    late = await api.shop.claim(pull, invoice(api.shop.clock))

    found = await api.get("stats", **{"from": "2026-11-20", "to": "2026-11-20"})

    assert (found["from"], found["to"]) == ("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z")
    assert found["total"]["count"] == 1
    assert iso(late.created_at) == "2026-11-20T23:30:00.000Z"


BAD = [
    ({"status": "paid"}, "status"),
    ({"status": ""}, "status"),
    ({"status": "pending,"}, "status"),
    ({"state": "open"}, "state"),
    ({"min_sats": "-1"}, "min_sats"),
    ({"min_sats": "1.5"}, "min_sats"),
    ({"min_sats": "٣"}, "min_sats"),
    ({"max_sats": "1e3"}, "max_sats"),
    ({"max_sats": "99999999999999999"}, "max_sats"),
    ({"min_sats": "2", "max_sats": "1"}, "max_sats"),
    ({"q": "ab"}, "q"),
    ({"q": "x" * 501}, "q"),
    ({"q": "ab\x00"}, "q"),
    ({"q": " ".join(f"word{number}" for number in range(9))}, "q"),
    ({"card": ""}, "card"),
    ({"card": "x" * 65}, "card"),
    ({"card": "a\x00"}, "card"),
    ({"pull_payment": "a\x00"}, "pull_payment"),
    ({"from": "yesterday"}, "from"),
    ({"from": "2026-11-20T12:00:00"}, "from"),
    ({"from": "2026-02-30"}, "from"),
    ({"to": "9999-12-31"}, "to"),
    ({"to": "0001-01-01T00:00:00+14:00"}, "to"),
    ({"limit": "0"}, "limit"),
    ({"limit": "201"}, "limit"),
    ({"limit": "ten"}, "limit"),
    ({"cursor": "x"}, "cursor"),
    ({"cursor": ""}, "cursor"),
    ({"cursor": "é"}, "cursor"),
    ({"cursor": "MTc5NTg0MDA6cG9fMQ"}, "cursor"),
    ({"cursor": "A" * 5_000}, "cursor"),
    ({"page": "2"}, "page"),
    ({"Status": "pending"}, "Status"),
    ([("status", "pending"), ("status", "failed")], "status"),
    ([("limit", "1"), ("limit", "2")], "limit"),
]


@pytest.mark.parametrize(("params", "field"), BAD, ids=str)
async def test_a_filter_that_cannot_be_read_is_named(api: Api, params: Any, field: str) -> None:
    answer = await api.call("GET", "payouts", params=params)

    is_problem(answer, 422, "invalid", field)


async def test_a_cursor_of_another_list_is_refused(api: Api, pull: PullPayment) -> None:
    await api.shop.pull_payment()
    page = await api.get("pull-payments", limit=1)
    assert page["next_cursor"]

    answer = await api.call("GET", "payouts", params={"cursor": page["next_cursor"]})

    is_problem(answer, 422, "invalid", "cursor")
    assert pull.id not in page["next_cursor"]


async def test_approving_and_rejecting_answer_with_the_payout(api: Api, pull: PullPayment) -> None:
    yes, no, gone = await claims(api, pull, 3)
    words = {"reason_code": "fraud", "reason": "Not this one."}

    approved = await api.post(f"payouts/{yes.id}/approve", {"revision": 2}, role=Role.APPROVER)
    rejected = await api.post(f"payouts/{no.id}/reject", {"revision": 2} | words)
    cancelled = await api.post(f"payouts/{gone.id}/cancel")

    assert [answer.status_code for answer in (approved, rejected, cancelled)] == [200] * 3
    assert approved.json()["state"] == "approved"
    assert (rejected.json()["status"], rejected.json()["error_code"]) == ("cancelled", "fraud")
    assert cancelled.json()["state"] == "cancelled"
    assert cancelled.json() == await api.get(f"payouts/{gone.id}")


@pytest.mark.parametrize(
    ("act", "body", "field"),
    [
        ("approve", {}, "revision"),
        ("approve", {"revision": 0}, "revision"),
        ("approve", {"revision": "2"}, "revision"),
        ("approve", {"revision": 2.0}, "revision"),
        ("approve", {"revision": True}, "revision"),
        ("approve", {"revision": 2, "force": True}, "force"),
        ("approve", [], "body"),
        ("approve", None, "body"),
        ("reject", {"revision": 2, "reason_code": "no"}, "reason"),
        ("reject", {"revision": 2, "reason": "no"}, "reason_code"),
        ("reject", {"revision": 2, "reason_code": "no", "reason": ""}, "reason"),
        ("reject", {"revision": 2, "reason_code": "no", "reason": "  "}, "reason"),
        ("reject", {"revision": 2, "reason_code": "no", "reason": "x" * 501}, "reason"),
        ("reject", {"revision": 2, "reason_code": "a\x00", "reason": "no"}, "reason_code"),
        ("reject", {"revision": 2, "reason_code": "no", "reason": "a\ud800"}, "reason"),
    ],
)
async def test_a_decision_that_cannot_be_read_names_its_field(
    api: Api, waiting: Payout, act: str, body: Any, field: str
) -> None:
    answer = await api.post(f"payouts/{waiting.id}/{act}", body)

    is_problem(answer, 422, "invalid", field)
    assert (await api.shop.payout(waiting.id)).state is PayoutState.AWAITING_APPROVAL


@pytest.mark.parametrize("revision", [1, 3])
async def test_a_decision_on_another_revision_is_a_conflict(
    api: Api, waiting: Payout, revision: int
) -> None:
    answer = await api.post(f"payouts/{waiting.id}/approve", {"revision": revision})

    is_problem(answer, 409, "state_changed")


async def test_what_has_run_out_cannot_be_approved(api: Api, waiting: Payout) -> None:
    api.shop.clock.advance(hours=2)

    answer = await api.post(f"payouts/{waiting.id}/approve", {"revision": waiting.revision})

    is_problem(answer, 409, "state_changed")
    assert (await api.get(f"payouts/{waiting.id}"))["state"] == "expired"


async def test_a_batch_decides_each_for_itself(api: Api, pull: PullPayment) -> None:
    one, stale, expired = await claims(api, pull, 3)
    items = [
        {"id": one.id, "revision": 2},
        {"id": stale.id, "revision": 1},
        {"id": "po_nobody", "revision": 1},
        {"id": one.id, "revision": 2},
    ]

    answer = await api.post("payouts/batch", {"action": "approve", "items": items}, once="a")

    assert answer.json() == {
        "items": [
            {"id": one.id, "ok": True},
            {"id": stale.id, "ok": False, "code": "state_changed"},
            {"id": "po_nobody", "ok": False, "code": "not_found"},
            {"id": one.id, "ok": False, "code": "state_changed"},
        ]
    }
    assert (await api.shop.payout(expired.id)).state is PayoutState.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "pay", "items": [{"id": "po", "revision": 1}]}, "action"),
        ({"action": "approve", "items": []}, "items"),
        ({"action": "approve", "items": [{"id": "po", "revision": 1}] * 201}, "items"),
        ({"action": "approve", "items": [{"id": "po"}]}, "items.0.revision"),
        ({"action": "reject", "items": [{"id": "po", "revision": 1}]}, "reason_code"),
    ],
)
async def test_a_batch_that_cannot_be_read_names_its_field(
    api: Api, body: dict[str, Any], field: str
) -> None:
    answer = await api.post("payouts/batch", body, once="a")

    is_problem(answer, 422, "invalid", field)


async def test_a_batch_demands_a_key(api: Api, waiting: Payout) -> None:
    items = [{"id": waiting.id, "revision": 2}]

    answer = await api.post("payouts/batch", {"action": "approve", "items": items})

    is_problem(answer, 422, "invalid", "Idempotency-Key")
    assert (await api.shop.payout(waiting.id)).state is PayoutState.AWAITING_APPROVAL


async def test_a_payout_that_runs_out_while_it_waits_is_shown_as_cancelled(
    api: Api, waiting: Payout
) -> None:
    api.shop.clock.advance(hours=1)
    await Housekeeping(api.shop.container.database, api.shop.clock).tidy()

    shown = await api.get(f"payouts/{waiting.id}")

    assert (shown["status"], shown["state"]) == ("cancelled", "expired")
    assert (await api.get("stats"))["cancelled"] == {"count": 1, "amount_sats": 1_000}


async def test_of_many_approvals_at_once_one_is_taken(api: Api, waiting: Payout) -> None:
    acts = [api.post(f"payouts/{waiting.id}/approve", {"revision": 2}) for _ in range(8)]

    answers = await asyncio.gather(*acts)

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


@pytest.mark.parametrize("name", ["po_nobody", "x", "po_" + "0" * 26, "po%00", "po%2F", "é"])
async def test_a_payout_that_is_not_there_is_not_found(api: Api, name: str) -> None:
    for path in (f"payouts/{name}", f"payouts/{name}/events"):
        is_problem(await api.call("GET", path), 404, "not_found")
    is_problem(await api.post(f"payouts/{name}/approve", {"revision": 1}), 404, "not_found")
