"""The figures of a period over HTTP agree with the plain ones and with those of the one before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.states import PayoutState
from models.store import Role
from services.storage import payout as payouts
from tests.support.api import Api, is_problem
from tests.support.builders import a_payout, bring
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.town import populate

STATUSES = {"pending", "processing", "completed", "failed", "cancelled"}
FIGURE = {"count", "amount_sats", "value_cents"}


def paid(api: Api, beneath: Raw, *, days_ago: int, seconds: int, fee_msat: int | None) -> None:
    payout = a_payout(api.shop.store, created_at=NOON - timedelta(days=days_ago, hours=1))
    with beneath.transaction() as tx:
        done = bring(tx, payout, PayoutState.COMPLETED)
        completed_at = payout.created_at + timedelta(seconds=seconds)
        payouts.amend(tx, done, completed_at=completed_at, fee_msat=fee_msat)


async def test_a_period_stands_beside_the_one_before(api: Api, beneath: Raw) -> None:
    paid(api, beneath, days_ago=0, seconds=3, fee_msat=1_500)
    paid(api, beneath, days_ago=0, seconds=5, fee_msat=None)
    paid(api, beneath, days_ago=1, seconds=9, fee_msat=None)
    with beneath.transaction() as tx:
        bring(tx, a_payout(api.shop.store), PayoutState.FAILED)

    found = await api.get("stats/period", role=Role.VIEWER, **{"from": "2026-11-20"})

    period, before = found["period"], found["before"]
    assert set(found) == {"as_of", "currency", "period", "before", "boltcards_before"}
    assert found["currency"] == api.shop.store.currency
    assert set(period) == set(before)
    assert all(set(period[name]) == FIGURE for name in STATUSES | {"total"})
    assert (period["from"], period["to"]) == ("2026-11-20T00:00:00.000Z", None)
    assert before["from"] == "2026-11-19T00:00:00.000Z"
    assert before["to"] == "2026-11-19T12:00:00.000Z"
    assert (period["completed"]["count"], before["completed"]["count"]) == (2, 1)
    assert (period["success_per_mille"], before["success_per_mille"]) == (666, 1000)
    assert period["time_to_paid"] == {"median_ms": 4_000, "counted": 2, "is_sample": False}
    assert period["fees"] == {"fee_msat": 1_500, "known": 1, "unknown": 1}
    assert before["fees"] == {"fee_msat": None, "known": 0, "unknown": 1}


async def test_all_time_is_what_the_stats_say_and_has_nothing_before(
    api: Api, beneath: Raw
) -> None:
    populate(beneath, api.shop.store, count=24)
    stats = await api.get("stats", card="alice")

    found = await api.get("stats/period", card="alice")

    assert found["before"] is None
    for name in STATUSES | {"total"}:
        figure: dict[str, Any] = found["period"][name]
        assert {key: figure[key] for key in stats[name]} == stats[name]


async def test_nothing_ended_means_nothing_known(api: Api) -> None:
    period = (await api.get("stats/period"))["period"]

    assert period["total"] == {"count": 0, "amount_sats": 0, "value_cents": 0}
    assert period["success_per_mille"] is None
    assert period["time_to_paid"] == {"median_ms": None, "counted": 0, "is_sample": False}
    assert period["fees"] == {"fee_msat": None, "known": 0, "unknown": 0}


@pytest.mark.parametrize(("name", "text"), [("status", "open"), ("unit", "fiat"), ("from", "x")])
async def test_a_period_that_cannot_be_read_names_its_field(api: Api, name: str, text: str) -> None:
    is_problem(await api.call("GET", "stats/period", params={name: text}), 422, "invalid", name)


async def test_a_period_is_documented_and_needs_a_key(api: Api) -> None:
    document = (await api.http.get("/v1/openapi.json")).json()

    assert "success_per_mille" in document["paths"]["/v1/stats/period"]["get"]["description"]
    is_problem(await api.http.get("/v1/stats/period"), 401, "unauthenticated")
