"""Paying invoices: what is answered, what is in the ledger, and what a key is good for."""

from __future__ import annotations

import asyncio

import pytest

from app.sandbox.server import Sandbox
from tests.app.sandbox.actors import GENERIC, SEND, SESSION, Hand, Merchant, foreign

BUSY = "ResourceAttemptsLockServiceError"
PAYLOAD = "status errors { message code }"
GENERIC_ERRORS = [{"message": GENERIC, "code": None, "path": None}]


async def test_a_foreign_invoice_is_paid_and_costs_a_small_fee(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign(21_000_000)

    assert await merchant.send(invoice.pr) == {"status": "SUCCESS", "errors": []}

    (row,) = await hand.ledger(invoice.hash)
    assert (row["state"], row["payee_kind"], row["amount_msat"]) == (
        "settled",
        "foreign",
        21_000_000,
    )
    assert row["debit_nanousd"] == 21_000 * row["nanousd_per_btc"] // 10**8
    assert 0 <= row["fee_nanousd"] * 1000 <= row["debit_nanousd"] * 3


async def test_a_home_invoice_is_paid_without_a_fee_and_credits_its_payee(
    merchant: Merchant, hand: Hand, sandbox: Sandbox
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=5_000_000)

    assert (await merchant.send(invoice["pr"]))["status"] == "SUCCESS"

    (row,) = await hand.ledger(invoice["hash"])
    assert (row["payee_kind"], row["fee_nanousd"]) == ("home", 0)
    assert sandbox.world.accounts.wallet(invoice["wallet"]).book_nanousd == row["debit_nanousd"]


async def test_the_balance_falls_by_fractions_of_a_cent(merchant: Merchant) -> None:
    before = await merchant.cents()

    await merchant.send(foreign(3_000).pr)

    assert 0 < before - await merchant.cents() < 1


async def test_the_same_key_replays_the_answer_and_pays_nothing(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()

    answers = [await merchant.send(invoice.pr, "key") for _ in range(3)]

    assert [answer["status"] for answer in answers] == ["SUCCESS"] * 3
    assert await hand.states(invoice.hash) == ["settled"]


async def test_the_same_key_for_another_invoice_is_refused(merchant: Merchant) -> None:
    await merchant.send(foreign().pr, "key")

    answer = await merchant.send(foreign().pr, "key")

    assert answer["status"] == "FAILURE"
    assert answer["errors"][0]["code"] == "INVALID_INPUT"
    assert "already used for a different payment" in answer["errors"][0]["message"]


async def test_an_upper_case_invoice_is_another_request_under_the_same_key(
    merchant: Merchant,
) -> None:
    invoice = foreign()
    await merchant.send(invoice.pr, "key")

    answer = await merchant.send(invoice.pr.upper(), "key")

    assert answer["errors"][0]["code"] == "INVALID_INPUT"


async def test_a_stored_answer_is_forgotten_after_a_day(merchant: Merchant, hand: Hand) -> None:
    invoice = foreign(expiry_s=200_000)
    await merchant.send(invoice.pr, "key")
    await hand.post("clock", advance_s=24 * 3600)

    answer = await merchant.send(invoice.pr, "key")

    assert answer == {"status": "FAILURE", "errors": GENERIC_ERRORS}
    assert await hand.states(invoice.hash) == ["settled"]


async def test_a_blank_key_is_no_key_and_a_long_one_is_refused(merchant: Merchant) -> None:
    blank = await merchant.send(foreign().pr, "   ")
    long = await merchant.send(foreign().pr, "k" * 257)

    assert blank["status"] == "SUCCESS"
    assert long["errors"][0]["code"] == "INVALID_INPUT"


async def test_a_second_call_with_a_running_key_is_told_that_it_is_busy(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()
    await hand.fault("slow_settle", delay_ms=60_000, times=1)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(merchant.send(invoice.pr, "key"))
        await hand.until_started(invoice.hash)

        second = await merchant.send(invoice.pr, "key")
        await hand.post("clock", advance_s=61)

    assert second["status"] == "FAILURE"
    assert second["errors"][0]["code"] == "UNEXPECTED_CLIENT_ERROR"
    assert BUSY in second["errors"][0]["message"]
    assert first.result()["status"] == "SUCCESS"
    assert (await merchant.send(invoice.pr, "key"))["status"] == "SUCCESS"
    assert await hand.states(invoice.hash) == ["settled"]


async def test_many_calls_at_once_with_different_keys_pay_an_invoice_once(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()

    answers = await asyncio.gather(*(merchant.send(invoice.pr, f"key{n}") for n in range(12)))

    assert sorted(a["status"] for a in answers) == ["FAILURE"] * 11 + ["SUCCESS"]
    assert await hand.states(invoice.hash) == ["settled"]


async def test_a_paid_invoice_cannot_be_paid_again_and_the_error_has_no_code(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign()
    await merchant.send(invoice.pr)

    answer = await merchant.send(invoice.pr)

    assert answer == {"status": "FAILURE", "errors": GENERIC_ERRORS}
    assert await hand.states(invoice.hash) == ["settled"]


@pytest.mark.parametrize("broken", ["expired", "amountless", "damaged"])
async def test_what_the_network_will_not_pay_gets_the_generic_error(
    merchant: Merchant, hand: Hand, broken: str
) -> None:
    invoice = foreign(
        None if broken == "amountless" else 1_000, at_s=10_000 if broken == "expired" else None
    )
    damaged = invoice.pr[:-1] + ("p" if invoice.pr.endswith("q") else "q")

    answer = await merchant.send(damaged if broken == "damaged" else invoice.pr)

    assert answer == {"status": "FAILURE", "errors": GENERIC_ERRORS}
    assert await hand.ledger(invoice.hash) == []


async def test_a_short_balance_is_a_definite_refusal_that_can_be_tried_again(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign(20_000_000_000)

    short = await merchant.send(invoice.pr, "key")
    await hand.post("fund", cents=2_000_000)
    again = await merchant.send(invoice.pr, "key")

    assert short["status"] == "FAILURE"
    assert short["errors"][0]["code"] == "INSUFFICIENT_BALANCE"
    assert short["errors"][0]["message"] == "insufficient balance. Current Balance: 10000.00"
    assert again["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("walletId", "not-a-uuid", "Invalid value for WalletId"),
        ("paymentRequest", "hello", "Invalid value for LnPaymentRequest"),
        ("memo", "x" * 640, "Memo is too long"),
    ],
)
async def test_a_bad_scalar_is_answered_in_the_payload(
    merchant: Merchant, member: str, value: str, message: str
) -> None:
    given = merchant.input(foreign().pr)
    given["input"][member] = value

    payload = (await merchant.data(SEND, given))["lnInvoicePaymentSend"]

    assert payload == {
        "status": None,
        "errors": [{"message": message, "code": None, "path": None}],
    }


async def test_somebody_elses_wallet_is_refused_without_a_code(
    merchant: Merchant, hand: Hand
) -> None:
    other = await hand.post("accounts", username="bob")

    payload = await merchant.send(foreign().pr, walletId=other["wallet"])

    assert payload["status"] is None
    assert payload["errors"][0]["code"] is None


async def test_the_legacy_wallet_is_not_rerouted_and_is_empty(merchant: Merchant) -> None:
    payload = await merchant.send(foreign().pr, walletId=merchant.account.usd.id)

    assert payload["errors"][0]["code"] == "INSUFFICIENT_BALANCE"


async def test_an_anonymous_send_is_not_authorized(merchant: Merchant) -> None:
    answer = await merchant.ask(SEND, merchant.input(foreign().pr), headers={})

    assert answer["data"] is None
    assert answer["errors"][0]["message"] == "Not authorized"
    assert answer["errors"][0]["code"] == "NOT_AUTHORIZED"


async def test_one_document_holds_one_send(merchant: Merchant) -> None:
    one = f'lnInvoicePaymentSend(input: {{walletId: "{merchant.wallet}", paymentRequest: "ln"}})'
    query = f"mutation {{ a: {one} {{ status }} b: {one} {{ status }} }}"

    answer = await merchant.raw(query, headers=SESSION)

    assert answer.status_code == 400
    assert "exceeds the maximum cost of 200" in answer.json()["errors"][0]["message"]


async def test_a_fee_probe_quotes_the_debit_or_refuses(merchant: Merchant) -> None:
    fields = "amount invoiceAmount errors { code }"
    invoice = foreign(10_000_000)
    given = {"walletId": merchant.wallet, "paymentRequest": invoice.pr}
    probe = ("lnUsdInvoiceFeeProbe", "LnUsdInvoiceFeeProbeInput", fields)

    before = await merchant.mutate(*probe, **given)
    await merchant.send(invoice.pr)
    after = await merchant.mutate(*probe, **given)

    assert before["errors"] == []
    assert (before["amount"], before["invoiceAmount"]) == (before["amount"] // 1, 1000)
    assert after == {"amount": None, "invoiceAmount": None, "errors": [{"code": "IBEX_ERROR"}]}
