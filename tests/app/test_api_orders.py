"""Payouts over HTTP in their three orders; a cursor belongs to its order."""

from __future__ import annotations

import pytest

from models.payout import EvidenceGrade
from models.states import STATUS, PayoutState
from tests.support.api import Api, is_problem
from tests.support.builders import a_payout
from tests.support.clock import NOON
from tests.support.past import Past, plant_past

S = PayoutState


@pytest.fixture
async def past(api: Api) -> Past:
    return await plant_past(api.shop)


async def test_payouts_are_listed_by_creation_amount_or_completion(api: Api, past: Past) -> None:
    await past.grow(40)

    items = await api.pages("payouts", limit=7)
    by_amount = await api.pages("payouts", limit=7, sort="amount")
    by_completion = await api.pages("payouts", limit=7, sort="completed")

    known = [item for item in items if item["amount_msat"] is not None]
    assert by_amount == sorted(known, key=lambda item: (item["amount_msat"], item["id"]))[::-1]
    completed = {item["id"] for item in items if item["status"] == "completed"}
    ended = [item["completed_at"] for item in by_completion]
    assert ended == sorted(ended, reverse=True)
    assert {item["id"] for item in by_completion} == {
        item["id"] for item in items if item["completed_at"] and item["id"] in completed
    }
    assert 0 < len(by_completion) < len(items)
    assert len(known) < len(items)


async def test_a_cursor_of_another_order_is_refused_by_name(api: Api, past: Past) -> None:
    for sats in (1, 2, 3):
        settled = {"state": S.COMPLETED, "status": STATUS[S.COMPLETED], "completed_at": NOON}
        await past.add(
            a_payout(api.shop.store, sats=sats, evidence=EvidenceGrade.PERSON, **settled)
        )

    for given in ("created", "amount", "completed"):
        page = await api.get("payouts", sort=given, limit=1)
        for asked in ("created", "amount", "completed"):
            params = {"sort": asked, "limit": 1, "cursor": page["next_cursor"]}
            answer = await api.call("GET", "payouts", params=params)
            if asked == given:
                assert answer.status_code == 200
            else:
                is_problem(answer, 422, "invalid", "cursor")
                assert f"sort={given}" in answer.json()["detail"]
    is_problem(await api.call("GET", "payouts", params={"sort": "fee"}), 422, "invalid", "sort")
