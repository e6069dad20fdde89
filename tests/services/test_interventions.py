"""What people do to single payouts: retry, hold, release; and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.errors import StateChanged
from models.payout import DestinationKind
from models.payout_act import PayoutAct
from models.states import PayoutState
from services.fee_policy import is_too_dear
from services.housekeeping import Housekeeping
from services.storage import attempt as attempts
from tests.services.test_payout_requests import approve, ask
from tests.services.test_sending import goes_wrong
from tests.support.sandbox import Hand
from tests.support.shop import ALICE, Shop

S = PayoutState


async def retry(shop: Shop, payout_id: str) -> None:
    await shop.container.engine.interventions.retry(shop.store.id, payout_id, ALICE)


async def test_a_retry_asks_the_recipient_for_another_invoice(
    paying_shop: Shop, hand: Hand
) -> None:
    payee, pull = await hand.open_account(0), await paying_shop.pull_payment(amount=1_000)
    await hand.fault("failure_empty_errors", match={"operation": "lnInvoicePaymentSend"}, times=1)
    payout = await ask(paying_shop, payee.username, amount=1_000, pull_payment_id=pull.id)
    failed = await paying_shop.reaches(payout.id, S.FAILED)
    assert (failed.destination_kind, failed.attempts) == (DestinationKind.FLASH, 1)

    await retry(paying_shop, payout.id)
    done = await paying_shop.reaches(payout.id, S.COMPLETED)

    read = paying_shop.container.database.read
    made = await read(attempts.read_attempts, paying_shop.store.id, payout.id)
    assert (done.attempts, [str(attempt.state) for attempt in made]) == (2, ["dead", "settled"])
    assert [await hand.times_paid(attempt.payment_hash) for attempt in made] == [0, 1]
    found = await paying_shop.container.pull_payments.read(paying_shop.store.id, pull.id)
    assert (found.paid, found.reserved) == (1_000, 0)
    with pytest.raises(StateChanged):
        await retry(paying_shop, payout.id)
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


async def test_what_is_tried_again_has_not_been_sent_yet(paying_shop: Shop, hand: Hand) -> None:
    minted = await hand.foreign_invoice()
    await goes_wrong(hand, minted, "status_null")
    payout = await ask(paying_shop, minted.pr)
    await approve(paying_shop, payout)
    assert (await paying_shop.reaches(payout.id, S.FAILED)).submitted_at is not None
    await paying_shop.container.wallets.stop(paying_shop.store.id, ALICE)

    await retry(paying_shop, payout.id)

    assert (await paying_shop.payout(payout.id)).submitted_at is None


@pytest.mark.parametrize(
    ("kind", "is_taken_up"), [("status_null", True), ("failure_empty_errors", False)]
)
async def test_an_invoice_is_taken_up_again_only_where_that_is_of_use(
    paying_shop: Shop, hand: Hand, kind: str, is_taken_up: bool
) -> None:
    minted = await hand.foreign_invoice()
    await goes_wrong(hand, minted, kind)
    payout = await ask(paying_shop, minted.pr)
    await approve(paying_shop, payout)
    await paying_shop.reaches(payout.id, S.FAILED)

    offered = await paying_shop.container.engine.interventions.possible(payout.store_id, payout.id)
    assert offered.acts == ({PayoutAct.RETRY} if is_taken_up else set())
    assert (offered.no_retry is None) is is_taken_up
    if is_taken_up:
        await retry(paying_shop, payout.id)
        await paying_shop.reaches(payout.id, S.COMPLETED)
    else:
        # Flash keeps this failure under the key, and would only say it again.
        with pytest.raises(StateChanged, match="new invoice"):
            await retry(paying_shop, payout.id)

    assert await hand.times_paid(minted.hash) == is_taken_up


@pytest.mark.parametrize("is_dated", [True, False])
async def test_a_held_payout_waits_for_its_day_or_for_a_person(
    paying_shop: Shop, hand: Hand, is_dated: bool
) -> None:
    minted, store_id = await hand.foreign_invoice(), paying_shop.store.id
    payout = await ask(paying_shop, minted.pr)
    day = paying_shop.clock.utc_now() + timedelta(minutes=5) if is_dated else None
    act = paying_shop.container.engine.interventions
    waiting = {PayoutAct.APPROVE, PayoutAct.REJECT, PayoutAct.CANCEL}
    assert (await act.possible(store_id, payout.id)).acts == waiting | {PayoutAct.HOLD}
    await act.hold(store_id, payout.id, ALICE, reason="Who is this?", release_at=day)
    assert (await act.possible(store_id, payout.id)).acts == waiting | {PayoutAct.RELEASE}
    await approve(paying_shop, payout)
    await paying_shop.later(hand, minutes=4)
    assert (await paying_shop.payout(payout.id)).state is S.APPROVED
    assert await paying_shop.sends(payout.id) == []

    if is_dated:
        paying_shop.clock.advance(minutes=1)
        await Housekeeping(paying_shop.container.database, paying_shop.clock).tidy()
    else:
        await act.release(store_id, payout.id, ALICE)

    await paying_shop.reaches(payout.id, S.COMPLETED)
    (hold,) = await act.holds(store_id, payout.id)
    assert hold.released_at is not None
    assert (await act.possible(store_id, payout.id)).acts == set()
    assert hold.released_by == (None if is_dated else ALICE.id)
    detail = await paying_shop.container.details.read(store_id, payout.id)
    (tried,) = detail.attempts
    assert detail.holds == (hold,)
    assert (tried.sends, str(tried.state), tried.payment_hash) == (1, "settled", minted.hash)
    assert tried.debit is not None
    assert detail.wallet_currency is not None


async def test_a_hold_forbids_repeats_too(paying_shop: Shop, hand: Hand) -> None:
    minted, store_id = await hand.foreign_invoice(), paying_shop.store.id
    await goes_wrong(hand, minted, "http_502", executed=False)
    payout = await ask(paying_shop, minted.pr)
    await approve(paying_shop, payout)
    await paying_shop.reaches(payout.id, S.IN_FLIGHT)
    act = paying_shop.container.engine.interventions
    await act.hold(store_id, payout.id, ALICE, reason="Wait.")

    await paying_shop.later(hand, minutes=3)
    assert len(await paying_shop.sends(payout.id)) == 1

    await act.release(store_id, payout.id, ALICE)
    await paying_shop.later(hand, seconds=5)
    await paying_shop.reaches(payout.id, S.COMPLETED)
    assert await hand.times_paid(minted.hash) == 1


CENT = 10_000_000
FEES = [
    (None, 100 * CENT, False),
    ("3", 100 * CENT, False),
    ("5", 100 * CENT, False),
    ("5.01", 100 * CENT, True),
    ("30", 1_000 * CENT, False),
    ("30.5", 1_000 * CENT, True),
    ("NaN", CENT, False),
    ("dear", CENT, False),
]


@pytest.mark.parametrize(("fee", "amount", "too_dear"), FEES)
def test_an_estimate_over_the_cap_refuses(fee: str | None, amount: int, too_dear: bool) -> None:
    assert is_too_dear(fee, amount) is too_dear
