"""The same key and body get the same answer; nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from models.payout import Payout
from models.permission import Permission
from models.store import Role
from services.housekeeping import Housekeeping
from tests.support.api import Api, is_problem
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.invoices import invoice

PULL = {"name": "Tips", "currency": "SATS", "amount": 10_000, "auto_approve": False}


@pytest.fixture
async def waiting(api: Api) -> Payout:
    pull = await api.shop.pull_payment(auto_approve=False)
    return await api.shop.claim(pull, invoice(api.shop.clock))


async def calls_of(api: Api, waiting: Payout) -> list[tuple[str, Any]]:
    """Return every POST that takes a key, with a body it accepts."""
    pull = await api.shop.pull_payment()
    reason = {"reason_code": "no", "reason": "Not today."}
    return [
        ("pull-payments", PULL),
        ("boltcards", {"alias": "Bob", "pull_payment_id": pull.id, "uid": VirtualCard().uid.hex()}),
        (f"payouts/{waiting.id}/approve", {"revision": 2}),
        (f"payouts/{waiting.id}/reject", {"revision": 2} | reason),
        (f"payouts/{waiting.id}/cancel", None),
        ("payouts/batch", {"action": "approve", "items": [{"id": waiting.id, "revision": 2}]}),
    ]


def rows(beneath: Raw) -> list[Any]:
    tables = ("pull_payments", "cards", "payouts", "payout_events", "audit", "ledger")
    return [sorted(beneath.rows(f"SELECT * FROM {table}"), key=str) for table in tables]


async def test_a_repeat_by_a_narrower_key_is_shown_no_claim_link(api: Api) -> None:
    narrow = await api.shop.container.stores.create_api_key(
        *(api.shop.store.id, "narrow", Role.OWNER, None),
        scopes=frozenset({Permission.CREATE}),
    )

    async def make(**headers: str) -> Any:
        answer = await api.call("POST", "pull-payments", once="key", json=PULL, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    made = await make()
    again = await make(Authorization=f"Bearer {narrow}")

    assert made["claim_url"]
    assert again == made | dict.fromkeys(("claim_url", "lnurl", "lnurlw"))
    assert await make() == made


@pytest.mark.parametrize("number", range(6))
async def test_a_repeat_gets_the_first_answer_and_does_nothing(
    api: Api, waiting: Payout, beneath: Raw, number: int
) -> None:
    path, body = (await calls_of(api, waiting))[number]
    first = await api.post(path, body, once="key")
    assert first.status_code in {200, 201}, first.text
    before = rows(beneath)

    api.shop.clock.advance(days=6)
    again = await api.post(path, body, once="key")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert rows(beneath) == before


@pytest.mark.parametrize("number", range(6))
async def test_many_at_once_with_one_key_get_one_answer(
    api: Api, waiting: Payout, beneath: Raw, number: int
) -> None:
    path, body = (await calls_of(api, waiting))[number]
    await api.key()

    answers = await asyncio.gather(*(api.post(path, body, once="key") for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {200, 201}, [a.text for a in answers]
    assert len({answer.text for answer in answers}) == 1
    assert len(beneath.rows("SELECT * FROM idempotency")) == 1


@pytest.mark.parametrize("number", range(4))
async def test_the_same_key_with_another_body_is_refused(
    api: Api, waiting: Payout, number: int
) -> None:
    path, body = (await calls_of(api, waiting))[number]
    await api.post(path, body, once="key")
    other = {"pull-payments": {"amount": 1}, "boltcards": {"alias": "Carol"}}

    answer = await api.post(path, body | other.get(path, {"revision": 3}), once="key")

    is_problem(answer, 422, "idempotency_mismatch")


async def test_a_key_counts_for_its_route_and_store(api: Api, waiting: Payout) -> None:
    stranger = await api.neighbour()
    first = await api.post("pull-payments", PULL, once="key")
    theirs = await api.post("pull-payments", PULL, once="key", store=stranger)
    elsewhere = await api.post(f"payouts/{waiting.id}/approve", {"revision": 2}, once="key")

    assert first.json()["id"] != theirs.json()["id"]
    assert elsewhere.status_code == 200


async def test_what_failed_may_be_tried_again_with_its_key(api: Api, waiting: Payout) -> None:
    path = f"payouts/{waiting.id}/approve"
    too_early = await api.post(path, {"revision": 9}, once="key")
    in_time = await api.post(path, {"revision": 2}, once="key")

    assert (too_early.status_code, in_time.status_code) == (409, 200)


async def test_answers_are_kept_for_seven_days(api: Api, beneath: Raw) -> None:
    first = await api.post("pull-payments", PULL, once="key")
    keeper = Housekeeping(api.shop.container.database, api.shop.clock)
    api.shop.clock.advance(days=7)
    await keeper.tidy()
    assert (await api.post("pull-payments", PULL, once="key")).text == first.text

    api.shop.clock.advance(seconds=1)
    await keeper.tidy()

    assert beneath.rows("SELECT * FROM idempotency") == []


async def test_a_kept_answer_is_sealed(api: Api, beneath: Raw) -> None:
    made = (await api.post("pull-payments", PULL, once="key")).json()

    ((answer,),) = beneath.rows("SELECT answer FROM idempotency")

    assert made["claim_url"].rpartition("/")[2].encode() not in bytes(answer)
    assert made["name"].encode() not in bytes(answer)


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_cannot_be_is_named(api: Api, key: str) -> None:
    answer = await api.post("pull-payments", PULL, headers={"Idempotency-Key": key})

    is_problem(answer, 422, "invalid", "Idempotency-Key")


async def test_without_a_key_every_call_counts(api: Api, beneath: Raw) -> None:
    for _ in range(2):
        await api.post("pull-payments", PULL)

    assert beneath.value("SELECT count(*) FROM pull_payments") == 2
