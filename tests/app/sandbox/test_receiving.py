"""Invoices of one's own, the state of any invoice, and the Lightning Address host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from services import bolt11
from tests.app.sandbox.actors import Hand, Merchant, foreign
from tests.support.patience import PATIENCE_S

FIELDS = "errors { message code } invoice { paymentRequest paymentHash paymentSecret satoshis }"
AMOUNTLESS = "errors { message code } invoice { paymentRequest }"
CREATE = ("lnUsdInvoiceCreate", "LnUsdInvoiceCreateInput", FIELDS)


@pytest.fixture
async def limited(tmp_path: Path, settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    async with open_sandbox(replace(settings, ledger=tmp_path / "l.db", pace=True)) as opened:
        yield opened


async def test_an_invoice_lives_sixty_seconds_whatever_is_asked(merchant: Merchant) -> None:
    made = await merchant.mutate(
        *CREATE, walletId=merchant.wallet, amount=250.5, expiresIn=1440, memo="top up"
    )

    invoice = bolt11.decode(made["invoice"]["paymentRequest"])
    assert made["invoice"]["satoshis"] is None
    assert (invoice.expiry_s, invoice.amount_msat) == (60, 2_505_000)
    assert (invoice.payment_hash, invoice.description) == (made["invoice"]["paymentHash"], "top up")


async def test_an_amountless_invoice_needs_an_expiry(merchant: Merchant) -> None:
    create = ("lnNoAmountInvoiceCreate", "LnNoAmountInvoiceCreateInput", AMOUNTLESS)

    without = await merchant.mutate(*create, walletId=merchant.wallet)
    made = await merchant.mutate(*create, walletId=merchant.wallet, expiresIn=1)

    assert without["invoice"] is None
    assert bolt11.decode(made["invoice"]["paymentRequest"]).amount_msat is None


async def test_bitcoin_invoices_are_not_made(merchant: Merchant) -> None:
    made = await merchant.mutate(
        "lnInvoiceCreate", "LnInvoiceCreateInput", FIELDS, walletId=merchant.wallet, amount=5
    )

    assert made["errors"] == [{"message": "Flash does not support BTC wallets.", "code": None}]


async def test_the_twenty_first_invoice_in_two_minutes_is_refused_and_then_for_five(
    limited: Sandbox, http: httpx.AsyncClient
) -> None:
    merchant, hand = Merchant(http, limited), Hand(http, limited.control_url)
    given = {"walletId": merchant.wallet, "amount": 10}

    made = [await merchant.mutate(*CREATE, **given) for _ in range(21)]
    await hand.post("clock", advance_s=290)
    still = await merchant.mutate(*CREATE, **given)
    await hand.post("clock", advance_s=20)
    again = await merchant.mutate(*CREATE, **given)

    assert [m["invoice"] is None for m in made] == [False] * 20 + [True]
    assert made[-1]["errors"][0]["code"] == "TOO_MANY_REQUEST"
    assert still["invoice"] is None
    assert again["invoice"] is not None


async def test_a_home_invoice_is_pending_then_paid(merchant: Merchant, hand: Hand) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=1_000_000)

    before = await merchant.status(invoice["pr"])
    await merchant.send(invoice["pr"])
    after = await merchant.status(invoice["pr"])

    assert before == {"status": "PENDING", "errors": []}
    assert after == {"status": "PAID", "errors": []}


async def test_a_home_invoice_expires(merchant: Merchant, hand: Hand) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=1_000, expiry_s=30)
    await hand.post("clock", advance_s=30)

    assert (await merchant.status(invoice["pr"]))["status"] == "EXPIRED"


async def test_a_foreign_invoice_is_unknown_while_it_lives_even_when_it_was_paid(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign(expiry_s=600)
    await merchant.send(invoice.pr)

    living = await merchant.status(invoice.pr)
    await hand.post("clock", advance_s=601)
    dead = await merchant.status(invoice.pr)

    assert living["status"] is None
    assert living["errors"][0]["code"] == "IBEX_ERROR"
    assert dead == {"status": "EXPIRED", "errors": []}


async def test_an_unreadable_invoice_has_no_status(merchant: Merchant) -> None:
    answer = await merchant.status("lnbc1nothing")

    assert answer["errors"][0]["code"] == "INVOICE_DECODE_ERROR"


async def test_an_address_is_offered_paid_and_verified(
    sandbox: Sandbox, merchant: Merchant, hand: Hand, http: httpx.AsyncClient
) -> None:
    await hand.post("accounts", username="dora")
    offer = (await http.get(f"{sandbox.world.origin}/.well-known/lnurlp/Dora")).json()
    answer = (await http.get(offer["callback"], params={"amount": 42_000})).json()
    invoice = bolt11.decode(answer["pr"])

    before = (await http.get(answer["verify"])).json()
    await merchant.send(answer["pr"])
    after = (await http.get(answer["verify"])).json()

    assert (offer["tag"], invoice.amount_msat) == ("payRequest", 42_000)
    assert invoice.description_hash == sha256(offer["metadata"].encode()).hexdigest()
    assert (before["status"], before["settled"], before["preimage"]) == ("OK", False, None)
    assert after["settled"] is True
    assert sha256(bytes.fromhex(after["preimage"])).hexdigest() == invoice.payment_hash


@pytest.mark.parametrize("amount", ["999", "10000000001", "ten", ""])
async def test_an_address_refuses_an_amount_out_of_its_bounds(
    sandbox: Sandbox, hand: Hand, http: httpx.AsyncClient, amount: str
) -> None:
    await hand.post("accounts", username="dora")

    answer = await http.get(f"{sandbox.world.origin}/pay/lnurl/dora", params={"amount": amount})

    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")


async def test_an_unknown_address_is_an_error_with_http_200(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    answer = await http.get(f"{sandbox.world.origin}/.well-known/lnurlp/nobody")

    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")


async def test_only_invoices_of_the_host_can_be_verified(
    sandbox: Sandbox, hand: Hand, http: httpx.AsyncClient
) -> None:
    invoice = await hand.post("invoices", payee="alice", amount_msat=1_000)

    answer = await http.get(f"{sandbox.world.origin}/pay/lnurl/verify/{invoice['hash']}")

    assert answer.json() == {"status": "ERROR", "reason": "Not found"}


async def test_the_world_can_be_used_without_a_socket(sandbox: Sandbox, merchant: Merchant) -> None:
    world = sandbox.world
    with world.outcomes() as outcomes:
        invoice = await world.mint("erin", 7_000, "taxi")
        await merchant.send(invoice.request)
        outcome = await asyncio.wait_for(outcomes.next(), PATIENCE_S)

    assert (outcome.payment_hash, outcome.state) == (invoice.payment_hash, "settled")
    assert outcome.payee_wallet_id == invoice.wallet_id
    assert world.is_paid(invoice.payment_hash)
