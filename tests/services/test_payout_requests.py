"""Payouts that are asked for: every kind of destination, quoted, approved, paid once."""

from __future__ import annotations

from typing import Any

import pytest

from models.destination import is_amountless
from models.errors import InvalidField, InvoiceError, LimitReached, UnavailableError
from models.payout import DestinationKind, Payout, PayoutKind
from models.payout_request import AMOUNTLESS_RISK, PayoutRequest
from models.states import PayoutState
from services import lnurl
from services.storage import quote as quotes
from tests.support.invoices import invoice
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop

S = PayoutState


async def ask(shop: Shop, destination: str, **more: Any) -> Payout:
    """Ask for a payout."""
    request = PayoutRequest(destination, **more)
    return await shop.container.engine.requests.create(shop.store.id, request, ALICE)


async def approve(shop: Shop, payout: Payout) -> None:
    """Have a person approve a payout."""
    await shop.container.payouts.approve(shop.store.id, payout.id, payout.revision, ALICE)


async def paid(shop: Shop, destination: str, **more: Any) -> Payout:
    """Ask for a payout, approve it and wait until it is paid."""
    payout = await ask(shop, destination, **more)
    assert payout.state is S.AWAITING_APPROVAL
    await approve(shop, payout)
    return await shop.reaches(payout.id, S.COMPLETED, S.FAILED)


async def test_an_invoice_waits_for_approval_and_is_paid_once(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(2_000)

    payout = await paid(paying_shop, minted.pr, memo="Bob's commission", metadata={"order": 7})

    assert (payout.state, payout.kind, payout.amount_sats) == (
        S.COMPLETED,
        PayoutKind.MANUAL,
        2_000,
    )
    assert (payout.currency, payout.original_amount) == ("SATS", 2_000)
    assert (payout.memo, payout.metadata_json) == ("Bob's commission", '{"order":7}')
    assert await hand.times_paid(minted.hash) == 1
    with pytest.raises(InvoiceError, match="used before"):
        await ask(paying_shop, minted.pr)


async def test_every_kind_of_address_is_resolved_to_one_invoice_that_is_stored(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    payee = await hand.open_account(0)
    host = f"127.0.0.1:{hand.sandbox.port}"
    url = f"http://{host}/.well-known/lnurlp/{payee.username}"
    kinds = {
        f"{payee.username}@{host}": DestinationKind.ADDRESS,
        f"LIGHTNING:{lnurl.encode(url)}": DestinationKind.LNURL,
        f"lnurlp://{host}/.well-known/lnurlp/{payee.username}": DestinationKind.LNURL,
        payee.username.upper(): DestinationKind.FLASH,
    }
    for number, (destination, kind) in enumerate(kinds.items()):
        payout = await paid(paying_shop, destination, amount=1_000 + number, currency="SATS")

        attempt = await paying_shop.attempt(payout.id)
        assert (payout.state, payout.destination_kind) == (S.COMPLETED, kind)
        assert (attempt.amount_msat, attempt.payment_hash) == (
            (1_000 + number) * 1000,
            payout.payment_hash,
        )
        assert attempt.verify_sealed is not None
        assert await hand.times_paid(attempt.payment_hash) == 1


async def test_an_invoice_without_an_amount_is_paid_in_dollars_and_marked_as_a_risk(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(amount_msat=None)
    assert is_amountless(minted.pr)
    request = PayoutRequest(minted.pr, amount=250, currency="USD")
    preview = await paying_shop.container.engine.requests.preview(paying_shop.store.id, request)

    payout = await paid(paying_shop, minted.pr, amount=250, currency="USD")

    assert (preview.risk, preview.amount_sats) == (AMOUNTLESS_RISK, 2_500)
    assert (payout.state, payout.amount_sats, payout.value_cents) == (S.COMPLETED, 2_500, 250)
    (row,) = await hand.payments(minted.hash)
    assert (row["operation"], row["amount_msat"]) == ("lnNoAmountUsdInvoicePaymentSend", 2_500_000)
    (send,) = await paying_shop.sends(payout.id)
    assert send.idempotency_key is None


async def test_an_amountless_invoice_is_not_sent_again_after_silence(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(amount_msat=None)
    operation = "lnNoAmountUsdInvoicePaymentSend"
    match = {"payment_hash": minted.hash, "operation": operation}
    await hand.fault("response_lost", match=match, times=1, executed=True)
    payout = await ask(paying_shop, minted.pr, amount=1_000)
    await approve(paying_shop, payout)
    await paying_shop.reaches(payout.id, S.IN_FLIGHT)

    await paying_shop.later(hand, minutes=3)

    assert len(await paying_shop.sends(payout.id)) == 1
    assert await hand.times_paid(minted.hash) == 1


async def test_a_fiat_amount_is_locked_and_quoted_anew_when_its_lock_is_over(
    paying_shop: Shop, hand: Hand
) -> None:
    payee = await hand.open_account(0)
    payout = await ask(paying_shop, payee.username, amount=500, currency="USD")
    assert (payout.amount_sats, payout.original_amount, payout.currency) == (5_000, 500, "USD")
    await hand.post("price", usd_per_btc=125_000)
    paying_shop.clock.advance(minutes=16)
    await hand.post("clock", advance_s=16 * 60)
    await hand.post("price", usd_per_btc=125_000)
    rates = paying_shop.container.rates
    client = paying_shop.connected.worker.tools.client
    await rates.refresh("USD", client.fetch_price)

    await approve(paying_shop, payout)
    done = await paying_shop.reaches(payout.id, S.COMPLETED)

    assert (done.amount_sats, done.original_amount, done.value_cents) == (4_000, 500, 500)
    read = paying_shop.container.database.read
    quote = await read(quotes.newest_quote, paying_shop.store.id, payout.id)
    assert quote is not None
    assert (quote.number, quote.amount_msat) == (2, 4_000_000)
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


async def test_a_budget_that_approves_itself_pays_at_once_and_only_what_it_has(
    paying_shop: Shop, hand: Hand
) -> None:
    pull = await paying_shop.pull_payment(amount=3_000)
    payee = await hand.open_account(0)

    made = await ask(paying_shop, payee.username, amount=2_000, pull_payment_id=pull.id)
    await paying_shop.reaches(made.id, S.COMPLETED)

    with pytest.raises(LimitReached):
        await ask(paying_shop, payee.username, amount=2_000, pull_payment_id=pull.id)
    found = await paying_shop.container.pull_payments.read(paying_shop.store.id, pull.id)
    assert (found.paid, found.reserved) == (2_000, 0)


async def test_a_silent_recipient_is_asked_again_and_given_up_after_hours(
    paying_shop: Shop, hand: Hand
) -> None:
    payee = await hand.open_account(0)
    payout = await ask(paying_shop, payee.username, amount=1_000)
    outbound = paying_shop.container.engine.outbound
    outbound._timeout_s = 0.0001
    await approve(paying_shop, payout)
    await paying_shop.comes_to_rest()
    await paying_shop.later(hand, minutes=5)
    assert (await paying_shop.payout(payout.id)).state is S.APPROVED

    await paying_shop.later(hand, hours=6)

    failed = await paying_shop.reaches(payout.id, S.FAILED)
    assert failed.error_code == "destination_unreachable"
    outbound._timeout_s = 5.0
    retry = paying_shop.container.engine.interventions.retry
    await retry(paying_shop.store.id, payout.id, ALICE)
    await paying_shop.reaches(payout.id, S.COMPLETED)


WRONG: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"destination": "someone"}, InvalidField),
    ({"destination": "lnurlw://example.com/x", "amount": 1}, InvalidField),
    ({"destination": "alice@localhost", "amount": 1}, InvalidField),
    ({"destination": "http://example.com/pay", "amount": 1}, InvalidField),
    ({"destination": "alice", "amount": 1, "currency": "EUR"}, InvalidField),
    ({"destination": "alice", "amount": 5, "currency": "USD"}, UnavailableError),
    ({"destination": "lnbc1qqqq", "amount": 5}, InvoiceError),
    ({"destination": "x", "amount": 5}, InvalidField),
    ({"destination": "", "amount": 5}, InvalidField),
    ({"destination": "alice", "amount": 1, "metadata": {"a": "b" * 5_000}}, InvalidField),
]


@pytest.mark.parametrize(("fields", "error"), WRONG)
async def test_what_cannot_be_paid_is_refused_before_anything_is_written(
    shop: Shop, fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await ask(shop, **fields)

    pr = invoice(shop.clock, 1_000)
    with pytest.raises(InvalidField, match="another amount"):
        await ask(shop, pr, amount=999)
