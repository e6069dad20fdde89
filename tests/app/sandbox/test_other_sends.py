"""Sends that are not of a BOLT11 invoice with an amount."""

from __future__ import annotations

import pytest

from app.sandbox.server import Sandbox
from services import lnurl
from tests.app.sandbox.actors import Hand, Merchant, foreign

PAYLOAD = "status errors { message code }"


async def test_an_amountless_invoice_is_paid_in_cents_and_only_once(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign(None)
    name, kind = "lnNoAmountUsdInvoicePaymentSend", "LnNoAmountUsdInvoicePaymentInput"
    given = {"walletId": merchant.account.usd.id, "paymentRequest": invoice.pr, "amount": 12.5}

    first = await merchant.mutate(name, kind, PAYLOAD, **given)
    second = await merchant.mutate(name, kind, PAYLOAD, **given)

    assert first["status"] == "SUCCESS"
    assert second["errors"] == [
        {"message": "Invoice is already paid", "code": "LIGHTNING_PAYMENT_ERROR"}
    ]
    (row,) = await hand.ledger(invoice.hash)
    assert row["amount_msat"] == 125 * 10**6 * 10**8 // row["nanousd_per_btc"] * 1000


async def test_an_intraledger_send_arrives_and_repeats_without_a_key_pay_again(
    merchant: Merchant, hand: Hand
) -> None:
    bob = await hand.post("accounts", username="bob")
    kind = "IntraLedgerUsdPaymentSendInput"
    given = {"walletId": merchant.wallet, "recipientWalletId": bob["wallet"], "amount": 100}

    for _ in range(2):
        answer = await merchant.mutate("intraLedgerUsdPaymentSend", kind, PAYLOAD, **given)
        assert answer == {"status": "SUCCESS", "errors": []}

    rows = (await hand.get("payments"))["items"]
    assert [row["operation"] for row in rows] == ["intraLedgerUsdPaymentSend"] * 2
    assert rows[0]["payment_hash"] != rows[1]["payment_hash"]


async def test_an_intraledger_send_with_a_key_pays_once(merchant: Merchant, hand: Hand) -> None:
    bob = await hand.post("accounts", username="bob")
    given = {"walletId": merchant.wallet, "recipientWalletId": bob["wallet"], "amount": 100}

    for _ in range(3):
        answer = await merchant.mutate(
            "intraLedgerUsdPaymentSend",
            "IntraLedgerUsdPaymentSendInput",
            PAYLOAD,
            **given,
            idempotencyKey="k",
        )
        assert answer["status"] == "SUCCESS"

    assert len((await hand.get("payments"))["items"]) == 1


async def test_an_lnurl_send_answers_pending_although_the_money_arrives(
    merchant: Merchant, hand: Hand, sandbox: Sandbox
) -> None:
    await hand.post("accounts", username="carol")
    address = lnurl.encode(f"{sandbox.world.origin}/.well-known/lnurlp/carol")

    answer = await merchant.mutate(
        "lnurlPaymentSend",
        "LnurlPaymentSendInput",
        PAYLOAD,
        walletId=merchant.wallet,
        lnurl=address,
        amount=50,
    )

    assert answer == {"status": "PENDING", "errors": []}
    (row,) = (await hand.get("payments"))["items"]
    assert row["state"] == "settled"


async def test_an_lnurl_elsewhere_is_an_internal_error(merchant: Merchant) -> None:
    query = "mutation M($i: LnurlPaymentSendInput!) { lnurlPaymentSend(input: $i) { status } }"
    given = {"walletId": merchant.wallet, "lnurl": lnurl.encode("https://x.example"), "amount": 5}

    answer = await merchant.ask(query, {"i": given})

    assert answer["errors"][0]["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize(
    ("name", "kind", "amount", "status", "code"),
    [
        ("lnNoAmountInvoicePaymentSend", "LnNoAmountInvoicePaymentInput", 5, "FAILURE", "INVALID"),
        ("intraLedgerPaymentSend", "IntraLedgerPaymentSendInput", 5, "FAILURE", "INVALID"),
        ("onChainPaymentSend", "OnChainPaymentSendInput", 5, None, None),
    ],
)
async def test_bitcoin_sends_fail_as_nobody_has_such_a_wallet(
    merchant: Merchant, name: str, kind: str, amount: int, status: str | None, code: str | None
) -> None:
    given = {
        "lnNoAmountInvoicePaymentSend": {"paymentRequest": foreign(None).pr},
        "intraLedgerPaymentSend": {"recipientWalletId": merchant.wallet},
        "onChainPaymentSend": {"address": "bc1q"},
    }[name]

    answer = await merchant.mutate(
        name, kind, PAYLOAD, walletId=merchant.wallet, amount=amount, **given
    )

    assert answer["status"] == status
    assert answer["errors"][0]["code"] == (None if code is None else "INVALID_INPUT")
