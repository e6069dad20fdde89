"""Answers that are cut, late, or not what they should be, with the payment done or not."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.app.sandbox.actors import PRICE, SEND, SESSION, Hand, Merchant, foreign


@pytest.mark.parametrize(
    ("kind", "params", "code", "states"),
    [
        ("http_502", {}, 502, ["settled"]),
        ("http_502", {"executed": False}, 502, []),
        ("http_500", {}, 500, []),
        ("http_401", {}, 401, []),
        ("http_429", {"retry_after_s": 7}, 429, []),
        ("ingress_503", {}, 503, []),
        ("html_body", {}, 200, []),
        ("invalid_json", {}, 200, ["settled"]),
    ],
)
async def test_an_answer_can_be_spoilt(
    merchant: Merchant,
    hand: Hand,
    kind: str,
    params: dict[str, object],
    code: int,
    states: list[str],
) -> None:
    invoice = foreign()
    await hand.fault(kind, times=1, match={"payment_hash": invoice.hash}, **params)

    answer = await merchant.raw(SEND, merchant.input(invoice.pr))

    assert answer.status_code == code
    assert answer.headers.get("Retry-After") == ("7" if code == 429 else None)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert await hand.states(invoice.hash) == states


async def test_a_lost_response_was_paid_and_the_key_tells_so(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()
    await hand.fault("response_lost", times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        await merchant.send(invoice.pr, "key")

    assert (await merchant.send(invoice.pr, "key"))["status"] == "SUCCESS"
    assert await hand.states(invoice.hash) == ["settled"]


async def test_a_gateway_gives_up_while_the_payment_runs_on(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign()
    await hand.fault("slow_settle", delay_ms=60_000, times=1)
    await hand.fault("http_504", delay_ms=30_000, times=1)
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(merchant.raw(SEND, merchant.input(invoice.pr)))
        await hand.until_started(invoice.hash)
        await hand.post("clock", advance_s=31)
        assert (await call).status_code == 504

    assert await hand.states(invoice.hash) == ["inflight"]
    await hand.post("clock", advance_s=31)
    assert await hand.states(invoice.hash) == ["settled"]


async def test_an_answer_can_be_slow(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("slow_answer", delay_ms=30, times=1)

    assert (await merchant.send(foreign().pr))["status"] == "SUCCESS"


async def test_a_key_can_be_limited_on_demand(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("key_limited", retry_after_s=9)

    answer = (await merchant.ask(PRICE))["errors"][0]

    assert answer["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert answer["extensions"]["retryAfterSeconds"] == 9


async def test_a_fault_finds_its_payment_in_literals_too(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign()
    await hand.fault("http_500", match={"payment_hash": invoice.hash, "wallet": merchant.wallet})
    query = (
        "mutation { lnInvoicePaymentSend(input: "
        f'{{walletId: "{merchant.wallet}", paymentRequest: "{invoice.pr}"}}) {{ status }} }}'
    )

    assert (await merchant.raw(query, headers=SESSION)).status_code == 500
    assert (await merchant.send(foreign().pr))["status"] == "SUCCESS"
