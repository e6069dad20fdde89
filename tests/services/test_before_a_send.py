"""What has changed since a payout was asked for, or tried, counts before it is sent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import StateChanged
from models.payout import AttemptState
from models.payout_request import PayoutRequest
from models.quote import QUOTE_LOCK
from models.states import PayoutState
from services import send_log
from services.resolver import ASK_AGAIN_AFTER, GIVE_UP_AFTER, gives_up
from services.storage import attempt as attempts
from services.storage import quote as quotes
from services.storage import statement_row as statement_rows
from tests.services.test_payout_requests import approve, ask
from tests.services.test_recipients import recipient_of
from tests.services.test_sending import goes_wrong
from tests.services.test_statements import look
from tests.support.clock import NOON, HandClock
from tests.support.sandbox import Hand
from tests.support.shop import ALICE, Shop, open_shop, settings_for, through

S = PayoutState
ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])


async def costs(shop: Shop, hand: Hand, usd_per_btc: int) -> None:
    """Have Flash name another price, and the shop know it."""
    await hand.post("price", usd_per_btc=usd_per_btc)
    rates, client = shop.container.rates, shop.connected.worker.tools.client
    rates.put(await client.fetch_price("USD"))


@ON_SQLITE
async def test_an_invoice_without_an_amount_is_quoted_anew_when_its_lock_is_over(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(amount_msat=None)
    payout = await ask(paying_shop, minted.pr, amount=500, currency="USD")
    assert payout.amount_sats == 5_000
    await paying_shop.later(hand, minutes=16)
    await costs(paying_shop, hand, 125_000)

    await approve(paying_shop, payout)
    done = await paying_shop.reaches(payout.id, S.COMPLETED)

    (row,) = await hand.payments(minted.hash)
    assert (done.amount_sats, row["amount_msat"]) == (4_000, 4_000_000)
    assert (await paying_shop.attempt(payout.id)).amount_msat == 4_000_000
    await look(paying_shop)
    assert (await paying_shop.payout(payout.id)).fee_msat is not None
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


@ON_SQLITE
async def test_what_was_promised_holds_for_as_long_as_was_said(
    paying_shop: Shop, hand: Hand
) -> None:
    requests, store_id = paying_shop.container.engine.requests, paying_shop.store.id
    payee = await hand.open_account(0)
    request = PayoutRequest(payee.username, amount=500, currency="USD")
    seen = await requests.preview(store_id, request)
    promised = paying_shop.clock.utc_now() + QUOTE_LOCK
    paying_shop.clock.advance(minutes=10)

    made = await requests.create(store_id, request, ALICE, quoted=seen)

    read = paying_shop.container.database.read
    quote = await read(quotes.newest_quote, store_id, made.id)
    assert quote is not None
    assert (seen.locked_until, quote.locked_until) == (promised, promised)


@ON_SQLITE
async def test_a_debit_is_expected_by_the_send_that_may_have_made_it(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(2_000)
    await goes_wrong(hand, minted, "insufficient_balance")
    payout = await ask(paying_shop, minted.pr)
    await approve(paying_shop, payout)
    await paying_shop.comes_to_rest()
    await costs(paying_shop, hand, 125_000)

    await paying_shop.later(hand, seconds=30)
    await paying_shop.reaches(payout.id, S.COMPLETED)
    await look(paying_shop)

    first, second = await paying_shop.sends(payout.id)
    read = paying_shop.container.database.read
    debit = await read(statement_rows.read_debit, payout.store_id, second.attempt_id)
    assert debit is not None
    assert (debit.state, debit.logged_at) == ("claimed", second.logged_at)
    assert second.logged_at > first.logged_at
    assert (await paying_shop.payout(payout.id)).fee_msat is not None


async def test_an_approved_invoice_waits_for_as_long_as_the_wallet_is_known_to_be_short(
    sqlite_url: str, tmp_path: Path, hand: Hand
) -> None:
    poor = await hand.open_account(cents=100)
    settings = settings_for(sqlite_url, tmp_path, **through(hand, poor))
    async with open_shop(settings, HandClock(await hand.now())) as shop:
        minted = await hand.foreign_invoice(2_000, expiry_s=7_200)
        payout = await ask(shop, minted.pr)
        await approve(shop, payout)
        await shop.comes_to_rest()
        for _ in range(10):
            await shop.later(hand, minutes=1)
        assert (await shop.payout(payout.id)).state is S.APPROVED
        assert await shop.alerts() == ["wallet_short"]
        assert len(await shop.sends(payout.id)) == 1
    store, clock = shop.store, shop.clock
    await hand.post("fund", wallet=poor.wallet, cents=1_000)
    clock.advance(seconds=30)
    async with open_shop(settings, clock) as shop:  # which reads the balance at once
        shop.store = store
        assert (await shop.reaches(payout.id, S.COMPLETED, S.FAILED)).state is S.COMPLETED


@ON_SQLITE
async def test_a_recipients_invoice_that_lives_too_long_is_not_paid(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice(2_000, expiry_s=31 * 86_400)
    async with recipient_of(paying_shop) as recipient:
        recipient.invoices = [minted.pr]
        payout = await ask(paying_shop, f"carol@{recipient.authority}", amount=2_000)
        await approve(paying_shop, payout)
        failed = await paying_shop.reaches(payout.id, S.FAILED, S.COMPLETED)

    assert (failed.state, failed.error_message) == (
        S.FAILED,
        "The recipient's invoice lives too long.",
    )
    assert await hand.payments(minted.hash) == []


@ON_SQLITE
async def test_nothing_is_sent_by_an_invoice_that_was_called_dead_a_moment_before(
    paying_shop: Shop, hand: Hand
) -> None:
    payout = await ask(paying_shop, (await hand.foreign_invoice(2_000)).pr)
    attempt, database = await paying_shop.attempt(payout.id), paying_shop.container.database
    await database.write(attempts.set_attempt_state, attempt, AttemptState.DEAD)
    wallet = await paying_shop.wallet()
    way = send_log.Way(wallet.id, wallet.fence, "any", takes_keys=True)

    with pytest.raises(StateChanged):
        await database.write(send_log.log_send, payout, attempt, way, paying_shop.clock.utc_now())


@pytest.mark.parametrize(
    ("hours_approved", "hours_silent", "silences", "is_over"),
    [(1, 1, 99, False), (6, 6, 1, True), (30, 0, 0, False), (30, 0.2, 5, True), (30, 6, 1, True)],
)
def test_a_recipient_is_given_up_after_hours_of_silence_not_of_waiting(
    hours_approved: float, hours_silent: float, silences: int, is_over: bool
) -> None:
    approved_at = NOON - timedelta(hours=hours_approved)
    silent_since = NOON - timedelta(hours=hours_silent)

    assert (timedelta(hours=6), len(ASK_AGAIN_AFTER)) == (GIVE_UP_AFTER, 5)
    assert gives_up(approved_at, silent_since, silences, NOON) is is_over
