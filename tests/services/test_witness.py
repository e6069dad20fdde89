"""How Flash's silence ends: by what it says of its own invoices, by its list, or by people."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from models.errors import GatewayError
from models.flash import InvoiceStatus
from models.payout import SendAnswer, SightingSource
from models.states import PayoutState
from models.wallet import Gate
from services.sender import Memory, Sender
from tests.services.test_sending import answers, drawn, goes_wrong
from tests.support.sandbox import FlashAccount, Hand, Minted
from tests.support.shop import ALICE, Shop

S = PayoutState
PAY = """mutation Pay($input: LnInvoicePaymentInput!) {
  lnInvoicePaymentSend(input: $input) { status errors { message } } }"""


async def in_doubt(shop: Shop, hand: Hand, sats: int = 1_000, **more: Any) -> tuple[str, Minted]:
    """Return a payout whose home invoice lives a minute, and whose send came back with an error."""
    minted = await hand.home_invoice(sats, **{"expiry_s": 60} | more)
    await goes_wrong(hand, minted, "generic_error")
    payout_id = await drawn(shop, minted)
    await shop.reaches(payout_id, S.IN_FLIGHT)
    return payout_id, minted


async def pays_from_elsewhere(hand: Hand, account: FlashAccount, sats: int) -> None:
    """Spend from the same wallet with other software."""
    minted = await hand.home_invoice(sats)
    body = {"walletId": account.wallet, "paymentRequest": minted.pr}
    answer = await hand.ask_flash(account, PAY, input=body)
    assert answer["data"]["lnInvoicePaymentSend"]["status"] == "SUCCESS"


async def expires_twice(shop: Shop, hand: Hand) -> None:
    """Let time pass until Flash has said EXPIRED twice, five minutes apart, after the grace."""
    await shop.later(hand, minutes=11)
    await shop.later(hand, minutes=5)
    await shop.later(hand, minutes=5)


async def test_expired_twice_and_not_in_the_list_frees_the_money(
    paying_shop: Shop, hand: Hand
) -> None:
    payout_id, minted = await in_doubt(paying_shop, hand)

    await expires_twice(paying_shop, hand)

    payout = await paying_shop.payout(payout_id)
    assert (payout.state, payout.error_code) == (S.FAILED, "invoice_expired")
    assert await answers(paying_shop, payout_id) == [SendAnswer.ERROR]
    assert await hand.times_paid(minted.hash) == 0
    assert payout.pull_payment_id is not None
    read = paying_shop.container.pull_payments.read
    found = await read(paying_shop.store.id, payout.pull_payment_id)
    assert found.remaining == found.budget


async def test_one_expired_is_not_enough(paying_shop: Shop, hand: Hand) -> None:
    payout_id, _ = await in_doubt(paying_shop, hand)

    await paying_shop.later(hand, minutes=11)
    await paying_shop.later(hand, minutes=4)

    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT
    assert (await paying_shop.attempt(payout_id)).expired_seen_at is not None


async def test_before_the_grace_is_over_expired_counts_for_nothing(
    paying_shop: Shop, hand: Hand
) -> None:
    payout_id, _ = await in_doubt(paying_shop, hand)

    await paying_shop.later(hand, minutes=5)
    await paying_shop.later(hand, minutes=5)

    assert (await paying_shop.attempt(payout_id)).expired_seen_at is None
    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT


async def test_an_empty_list_decides_nothing(paying_shop: Shop, hand: Hand) -> None:
    payout_id, _ = await in_doubt(paying_shop, hand)
    await hand.fault("empty_transactions")

    await expires_twice(paying_shop, hand)

    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT


async def test_a_row_that_nobody_claims_keeps_the_money_reserved(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    payout_id, _ = await in_doubt(paying_shop, hand, 1_000)
    await pays_from_elsewhere(hand, account, 1_001)

    await expires_twice(paying_shop, hand)

    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT


async def test_a_row_that_is_another_payouts_does_not(paying_shop: Shop, hand: Hand) -> None:
    twin = await hand.home_invoice(1_000)
    await paying_shop.reaches(await drawn(paying_shop, twin), S.COMPLETED)
    payout_id, _ = await in_doubt(paying_shop, hand, 1_000)

    await expires_twice(paying_shop, hand)

    assert (await paying_shop.payout(payout_id)).state is S.FAILED


async def test_a_foreign_invoice_is_never_given_up_by_the_machine(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(expiry_s=60)
    await goes_wrong(hand, minted, "generic_error")
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.IN_FLIGHT)

    await expires_twice(paying_shop, hand)
    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT
    await paying_shop.later(hand, hours=24)

    payout = await paying_shop.payout(payout_id)
    assert payout.state is S.NEEDS_REVIEW
    assert await answers(paying_shop, payout_id) == [SendAnswer.ERROR]


async def test_money_that_left_after_all_shuts_the_gate_for_whatever_follows(
    paying_shop: Shop, hand: Hand
) -> None:
    payout_id, minted = await in_doubt(paying_shop, hand)
    await expires_twice(paying_shop, hand)
    assert (await paying_shop.payout(payout_id)).state is S.FAILED

    await paying_shop.container.tracking.take_status(
        minted.hash, InvoiceStatus.PAID, SightingSource.SOCKET
    )

    wallet = await paying_shop.wallet()
    assert (wallet.gate, wallet.gate_reason) == (Gate.SHUT, "paid_after_release")
    pull = await paying_shop.pull_payment(auto_approve=False)
    waiting = await paying_shop.claim(pull, (await hand.home_invoice()).pr)
    decide = paying_shop.container.payouts
    await decide.approve(paying_shop.store.id, waiting.id, waiting.revision, ALICE)
    await paying_shop.later(hand, minutes=1)
    assert await paying_shop.sends(waiting.id) == []


async def test_a_preimage_from_anywhere_ends_all_doubt(paying_shop: Shop, hand: Hand) -> None:
    payout_id, minted = await in_doubt(paying_shop, hand)

    await paying_shop.container.tracking.take_preimage(
        minted.hash, minted.preimage, SightingSource.VERIFY
    )

    view = await paying_shop.container.payouts.read(paying_shop.store.id, payout_id, shows_all=True)
    assert (view.state, view.preimage) == (S.COMPLETED, minted.preimage)


@pytest.mark.parametrize("mint", [Hand.home_invoice, Hand.foreign_invoice])
async def test_a_day_after_expiry_it_is_for_people_though_flash_cannot_be_asked(
    paying_shop: Shop, hand: Hand, mint: Any
) -> None:
    minted = await mint(hand, 1_000, expiry_s=60)
    await goes_wrong(hand, minted, "generic_error")
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    worker, wallet = paying_shop.connected.worker, await paying_shop.wallet()
    # What it still writes when it ends, it would write at the time that is set then.
    await paying_shop.comes_to_rest()
    await paying_shop.container.supervisor.end(f"worker {paying_shop.store.id}")
    paying_shop.clock.advance(hours=25)
    await hand.fault("http_401", match={"operation": "lnInvoicePaymentStatus"})

    # A worker that has never heard of the wallet, as one with a revoked credential.
    newcomer = Sender(worker.tools, wallet, wallet.fence)
    long_ago = paying_shop.clock.utc_now() - timedelta(hours=1)
    with suppress(GatewayError):  # the last look of the worker before may have done it already
        await newcomer.advance(await paying_shop.payout(payout_id), Memory(asked_at=long_ago))

    assert (await paying_shop.payout(payout_id)).state is S.NEEDS_REVIEW
