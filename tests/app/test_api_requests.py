"""Asking for payouts and intervening over HTTP: shapes, keys, roles."""

from __future__ import annotations

from typing import Any

import pytest

from models.money import Rate
from models.states import PayoutState
from models.store import Role
from tests.app.test_api_payouts import PAYOUT_FIELDS
from tests.support.api import Api, is_problem
from tests.support.builders import a_payout, bring
from tests.support.databases import Raw
from tests.support.invoices import invoice


async def test_a_payout_is_made_once_for_each_key(api: Api) -> None:
    body = {"destination": invoice(api.shop.clock, 2_000), "memo": "Rent", "metadata": {"a": [1]}}

    is_problem(await api.post("payouts", body), 422, "invalid", "Idempotency-Key")
    made = await api.post("payouts", body, once="k1")
    again = await api.post("payouts", body, once="k1")
    other = await api.post("payouts", body | {"memo": "x"}, once="k1")
    reused = await api.post("payouts", body, once="k2")

    assert (made.status_code, made.content) == (201, again.content)
    shown = made.json()
    assert set(shown) == PAYOUT_FIELDS
    assert shown["risk"] is None
    assert (shown["state"], shown["amount_sats"], shown["kind"]) == (
        "awaiting_approval",
        2_000,
        "manual",
    )
    assert (shown["memo"], shown["metadata"]) == ("Rent", {"a": [1]})
    is_problem(other, 422, "idempotency_mismatch")
    is_problem(reused, 422, "invalid")
    assert len(await api.pages("payouts")) == 1
    approved = await api.post(f"payouts/{shown['id']}/approve", {"revision": shown["revision"]})
    assert approved.json()["state"] == "approved"
    cancelled = await api.post(f"payouts/{shown['id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"


WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({}, "destination"),
    ({"destination": "alice"}, "amount"),
    ({"destination": "alice", "amount": 0}, "amount"),
    ({"destination": "alice", "amount": 1.5}, "amount"),
    ({"destination": "alice", "amount": "5"}, "amount"),
    ({"destination": "alice", "amount": 5, "currency": "XYZ"}, "currency"),
    ({"destination": "10.0.0.1", "amount": 5}, "destination"),
    ({"destination": "alice@10.0.0.1", "amount": 5}, "destination"),
    ({"destination": "x" * 5_000, "amount": 5}, "destination"),
    ({"destination": "alice", "amount": 5, "metadata": []}, "metadata"),
    ({"destination": "alice", "amount": 5, "extra": 1}, "extra"),
]


@pytest.mark.parametrize(("body", "field"), WRONG)
async def test_a_wrong_request_names_its_field(
    api: Api, body: dict[str, Any], field: str | None
) -> None:
    is_problem(await api.post("payouts", body, once="k"), 422, "invalid", field)
    is_problem(await api.post("payouts/preview", body), 422, "invalid", field)


async def test_a_preview_shows_rate_risk_and_lock_and_makes_nothing(api: Api) -> None:
    clock = api.shop.clock
    body = {"destination": invoice(clock, None), "amount": 250, "currency": "USD"}
    is_problem(await api.post("payouts/preview", body), 503, "unavailable")
    api.shop.container.rates.put(Rate("USD", 1, 10, "flash", clock.utc_now()))

    shown = (await api.post("payouts/preview", body)).json()

    assert (shown["amount_sats"], shown["original_amount"], shown["currency"]) == (
        2_500,
        250,
        "USD",
    )
    assert shown["risk"] == "amountless_no_key"
    assert shown["rate"]["source"] == "flash"
    assert shown["locked_until"] is not None
    assert shown["needs_approval"]
    assert await api.pages("payouts") == []
    made = await api.post("payouts", body, once="k")
    assert made.json()["risk"] == "amountless_no_key"
    rates = await api.get("rates")
    assert [item["currency"] for item in rates["items"]] == ["USD"]
    assert rates["items"][0]["reason"] is None


async def test_a_hold_keeps_a_payout_until_it_is_released(api: Api) -> None:
    body = {"destination": invoice(api.shop.clock)}
    made = (await api.post("payouts", body, once="k")).json()
    place = f"payouts/{made['id']}"

    other = {"revision": made["revision"] + 1}
    for act, body in (("hold", {"reason": "x"}), ("release", {}), ("retry", {})):
        is_problem(await api.post(f"{place}/{act}", body | other), 409, "state_changed")
    seen = {"reason": "Is this Bob?", "revision": made["revision"]}
    held = await api.post(f"{place}/hold", seen)
    twice = await api.post(f"{place}/hold", {"reason": "again"})
    past = await api.post(f"{place}/hold", {"reason": "x", "release_at": "2020-01-01"})
    (hold,) = (await api.get(f"{place}/holds"))["items"]
    released = await api.post(f"{place}/release")
    nothing = await api.post(f"{place}/release")

    assert held.json()["state"] == "awaiting_approval"
    is_problem(twice, 409, "state_changed")
    is_problem(past, 422, "invalid", "release_at")
    assert (hold["reason"], hold["released_at"]) == ("Is this Bob?", None)
    assert released.status_code == 200
    is_problem(nothing, 409, "state_changed")


async def test_only_what_waits_for_a_person_is_resolved_and_only_by_an_owner(
    api: Api, beneath: Raw
) -> None:
    with beneath.transaction() as tx:
        waiting = bring(tx, a_payout(api.shop.store), PayoutState.NEEDS_REVIEW)
    place, body = f"payouts/{waiting.id}/resolve", {"outcome": "not_paid", "evidence": "Bob said"}

    is_problem(await api.post(place, body, role=Role.MANAGER), 403, "forbidden")
    is_problem(await api.post(place, body | {"outcome": "maybe"}), 422, "invalid", "outcome")
    old = {"revision": waiting.revision - 1}
    changed = await api.post(place, body | old)
    is_problem(changed, 409, "state_changed")
    assert "meanwhile" in changed.json()["detail"]
    is_problem(await api.post(place, body | {"evidence": " "}), 422, "invalid", "evidence")
    # Without a live attempt there is nothing that could have been paid.
    is_problem(await api.post(place, body), 409, "state_changed")
    is_problem(await api.post(f"payouts/{waiting.id}/retry"), 409, "state_changed")


async def test_an_owner_may_open_the_gate(api: Api) -> None:
    is_problem(await api.post("wallet/open-gate", role=Role.MANAGER), 403, "forbidden")

    assert (await api.post("wallet/open-gate")).json()["gate"] == "open"


async def test_a_batch_intervenes_in_each_payout_by_itself(api: Api) -> None:
    made = [
        (
            await api.post("payouts", {"destination": invoice(api.shop.clock)}, once=f"k{number}")
        ).json()
        for number in range(2)
    ]
    items = [{"id": each["id"], "revision": each["revision"]} for each in made]
    stale = [items[0], items[1] | {"revision": 7}]

    async def batch(action: str, which: list[Any], **more: Any) -> Any:
        body = {"action": action, "items": which} | more
        return await api.post("payouts/batch", body, once=f"{action}{len(more)}{which}")

    is_problem(await batch("hold", items), 422, "invalid", "reason")
    held = (await batch("hold", stale, reason="Who is this?")).json()["items"]
    released = (await batch("release", items)).json()["items"]
    retried = (await batch("retry", items)).json()["items"]
    cancelled = (await batch("cancel", items)).json()["items"]

    assert [each["ok"] for each in held] == [True, False]
    assert [each["ok"] for each in released] == [True, False]
    assert [each.get("code") for each in retried] == ["state_changed"] * 2
    assert [each["ok"] for each in cancelled] == [True, True]
    body = {"action": "cancel", "items": items}
    answer = await api.post("payouts/batch", body, once="z", role=Role.APPROVER)
    is_problem(answer, 403, "forbidden")
