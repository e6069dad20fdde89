"""Every answer Flash can give to a send, over real sockets, and what becomes of the payout.

The sandbox's ledger has the last word on how often an invoice was really paid.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.errors import UnavailableError
from models.payout import EvidenceGrade, PayeeHome, PayoutKind, SendAnswer
from models.states import PayoutState
from models.wallet import Gate
from services.storage import wallet as wallets
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.sandbox import FlashAccount, Hand, Minted
from tests.support.shop import ALICE, Shop

S, A, G = PayoutState, SendAnswer, EvidenceGrade
SEND = "lnInvoicePaymentSend"
WAYS = [(PayeeHome.HOME, Hand.home_invoice), (PayeeHome.FOREIGN, Hand.foreign_invoice)]


async def goes_wrong(hand: Hand, minted: Minted, kind: str, **script: Any) -> None:
    """Have the sends of one invoice go wrong, once unless told otherwise."""
    match = {"payment_hash": minted.hash, "operation": SEND}
    script = {"times": 1} | script
    if script["times"] is None:
        del script["times"]
    await hand.fault(kind, match=match, **script)


async def answers(shop: Shop, payout_id: str) -> list[SendAnswer | None]:
    return [send.answer for send in await shop.sends(payout_id)]


async def drawn(shop: Shop, minted: Minted) -> str:
    return await shop.draw(await shop.pull_payment(), minted.pr)


@pytest.mark.parametrize(("home", "mint"), WAYS, ids=["home", "foreign"])
async def test_a_tap_is_paid_within_the_call(
    paying_shop: Shop, hand: Hand, home: PayeeHome, mint: Any
) -> None:
    card, minted = VirtualCard(), await mint(hand, 2_100)
    await paying_shop.card(card, await paying_shop.pull_payment())

    answered = await paying_shop.claim_tap(await paying_shop.tap(card), minted.pr)
    assert answered.state is S.COMPLETED
    await paying_shop.comes_to_rest()

    payout = await paying_shop.payout(answered.id)
    assert (payout.state, payout.evidence) == (S.COMPLETED, G.FLASH_SUCCESS)
    assert (payout.kind, payout.amount_sats, payout.value_cents) == (PayoutKind.TAP, 2_100, 210)
    assert payout.fee_msat is None
    assert (await paying_shop.attempt(payout.id)).home is home
    assert await paying_shop.path(payout.id) == ["pending", "approved", "processing", "completed"]
    assert await hand.times_paid(minted.hash) == 1


async def test_what_is_paid_leaves_the_budget(paying_shop: Shop, hand: Hand) -> None:
    pull = await paying_shop.pull_payment(amount=5_000)

    await paying_shop.claim(pull, (await hand.home_invoice(2_000)).pr)

    found = await paying_shop.container.pull_payments.read(paying_shop.store.id, pull.id)
    assert (found.paid, found.reserved, found.remaining) == (2_000, 0, 3_000)


REFUSALS = [
    ("failure_empty_errors", {}, "payment_failed"),
    ("insufficient_balance", {}, "INSUFFICIENT_BALANCE"),
    ("status_null", {}, "rejected"),
    ("html_body", {"status": 400}, "rejected"),
    ("send_error", {"code": "INVALID_INPUT", "message": "no"}, "INVALID_INPUT"),
    ("send_error", {"code": "INVALID_LNURL"}, "INVALID_LNURL"),
    ("cutover_in_progress", {}, "INVALID_INPUT"),
]


@pytest.mark.parametrize(("kind", "script", "code"), REFUSALS)
async def test_a_certain_no_fails_the_payout_and_frees_its_money(
    paying_shop: Shop, hand: Hand, kind: str, script: dict[str, Any], code: str
) -> None:
    minted, pull = await hand.home_invoice(), await paying_shop.pull_payment()
    await goes_wrong(hand, minted, kind, **script)

    payout = await paying_shop.claim(pull, minted.pr)

    assert (payout.state, payout.error_code) == (S.FAILED, code)
    assert payout.error_message
    assert await answers(paying_shop, payout.id) == [A.REFUSED]
    assert await hand.times_paid(minted.hash) == 0
    found = await paying_shop.container.pull_payments.read(paying_shop.store.id, pull.id)
    assert found.remaining == found.budget


SILENCES = [
    ("busy_lock", {"executed": False}, "busy_lock"),
    ("http_500", {"executed": False}, "http_500"),
    ("http_502", {"executed": True}, "http_502"),
    ("http_502", {"executed": False}, "http_502"),
    ("http_504", {"executed": True, "delay_ms": 20}, "http_504"),
    ("ingress_503", {}, "http_503"),
    ("response_lost", {"executed": True}, "cut"),
    ("response_lost", {"executed": False}, "cut"),
    ("invalid_json", {"executed": True}, "unreadable"),
    ("html_body", {"executed": True}, "unreadable"),
]


@pytest.mark.parametrize(("kind", "script", "code"), SILENCES)
async def test_silence_is_repeated_with_the_same_key_and_paid_once(
    paying_shop: Shop, hand: Hand, kind: str, script: dict[str, Any], code: str
) -> None:
    minted = await hand.foreign_invoice()
    await goes_wrong(hand, minted, kind, **script)
    payout_id = await drawn(paying_shop, minted)
    unknown = await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    await paying_shop.comes_to_rest()
    assert await answers(paying_shop, payout_id) == [A.UNKNOWN]
    assert (unknown.error_code, unknown.unknown_since) == (code, paying_shop.clock.utc_now())

    await paying_shop.later(hand, seconds=2)

    payout = await paying_shop.payout(payout_id)
    assert (payout.state, payout.evidence) == (S.COMPLETED, G.FLASH_SUCCESS)
    assert await answers(paying_shop, payout_id) == [A.UNKNOWN, A.SETTLED]
    assert len({send.idempotency_key for send in await paying_shop.sends(payout_id)}) == 1
    assert await hand.times_paid(minted.hash) == 1


async def test_repeats_come_ever_later_and_end_with_the_sixth_send(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.foreign_invoice()
    await goes_wrong(hand, minted, "http_500", times=None)
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    counts = []

    for seconds in (1, 1, 4, 1, 14, 1, 44, 1, 119, 1, 600, 3_600):
        await paying_shop.later(hand, seconds=seconds)
        counts.append(len(await paying_shop.sends(payout_id)))

    assert counts == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6]
    assert (await paying_shop.payout(payout_id)).state is S.IN_FLIGHT
    (fault,) = (await hand.get("faults"))["items"]
    assert fault["seen"] == 6


DOUBTS = [
    ("generic_error", {}, "generic"),
    ("already_prepared", {}, "generic"),
    ("debited_but_error", {}, "generic"),
    ("send_error", {"code": "IBEX_ERROR"}, "IBEX_ERROR"),
    ("send_error", {"code": "IBEX_ERROR", "executed": True}, "IBEX_ERROR"),
    ("send_error", {"code": "LIGHTNING_PAYMENT_ERROR"}, "LIGHTNING_PAYMENT_ERROR"),
    ("send_error", {"code": "UNKNOWN_CLIENT_ERROR"}, "UNKNOWN_CLIENT_ERROR"),
    ("send_error", {"code": "DB_ERROR"}, "DB_ERROR"),
    ("send_error", {"code": "INTERNAL_SERVER_ERROR"}, "INTERNAL_SERVER_ERROR"),
    ("send_error", {"code": "ALREADY_PAID"}, "ALREADY_PAID"),
]


@pytest.mark.parametrize(("kind", "script", "code"), DOUBTS)
async def test_an_error_is_neither_yes_nor_no_and_never_repeated(
    paying_shop: Shop, hand: Hand, kind: str, script: dict[str, Any], code: str
) -> None:
    minted = await hand.foreign_invoice()
    await goes_wrong(hand, minted, kind, **script)
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.IN_FLIGHT)

    await paying_shop.later(hand, seconds=10)
    await paying_shop.later(hand, minutes=40)

    payout = await paying_shop.payout(payout_id)
    assert (payout.state, payout.error_code) == (S.IN_FLIGHT, code)
    assert await answers(paying_shop, payout_id) == [A.ERROR]
    was_paid = kind == "debited_but_error" or bool(script.get("executed"))
    assert await hand.times_paid(minted.hash) == was_paid


async def test_a_home_invoice_shows_that_an_error_was_a_payment(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, "debited_but_error")

    payout_id = await drawn(paying_shop, minted)

    payout = await paying_shop.reaches(payout_id, S.COMPLETED)
    assert payout.evidence is G.FLASH_INVOICE
    assert await answers(paying_shop, payout_id) in ([A.ERROR], [None])
    assert await hand.times_paid(minted.hash) == 1


async def test_behind_a_busy_lock_the_payment_may_have_run(paying_shop: Shop, hand: Hand) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, "busy_lock", executed=True)

    payout = await paying_shop.reaches(await drawn(paying_shop, minted), S.COMPLETED)

    assert payout.evidence is G.FLASH_INVOICE
    assert await hand.times_paid(minted.hash) == 1


async def test_pending_is_never_repeated_and_ends_by_the_socket(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, "pending_forever")
    payout_id = await drawn(paying_shop, minted)
    pending = await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    await paying_shop.later(hand, minutes=3)
    assert pending.unknown_since is None
    assert await answers(paying_shop, payout_id) == [A.PENDING]

    await hand.post("settle", hash=minted.hash)
    payout = await paying_shop.reaches(payout_id, S.COMPLETED)

    assert payout.evidence is G.FLASH_INVOICE
    assert "socket" in {str(seen.source) for seen in await paying_shop.sightings(payout_id)}
    assert len(await paying_shop.sends(payout_id)) == 1
    assert await hand.times_paid(minted.hash) == 1


async def test_without_the_socket_the_worker_asks_by_itself(paying_shop: Shop, hand: Hand) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, "pending_forever")
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    await hand.fault("lost_event")
    await hand.post("settle", hash=minted.hash)

    await paying_shop.later(hand, seconds=10)

    assert (await paying_shop.payout(payout_id)).state is S.COMPLETED
    assert "status" in {str(seen.source) for seen in await paying_shop.sightings(payout_id)}


async def test_paid_is_sticky_whatever_is_published_afterwards(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await hand.fault("expired_after_paid")
    await hand.fault("duplicate_event", copies=3)

    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.COMPLETED)
    await paying_shop.later(hand, hours=2)

    assert (await paying_shop.payout(payout_id)).state is S.COMPLETED
    assert await paying_shop.alerts() == []


PAUSES = [
    ("http_401", {}, "unauthenticated"),
    ("http_429", {"retry_after_s": 1}, "limited"),
    ("key_limited", {"retry_after_s": 1}, "limited"),
]


@pytest.mark.parametrize(("kind", "script", "code"), PAUSES)
async def test_what_flash_did_not_run_pauses_the_wallet_and_is_no_try(
    paying_shop: Shop, hand: Hand, kind: str, script: dict[str, Any], code: str
) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, kind, **script)
    payout_id = await drawn(paying_shop, minted)
    await paying_shop.reaches(payout_id, S.APPROVED)
    pace = paying_shop.connected.pace
    while not await paying_shop.sends(payout_id) or pace.wait_s(1) == 0:
        await paying_shop.reaches(payout_id, S.APPROVED, S.PROCESSING)
    assert (await paying_shop.sends(payout_id))[0].answer_code == code

    pace._blocked_until = 0  # as if the pause were over
    await paying_shop.later(hand, seconds=2)

    assert (await paying_shop.payout(payout_id)).state is S.COMPLETED
    assert await answers(paying_shop, payout_id) == [A.NOT_EXECUTED, A.SETTLED]
    assert await hand.times_paid(minted.hash) == 1


async def test_an_invoice_that_somebody_else_paid_is_not_sent(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await hand.post("pay", pr=minted.pr)

    payout = await paying_shop.claim(await paying_shop.pull_payment(), minted.pr)

    assert (payout.state, payout.error_code) == (S.FAILED, "already_paid")
    assert await paying_shop.sends(payout.id) == []


async def test_our_own_invoice_is_refused_by_the_probe_before_any_send(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    minted = await hand.home_invoice(payee=account.username)

    payout = await paying_shop.claim(await paying_shop.pull_payment(), minted.pr)

    assert (payout.state, payout.error_code) == (S.FAILED, "probe_refused")
    assert await paying_shop.sends(payout.id) == []


async def test_approved_by_a_person_it_waits_until_the_wallet_is_filled(
    paying_shop: Shop, hand: Hand
) -> None:
    minted = await hand.home_invoice()
    await goes_wrong(hand, minted, "insufficient_balance", times=None)
    pull = await paying_shop.pull_payment(auto_approve=False)
    waiting = await paying_shop.claim(pull, minted.pr)
    act = paying_shop.container.payouts.approve
    await act(paying_shop.store.id, waiting.id, waiting.revision, ALICE)
    await paying_shop.comes_to_rest()
    await paying_shop.later(hand, seconds=30)
    assert (await paying_shop.payout(waiting.id)).state is S.APPROVED
    assert (await paying_shop.wallet()).short_since is not None

    await hand.settle_down()
    await paying_shop.later(hand, seconds=30)

    assert (await paying_shop.payout(waiting.id)).state is S.COMPLETED
    assert (await paying_shop.wallet()).short_since is None
    assert await hand.times_paid(minted.hash) == 1


async def test_an_approved_payout_is_paid_and_a_rejected_one_is_not(
    paying_shop: Shop, hand: Hand
) -> None:
    pull = await paying_shop.pull_payment(auto_approve=False)
    yes, no = await hand.home_invoice(), await hand.home_invoice()
    approved, rejected = await paying_shop.claim(pull, yes.pr), await paying_shop.claim(pull, no.pr)
    decide, store = paying_shop.container.payouts, paying_shop.store.id

    await decide.approve(store, approved.id, approved.revision, ALICE)
    words = {"reason_code": "no", "reason": "Not today."}
    await decide.reject(store, rejected.id, rejected.revision, ALICE, **words)
    await paying_shop.reaches(approved.id, S.COMPLETED)

    assert await hand.times_paid(yes.hash) == 1
    assert await hand.payments(no.hash) == []


@pytest.mark.parametrize("why", ["stop", "gate"])
async def test_a_stop_and_a_shut_gate_let_no_send_start(
    paying_shop: Shop, hand: Hand, beneath: Raw, why: str
) -> None:
    minted = await hand.home_invoice()
    payout_id = await approved_behind(paying_shop, beneath, why, minted)
    await paying_shop.comes_to_rest()
    await paying_shop.later(hand, seconds=30)
    assert (await paying_shop.payout(payout_id)).state is S.APPROVED
    assert await paying_shop.sends(payout_id) == []

    await let_go(paying_shop, beneath, why)
    await paying_shop.later(hand, seconds=2)

    assert (await paying_shop.payout(payout_id)).state is S.COMPLETED


@pytest.mark.parametrize("why", ["stop", "gate"])
async def test_while_nothing_may_be_sent_claims_are_refused_at_once(
    paying_shop: Shop, hand: Hand, beneath: Raw, why: str
) -> None:
    pull, minted = await paying_shop.pull_payment(), await hand.home_invoice()
    await hold_up(paying_shop, beneath, why)

    with pytest.raises(UnavailableError, match="paused"):
        await paying_shop.claim(pull, minted.pr)

    await let_go(paying_shop, beneath, why)
    assert (await paying_shop.claim(pull, minted.pr)).state is S.COMPLETED


@pytest.mark.parametrize("why", ["stop", "gate"])
async def test_a_stop_and_a_shut_gate_forbid_repeats_but_not_look_ups(
    paying_shop: Shop, hand: Hand, beneath: Raw, why: str
) -> None:
    silent, pending = await hand.foreign_invoice(), await hand.home_invoice()
    await goes_wrong(hand, silent, "http_502", executed=False)
    await goes_wrong(hand, pending, "pending_forever")
    ids = [await drawn(paying_shop, minted) for minted in (silent, pending)]
    for payout_id in ids:
        await paying_shop.reaches(payout_id, S.IN_FLIGHT)
    await hold_up(paying_shop, beneath, why)

    await hand.post("settle", hash=pending.hash)
    await paying_shop.later(hand, minutes=5)

    assert (await paying_shop.payout(ids[1])).state is S.COMPLETED
    assert await answers(paying_shop, ids[0]) == [A.UNKNOWN]
    await let_go(paying_shop, beneath, why)
    await paying_shop.later(hand, minutes=1)
    assert (await paying_shop.payout(ids[0])).state is S.COMPLETED


async def approved_behind(shop: Shop, beneath: Raw, why: str, minted: Minted) -> str:
    """Have a payout approved while nothing may be sent."""
    pull = await shop.pull_payment(auto_approve=False)
    waiting = await shop.claim(pull, minted.pr)
    await hold_up(shop, beneath, why)
    await shop.container.payouts.approve(shop.store.id, waiting.id, waiting.revision, ALICE)
    return waiting.id


async def hold_up(shop: Shop, beneath: Raw, why: str) -> None:
    if why == "stop":
        await shop.container.wallets.stop(shop.store.id, ALICE)
        return
    wallet = await shop.wallet()
    with beneath.transaction() as tx:
        wallets.set_gate(tx, wallet, Gate.SHUT, "test", shop.clock.utc_now())


async def let_go(shop: Shop, beneath: Raw, why: str) -> None:
    if why == "stop":
        await shop.container.wallets.resume(shop.store.id, ALICE)
        return
    wallet = await shop.wallet()
    with beneath.transaction() as tx:
        wallets.set_gate(tx, wallet, Gate.OPEN, None, shop.clock.utc_now())


async def test_what_waited_too_long_is_not_sent_any_more(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    minted = await hand.home_invoice(expiry_s=60)
    payout_id = await approved_behind(paying_shop, beneath, "stop", minted)

    await paying_shop.later(hand, seconds=60)

    payout = await paying_shop.payout(payout_id)
    assert (payout.state, payout.error_code) == (S.EXPIRED, "invoice_expired")
    assert await paying_shop.sends(payout_id) == []


async def test_many_claims_at_once_are_each_paid_once(paying_shop: Shop, hand: Hand) -> None:
    pull = await paying_shop.pull_payment()
    minted = [await hand.home_invoice(100 + number) for number in range(20)]

    ids = [await paying_shop.draw(pull, one.pr) for one in minted]
    for payout_id in ids:
        await paying_shop.reaches(payout_id, S.COMPLETED)

    assert [await hand.times_paid(one.hash) for one in minted] == [1] * 20
    assert (await hand.get("audit"))["is_clean"]
