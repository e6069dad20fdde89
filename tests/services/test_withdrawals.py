"""Claims: what a link or tap may draw, what is refused and why, and that nothing is drawn twice."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.errors import (
    InvoiceError,
    LimitReached,
    NotFoundError,
    ServiceError,
    UnavailableError,
    WithdrawError,
)
from models.instants import to_seconds
from models.money import Rate
from models.payout import PayoutKind
from models.pull_payment import PullPayment
from models.states import PayoutState
from services import bolt11
from services.boltcards import OpenTap
from services.pull_payments import PullPaymentChange
from services.storage import pull_payment as pull_payments
from services.withdrawals import Claim, Withdrawals
from tests.support.cards import VirtualCard
from tests.support.clock import NOON
from tests.support.databases import Raw, raw
from tests.support.invoices import invoice
from tests.support.patience import PATIENCE_S
from tests.support.shop import ALICE, Shop, open_store

# A sat is a tenth of a cent.
RATE = Rate("USD", 1, 10, "test", NOON)


@pytest.fixture
async def waiting(shop: Shop) -> PullPayment:
    """A pull payment whose claims wait for approval, so that nothing has to be sent."""
    return await shop.pull_payment(auto_approve=False)


def token_of(shop: Shop, pull_payment: PullPayment) -> str:
    return shop.container.pull_payments.claim_token(pull_payment)


async def k1_of(shop: Shop, pull_payment: PullPayment) -> str:
    return (await shop.container.withdrawals.offer_link(token_of(shop, pull_payment))).k1


async def refusal(claim: Any) -> tuple[type[ServiceError], str | None]:
    with pytest.raises(ServiceError) as caught:
        await claim
    return type(caught.value), getattr(caught.value, "reason", getattr(caught.value, "limit", None))


def counts(beneath: Raw) -> dict[str, int]:
    tables = ("payouts", "attempts", "payout_events", "ledger")
    return {table: beneath.value(f"SELECT count(*) FROM {table}") for table in tables}


async def test_a_claim_is_reserved_with_its_invoice(shop: Shop, waiting: PullPayment) -> None:
    pr = invoice(shop.clock, 21_000, description="Lunch")

    payout = await shop.claim(waiting, pr)

    attempt = await shop.attempt(payout.id)
    assert payout.state is PayoutState.AWAITING_APPROVAL
    assert payout.kind is PayoutKind.CLAIM
    assert (payout.amount_sats, payout.original_amount, payout.currency) == (21_000, 21_000, "SATS")
    assert payout.payment_hash == attempt.payment_hash == bolt11.decode(pr).payment_hash
    assert payout.memo == "Lunch"
    assert await shop.path(payout.id) == ["pending", "awaiting_approval"]
    left = await shop.container.pull_payments.read(shop.store.id, waiting.id)
    assert (left.reserved, left.remaining) == (21_000, 979_000)


async def test_millisats_reserve_whole_sats_rounded_up(shop: Shop, waiting: PullPayment) -> None:
    payout = await shop.claim(waiting, invoice(shop.clock, amount_msat=1_001))

    assert (payout.amount_msat, payout.amount_sats, payout.original_amount) == (1_001, 2, 2)


async def test_a_fiat_budget_is_debited_in_whole_cents_rounded_up(shop: Shop) -> None:
    shop.container.rates.put(RATE)
    dollars = await shop.pull_payment(currency="USD", amount=500, auto_approve=False)

    payout = await shop.claim(dollars, invoice(shop.clock, 1_001))

    assert (payout.original_amount, payout.currency, payout.value_cents) == (101, "USD", 100)
    assert (payout.rate_numerator, payout.rate_denominator, payout.rate_source) == (1, 10, "test")
    assert payout.rate_at == NOON


async def test_without_a_fresh_rate_a_fiat_budget_pays_nothing(shop: Shop) -> None:
    shop.container.rates.put(RATE)
    dollars = await shop.pull_payment(currency="USD", amount=500, auto_approve=False)
    shop.clock.advance(minutes=16)
    offer = await shop.container.withdrawals.offer_link(token_of(shop, dollars))

    assert offer.max_msat == 0
    assert await refusal(shop.claim(dollars, invoice(shop.clock))) == (UnavailableError, None)


async def test_an_offer_says_what_is_left(shop: Shop) -> None:
    pull = await shop.pull_payment(amount=5_000, min_sats=10, max_sats=3_000, auto_approve=False)
    token = token_of(shop, pull)
    first = await shop.container.withdrawals.offer_link(token)
    await shop.claim(pull, invoice(shop.clock, 3_000))

    second = await shop.container.withdrawals.offer_link(token)

    assert (first.description, first.min_msat, first.max_msat) == ("Tips", 10_000, 3_000_000)
    assert second.max_msat == 2_000_000
    assert first.k1 != second.k1


@pytest.mark.parametrize("change", [{"archived": True}, {"expires_at": NOON + timedelta(hours=1)}])
async def test_a_closed_pull_payment_offers_and_takes_nothing(
    shop: Shop, waiting: PullPayment, change: dict[str, Any]
) -> None:
    k1 = await k1_of(shop, waiting)
    await shop.container.pull_payments.change(
        shop.store.id, waiting.id, PullPaymentChange(**change), ALICE
    )
    shop.clock.advance(minutes=59 if "archived" in change else 60)
    offer = await shop.container.withdrawals.offer_link(token_of(shop, waiting))

    assert offer.max_msat == 0
    k1 = offer.k1 if "archived" not in change else k1
    asked = shop.claim(waiting, invoice(shop.clock), k1)
    assert await refusal(asked) == (WithdrawError, "closed")


async def test_a_new_link_ends_the_old_one(shop: Shop, waiting: PullPayment) -> None:
    old_token, old_k1 = token_of(shop, waiting), await k1_of(shop, waiting)
    changed = await shop.container.pull_payments.change(
        shop.store.id, waiting.id, PullPaymentChange(new_link=True), ALICE
    )
    asked = Claim(old_k1, bolt11.decode(invoice(shop.clock)), None, old_token)

    assert token_of(shop, changed) != old_token
    assert (await refusal(shop.container.withdrawals.offer_link(old_token)))[0] is NotFoundError
    assert (await refusal(shop.container.withdrawals.claim(asked)))[0] is NotFoundError
    assert (await shop.claim(changed, invoice(shop.clock))).amount_sats == 1_000


BAD_INVOICES: dict[str, dict[str, Any]] = {
    "below_min": {"sats": 9},
    "above_max": {"sats": 5_001},
    "no_amount": {"sats": None},
    "wrong_network": {"network": "tb"},
    "expired": {"expiry_s": 3600, "timestamp_s": 1_700_000_000},
    "expires_too_soon": {"expiry_s": 9},
    "timestamp_in_future": {"timestamp_s": to_seconds(NOON) + 601},
    "expires_too_late": {"expiry_s": 31 * 86_400},
}


@pytest.mark.parametrize("reason", BAD_INVOICES)
async def test_an_invoice_that_cannot_be_paid_is_refused_and_leaves_nothing(
    shop: Shop, beneath: Raw, reason: str
) -> None:
    pull = await shop.pull_payment(min_sats=10, max_sats=5_000, auto_approve=False)
    before = counts(beneath)
    pr = invoice(shop.clock, **BAD_INVOICES[reason])

    assert await refusal(shop.claim(pull, pr)) == (InvoiceError, reason)
    assert counts(beneath) == before


async def test_an_invoice_of_nothing_cannot_even_be_read(shop: Shop) -> None:
    empty = invoice(shop.clock, 1).replace("lnbc10n", "lnbc0n")

    with pytest.raises(InvoiceError):
        bolt11.decode(empty)


@pytest.mark.parametrize("sats", [1_000_000, 999_999])
async def test_exactly_what_is_left_may_be_drawn_and_no_sat_more(
    shop: Shop, waiting: PullPayment, sats: int
) -> None:
    await shop.claim(waiting, invoice(shop.clock, sats))
    left = 1_000_000 - sats

    asked = shop.claim(waiting, invoice(shop.clock, left + 1))

    assert await refusal(asked) == (LimitReached, "budget")
    if left:
        assert (await shop.claim(waiting, invoice(shop.clock, left))).original_amount == left


async def test_the_same_k1_and_invoice_get_the_same_payout(
    shop: Shop, waiting: PullPayment, beneath: Raw
) -> None:
    k1, pr = await k1_of(shop, waiting), invoice(shop.clock)
    first = await shop.claim(waiting, pr, k1)
    before = counts(beneath)

    again = await shop.claim(waiting, pr, k1)

    assert again == first
    assert counts(beneath) == before


async def test_the_same_answer_is_given_after_the_k1_is_over(
    shop: Shop, waiting: PullPayment
) -> None:
    k1, pr = await k1_of(shop, waiting), invoice(shop.clock)
    first = await shop.claim(waiting, pr, k1)

    shop.clock.advance(days=2)

    assert await shop.claim(waiting, pr, k1) == first


async def test_a_k1_draws_for_one_invoice_only(shop: Shop, waiting: PullPayment) -> None:
    k1 = await k1_of(shop, waiting)
    await shop.claim(waiting, invoice(shop.clock), k1)

    asked = shop.claim(waiting, invoice(shop.clock), k1)

    assert await refusal(asked) == (WithdrawError, "k1_used")


async def test_an_invoice_is_drawn_by_one_k1_only(shop: Shop, waiting: PullPayment) -> None:
    pr = invoice(shop.clock)
    await shop.claim(waiting, pr)

    assert await refusal(shop.claim(waiting, pr)) == (InvoiceError, "payment_hash_seen")


async def test_an_invoice_used_in_another_store_is_refused(
    shop: Shop, waiting: PullPayment
) -> None:
    pr = invoice(shop.clock)
    await shop.claim(waiting, pr)
    other = Shop(shop.container, shop.clock, await open_store(shop.container, name="Next door"))
    theirs = await other.pull_payment(auto_approve=False)

    assert await refusal(other.claim(theirs, pr)) == (InvoiceError, "payment_hash_seen")


@pytest.mark.parametrize(("minutes", "is_taken"), [(59, True), (60, False)])
async def test_a_links_k1_lives_an_hour(
    shop: Shop, waiting: PullPayment, minutes: int, is_taken: bool
) -> None:
    k1 = await k1_of(shop, waiting)
    shop.clock.advance(minutes=minutes)
    asked = shop.claim(waiting, invoice(shop.clock), k1)

    if is_taken:
        assert (await asked).amount_sats == 1_000
    else:
        assert await refusal(asked) == (WithdrawError, "k1_expired")


@pytest.mark.parametrize("k1", ["", "00", "zz" * 32, "00" * 32, "ab" * 31])
async def test_a_k1_that_nobody_gave_out_is_not_known(
    shop: Shop, waiting: PullPayment, k1: str
) -> None:
    asked = shop.claim(waiting, invoice(shop.clock), k1)

    assert await refusal(asked) == (WithdrawError, "unknown_k1")


async def test_a_k1_of_one_link_does_not_open_another(shop: Shop, waiting: PullPayment) -> None:
    other = await shop.pull_payment(auto_approve=False)
    k1 = await k1_of(shop, other)

    asked = shop.claim(waiting, invoice(shop.clock), k1)

    assert await refusal(asked) == (WithdrawError, "unknown_k1")


async def test_a_k1_whose_end_was_moved_is_not_known(shop: Shop, waiting: PullPayment) -> None:
    raw = bytearray.fromhex(await k1_of(shop, waiting))
    raw[15] ^= 1

    asked = shop.claim(waiting, invoice(shop.clock), raw.hex())

    assert await refusal(asked) == (WithdrawError, "unknown_k1")


def with_wait(shop: Shop, wait_s: float | None) -> Withdrawals:
    container = shop.container
    return Withdrawals(
        container.database,
        container.vault,
        container.clock,
        container.ids,
        hub=container.hub,
        rates=container.rates,
        expected_wait_s=lambda _store: wait_s,
    )


@pytest.mark.parametrize(("wait_s", "is_refused"), [(None, True), (51, True), (50, False)])
async def test_what_would_wait_longer_than_its_invoice_lives_is_refused_at_once(
    shop: Shop, beneath: Raw, wait_s: float | None, is_refused: bool
) -> None:
    pull = await shop.pull_payment()
    token, k1 = token_of(shop, pull), await k1_of(shop, pull)
    short = bolt11.decode(invoice(shop.clock, expiry_s=60))
    asked = asyncio.ensure_future(with_wait(shop, wait_s).claim(Claim(k1, short, None, token)))

    if is_refused:
        assert await refusal(asked) == (UnavailableError, None)
        assert counts(beneath)["payouts"] == 0
        return
    with shop.container.hub.listen_store(shop.store.id) as hints:
        assert await hints.wait(5)
    asked.cancel()


async def test_what_waits_for_approval_does_not_have_to_be_quick(
    shop: Shop, waiting: PullPayment
) -> None:
    token, k1 = token_of(shop, waiting), await k1_of(shop, waiting)
    asked = Claim(k1, bolt11.decode(invoice(shop.clock, expiry_s=60)), None, token)

    payout = await with_wait(shop, None).claim(asked)

    assert payout.state is PayoutState.AWAITING_APPROVAL


async def test_of_twenty_claims_at_once_against_a_budget_for_ten_exactly_ten_pass(
    shop: Shop, beneath: Raw
) -> None:
    pull = await shop.pull_payment(amount=10_000, auto_approve=False)
    asked = [shop.claim(pull, invoice(shop.clock)) for _ in range(20)]

    results = await asyncio.gather(*asked, return_exceptions=True)

    refused = [found for found in results if isinstance(found, LimitReached)]
    assert (len(refused), len(results) - len(refused)) == (10, 10)
    assert counts(beneath) == {"payouts": 10, "attempts": 10, "payout_events": 20, "ledger": 22}
    left = await shop.container.pull_payments.read(shop.store.id, pull.id)
    assert (left.reserved, left.remaining) == (10_000, 0)


async def test_of_twenty_callbacks_with_one_k1_all_get_the_one_payout(
    shop: Shop, waiting: PullPayment, beneath: Raw
) -> None:
    k1, pr = await k1_of(shop, waiting), invoice(shop.clock)

    results = await asyncio.gather(*(shop.claim(waiting, pr, k1) for _ in range(20)))

    assert len({payout.id for payout in results}) == 1
    assert counts(beneath)["payouts"] == 1


async def test_of_twenty_links_with_one_invoice_one_is_paid(
    shop: Shop, waiting: PullPayment, beneath: Raw
) -> None:
    pr = invoice(shop.clock)
    asked = [shop.claim(waiting, pr) for _ in range(20)]

    results = await asyncio.gather(*asked, return_exceptions=True)

    refused = [found for found in results if isinstance(found, InvoiceError)]
    assert len(refused) == 19
    assert {error.reason for error in refused} == {"payment_hash_seen"}
    assert counts(beneath)["payouts"] == 1


async def test_a_callback_sent_twice_is_not_refused_while_its_twin_is_taken(
    shop: Shop, beneath: Raw
) -> None:
    pull = await shop.pull_payment()
    token, k1 = token_of(shop, pull), await k1_of(shop, pull)
    claim = Claim(k1, bolt11.decode(invoice(shop.clock)), None, token)
    is_refused, waits = threading.Event(), [0.0, None]

    def expected_wait_s(_store: str) -> float | None:
        """Have the first look wait for the second, which finds that no more is taken."""
        wait_s = waits.pop(0)
        if wait_s is not None:
            is_refused.wait(0.3)
        return wait_s

    withdrawals = with_wait(shop, 0.0)
    withdrawals._expected_wait_s = expected_wait_s
    twins = [asyncio.ensure_future(withdrawals.claim(claim)) for _ in range(2)]
    (quick,), (slow,) = await asyncio.wait(twins, return_when=asyncio.FIRST_COMPLETED)
    is_refused.set()

    assert quick.result().state is PayoutState.APPROVED
    slow.cancel()
    assert counts(beneath)["payouts"] == 1


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def test_a_callback_at_another_instance_waits_for_its_twin_when_the_gate_shuts(
    shop: Shop, database_url: str, beneath: Raw
) -> None:
    pull = await shop.pull_payment()
    token, k1 = token_of(shop, pull), await k1_of(shop, pull)
    claim = Claim(k1, bolt11.decode(invoice(shop.clock)), None, token)
    one, other = with_wait(shop, 0.0), with_wait(shop, 0.0)
    with raw(database_url) as hand:
        with hand.transaction() as tx:  # its budget is held: the first has seen the gate open
            pull_payments.lock_pull_payment(tx, shop.store.id, pull.id)
            first = asyncio.ensure_future(one.claim(claim))
            await wait_for_locks(beneath, 1)
            await shop.container.wallets.stop(shop.store.id, ALICE)
            second = asyncio.ensure_future(other.claim(claim))
            await wait_for_locks(beneath, 2)
        (slow,), _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)

    assert (await second).state is PayoutState.APPROVED
    assert slow is second
    assert counts(beneath)["payouts"] == 1
    first.cancel()


async def wait_for_locks(beneath: Raw, count: int) -> None:
    """Wait until so many of this database's connections wait for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(beneath.value, waiting) < count:
            await asyncio.sleep(0.01)


@pytest.fixture
async def tapped(shop: Shop, waiting: PullPayment) -> OpenTap:
    card = VirtualCard()
    await shop.card(card, waiting)
    return await shop.container.boltcards.take_tap(card.tap(), "X-1")


async def test_a_tap_draws_for_its_card(shop: Shop, tapped: OpenTap) -> None:
    payout = await shop.claim_tap(tapped, invoice(shop.clock))

    card = await shop.container.boltcards.read(shop.store.id, tapped.card.id)
    assert payout.kind is PayoutKind.TAP
    assert (payout.card_id, payout.card_verified) == (tapped.card.id, True)
    assert payout.card_hint == "X-1"
    assert card.last_used_at == shop.clock.utc_now()


async def test_a_tap_is_used_once_and_answers_the_same_again(shop: Shop, tapped: OpenTap) -> None:
    pr = invoice(shop.clock)
    first = await shop.claim_tap(tapped, pr)

    assert await shop.claim_tap(tapped, pr) == first
    other = shop.claim_tap(tapped, invoice(shop.clock))
    assert await refusal(other) == (WithdrawError, "k1_used")


@pytest.mark.parametrize(("seconds", "is_taken"), [(59, True), (60, False)])
async def test_a_taps_k1_lives_a_minute(
    shop: Shop, tapped: OpenTap, seconds: int, is_taken: bool
) -> None:
    shop.clock.advance(seconds=seconds)
    asked = shop.claim_tap(tapped, invoice(shop.clock))

    if is_taken:
        assert (await asked).kind is PayoutKind.TAP
    else:
        assert await refusal(asked) == (WithdrawError, "k1_expired")


async def test_a_card_switched_off_after_the_tap_draws_nothing(shop: Shop, tapped: OpenTap) -> None:
    await shop.container.boltcards.change(shop.store.id, tapped.card.id, ALICE, active=False)

    asked = shop.claim_tap(tapped, invoice(shop.clock))

    assert await refusal(asked) == (WithdrawError, "card_disabled")


async def test_a_refused_claim_leaves_the_tap_for_a_better_one(shop: Shop, tapped: OpenTap) -> None:
    assert (await refusal(shop.claim_tap(tapped, invoice(shop.clock, 2_000_000))))[
        0
    ] is LimitReached

    assert (await shop.claim_tap(tapped, invoice(shop.clock))).kind is PayoutKind.TAP


async def test_a_link_is_never_verified_as_a_card(shop: Shop, waiting: PullPayment) -> None:
    token, k1 = token_of(shop, waiting), await k1_of(shop, waiting)
    asked = Claim(k1, bolt11.decode(invoice(shop.clock)), "04a1b2c3", token)

    payout = await shop.container.withdrawals.claim(asked)

    assert (payout.card_id, payout.card_verified, payout.card_hint) == (None, False, "04a1b2c3")


async def test_an_unknown_link_and_an_unknown_tap_are_refused(
    shop: Shop, waiting: PullPayment, tapped: OpenTap
) -> None:
    pr = invoice(shop.clock)
    no_link = Claim(await k1_of(shop, waiting), bolt11.decode(pr), None, "A" * 22)

    assert (await refusal(shop.container.withdrawals.claim(no_link)))[0] is NotFoundError
    no_tap = shop.claim_tap(replace(tapped, k1="ab" * 16), pr)
    assert await refusal(no_tap) == (WithdrawError, "unknown_k1")
