"""Every fault that can be armed, and that it does what its line in the table says."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from app.sandbox import faults
from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import GENERIC, PRICE, Hand, Merchant, foreign, socket


def test_the_table_names_every_kind() -> None:
    cells = re.findall(r"^\| (`.+?`) \|", faults.__doc__ or "", re.MULTILINE)

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == faults.KINDS


async def test_pending_settles_later_and_only_the_list_shows_it(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()
    before = await merchant.cents()
    await hand.fault("pending_then_success", after_ms=5_000, times=1)

    answer = await merchant.send(invoice.pr, "key")
    rows_meanwhile = len(await merchant.rows())
    held = await merchant.cents()
    await hand.post("clock", advance_s=6)

    assert answer == {"status": "PENDING", "errors": []}
    assert held < before
    assert len(await merchant.rows()) == rows_meanwhile + 1
    assert await hand.states(invoice.hash) == ["settled"]
    # The stored answer stays what it was, for a day.
    assert (await merchant.send(invoice.pr, "key"))["status"] == "PENDING"


async def test_pending_fails_later_and_the_money_comes_back(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign()
    before = await merchant.cents()
    await hand.fault("pending_then_failure", after_ms=5_000, times=1)

    assert (await merchant.send(invoice.pr))["status"] == "PENDING"
    assert await merchant.cents() < before
    await hand.post("clock", advance_s=6)

    assert await merchant.cents() == before
    assert len(await merchant.rows()) == 1
    assert await hand.states(invoice.hash) == ["failed"]


@pytest.mark.parametrize("outcome", ["settled", "failed"])
async def test_pending_can_last_until_somebody_ends_it(
    merchant: Merchant, hand: Hand, outcome: str
) -> None:
    invoice = foreign()
    await hand.fault("pending_forever", times=1)

    assert (await merchant.send(invoice.pr))["status"] == "PENDING"
    await hand.post("clock", advance_s=10**6)
    assert await hand.states(invoice.hash) == ["inflight"]
    await hand.post("settle", hash=invoice.hash, outcome=outcome)

    assert await hand.states(invoice.hash) == [outcome]


async def test_a_failed_payment_may_be_tried_again(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign()
    await hand.fault("failure_empty_errors", times=1)

    first = await merchant.send(invoice.pr, "a")
    replay = await merchant.send(invoice.pr, "a")
    second = await merchant.send(invoice.pr, "b")

    assert first == replay == {"status": "FAILURE", "errors": []}
    assert second["status"] == "SUCCESS"
    assert await hand.states(invoice.hash) == ["failed", "settled"]


async def test_a_debit_can_hide_behind_an_error_and_a_repeat_does_not_pay_twice(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()
    await hand.fault("debited_but_error", times=1)

    first = await merchant.send(invoice.pr, "key")
    second = await merchant.send(invoice.pr, "key")

    assert first == second
    assert first["errors"][0] == {"message": GENERIC, "code": None, "path": None}
    assert await hand.states(invoice.hash) == ["settled"]


async def test_an_intraledger_debit_behind_an_error_is_paid_twice_and_the_ledger_shows_it(
    merchant: Merchant, hand: Hand
) -> None:
    bob = await hand.post("accounts", username="bob")
    await hand.fault("debited_but_error", times=1)
    given = {
        "walletId": merchant.wallet,
        "recipientWalletId": bob["wallet"],
        "amount": 10,
        "idempotencyKey": "key",
    }

    answers = [
        await merchant.mutate(
            "intraLedgerUsdPaymentSend", "IntraLedgerUsdPaymentSendInput", "status", **given
        )
        for _ in range(2)
    ]

    assert [a["status"] for a in answers] == ["FAILURE", "SUCCESS"]
    rows = (await hand.get("payments"))["items"]
    assert [(r["state"], r["amount_msat"]) for r in rows] == [("settled", 100_000)] * 2


@pytest.mark.parametrize(
    ("kind", "status", "message", "code"),
    [
        ("generic_error", "FAILURE", GENERIC, None),
        ("already_prepared", "FAILURE", GENERIC, None),
        ("insufficient_balance", "FAILURE", "insufficient balance.", "INSUFFICIENT_BALANCE"),
        ("cutover_in_progress", "FAILURE", "Cash Wallet cutover is in progress", "INVALID_INPUT"),
        ("status_null", None, "Invalid value for WalletId", None),
        ("busy_lock", "FAILURE", "Unexpected error", "UNEXPECTED_CLIENT_ERROR"),
    ],
)
async def test_a_refusal_pays_nothing(
    merchant: Merchant, hand: Hand, kind: str, status: str | None, message: str, code: str | None
) -> None:
    invoice = foreign()
    await hand.fault(kind, times=1, match={"operation": "lnInvoicePaymentSend"})

    refused = await merchant.send(invoice.pr, "key")

    assert refused["status"] == status
    assert refused["errors"][0]["message"].startswith(message)
    assert refused["errors"][0]["code"] == code
    assert await hand.ledger(invoice.hash) == []
    assert (await merchant.send(invoice.pr, "key"))["status"] == "SUCCESS"


async def test_the_busy_answer_can_hide_a_payment(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign()
    await hand.fault("busy_lock", executed=True, times=1)

    assert (await merchant.send(invoice.pr))["status"] == "FAILURE"

    await hand.until_settled(invoice.hash)


@pytest.mark.parametrize(("executed", "states"), [(True, ["settled"]), (False, [])])
async def test_any_error_can_be_answered_with_or_without_a_payment(
    merchant: Merchant, hand: Hand, executed: bool, states: list[str]
) -> None:
    invoice = foreign()
    await hand.fault("send_error", code="DB_ERROR", message="down", executed=executed)

    answer = await merchant.send(invoice.pr)

    assert answer["errors"] == [{"message": "down", "code": "DB_ERROR", "path": None}]
    assert await hand.states(invoice.hash) == states


async def test_a_row_can_come_late(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("row_delay", delay_ms=5_000, times=1)
    await merchant.send(foreign().pr)

    before = len(await merchant.rows())
    await hand.post("clock", advance_s=5)

    assert (before, len(await merchant.rows())) == (1, 2)


async def test_a_row_can_differ_by_a_few_sats_and_the_book_with_it(
    merchant: Merchant, hand: Hand
) -> None:
    await hand.post("price", usd_per_btc=100_000)
    await hand.fault("amount_drift", sats=2, times=1)

    await merchant.send(foreign(1_000_000).pr)

    assert (await merchant.rows())[0]["settlementDisplayAmount"] == "-1.002"
    assert (await hand.get("audit"))["is_clean"]


async def test_a_fee_can_read_undefined(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("undefined_fee", times=1)

    await merchant.send(foreign().pr)

    assert (await merchant.rows())[0]["settlementDisplayFee"] == "undefined"


async def test_the_list_can_be_empty_without_an_error(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("empty_transactions", match={"wallet": merchant.wallet}, times=1)

    assert await merchant.rows() == []
    assert len(await merchant.rows()) == 1


@pytest.mark.parametrize(("kind", "cents"), [("balance_null", None), ("balance_zero", 0)])
async def test_a_balance_can_be_null_or_zero(
    merchant: Merchant, hand: Hand, kind: str, cents: int | None
) -> None:
    await hand.fault(kind, times=1)

    assert await merchant.cents() == cents
    assert await merchant.cents() == 1_000_000


async def test_a_price_can_be_old(merchant: Merchant, hand: Hand) -> None:
    now = (await merchant.data(PRICE))["realtimePrice"]["timestamp"]
    await hand.fault("stale_price", age_s=600)

    assert (await merchant.data(PRICE))["realtimePrice"]["timestamp"] <= now - 599


async def test_the_cutover_stops_wallet_reads(merchant: Merchant, hand: Hand) -> None:
    await hand.post("cutover", state="IN_PROGRESS")

    read = await merchant.ask("{ me { defaultAccount { wallets { id } } } }")
    sent = await merchant.send(foreign().pr)

    assert read["errors"][0]["code"] == sent["errors"][0]["code"] == "INVALID_INPUT"


async def test_a_handshake_can_be_turned_away(sandbox: Sandbox, hand: Hand) -> None:
    await hand.fault("handshake_503", times=1)

    with pytest.raises(Exception, match="503"):
        async with socket(sandbox):
            pass
    async with socket(sandbox) as other:
        await other.init()


async def test_every_nth_and_times_count(merchant: Merchant, hand: Hand) -> None:
    await hand.fault("generic_error", match={"every_nth": 3}, times=2)

    answers = [(await merchant.send(foreign().pr))["status"] for _ in range(9)]

    assert answers == ["SUCCESS", "SUCCESS", "FAILURE"] * 2 + ["SUCCESS"] * 3


async def test_a_probability_is_the_same_with_the_same_seed(settings: SandboxSettings) -> None:
    async def draws(name: str, seed: int) -> list[bool]:
        path = settings.ledger.with_name(name)
        async with open_sandbox(replace(settings, ledger=path, seed=seed)) as opened:
            armed = opened.world.faults
            armed.add({"kind": "generic_error", "match": {"probability": 0.5}})
            return [armed.draw("send", faults.Subject()) is not None for _ in range(50)]

    first, again, other = await draws("a", 1), await draws("b", 1), await draws("c", 2)

    assert first == again != other
    assert 10 < sum(first) < 40


@pytest.mark.parametrize(
    "script",
    [
        {"kind": "nothing"},
        {"kind": "slow_settle", "delay": 3},
        {"kind": "slow_settle", "delay_ms": "3"},
        {"kind": "generic_error", "match": {"colour": "red"}},
        {"kind": "generic_error", "times": 0},
        {"kind": "generic_error", "match": {"every_nth": True}},
    ],
)
async def test_a_fault_that_is_not_understood_is_refused(
    sandbox: Sandbox, http: httpx.AsyncClient, script: dict[str, object]
) -> None:
    answer = await http.post(f"{sandbox.control_url}/faults", json=script)

    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_faults_are_listed_and_cleared(
    sandbox: Sandbox, hand: Hand, http: httpx.AsyncClient
) -> None:
    first = await hand.fault("http_500")
    await hand.fault("http_502", times=3)

    kinds = [fault["kind"] for fault in (await hand.get("faults"))["items"]]
    one = await http.delete(f"{sandbox.control_url}/faults/{first['id']}")
    rest = await http.delete(f"{sandbox.control_url}/faults")

    assert kinds == ["http_500", "http_502"]
    assert (one.json(), rest.json()) == ({"cleared": 1}, {"cleared": 1})
    assert (await hand.get("faults"))["items"] == []
