"""What happens to payouts, told so that the people in it may begin again at any point.

A story is prepared once, before anything can end; it is played, cut off somewhere, and played
again by the same people: who got no answer asks the same again, who can see what is so looks
first. It ends when its payout has ended.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from app.idempotency import Once
from models.payout import Payout
from models.payout_request import PayoutRequest
from models.states import PayoutState
from services.storage import attempt as attempts
from tests.crash.points.lives import Lives, look
from tests.support.cards import VirtualCard
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import Minted
from tests.support.shop import ALICE, LOOK_S, Shop

S = PayoutState
Play = Callable[[Lives, Shop], Awaitable[str]]
_SEND = "lnInvoicePaymentSend"
_SATS = 1_000


@dataclass(frozen=True)
class Story:
    """What happens to one payout, and how it may end."""

    name: str
    prepare: Callable[[Lives, Shop], Awaitable[None]]
    play: Play
    ends: frozenset[PayoutState] = frozenset({S.COMPLETED})
    # Where the life before ended, in a story of a return.
    returns_from: str | None = None


# What is prepared


async def _link(lives: Lives, shop: Shop, *, auto_approve: bool = True) -> None:
    pull = await shop.pull_payment(auto_approve=auto_approve)
    token = shop.container.pull_payments.claim_token(pull)
    k1 = (await shop.container.withdrawals.offer_link(token)).k1
    lives.known |= {"pull": pull, "k1": k1}


async def _foreign(lives: Lives, shop: Shop, fault: str | None = None, **script: Any) -> None:
    await _link(lives, shop)
    minted = await lives.hand.foreign_invoice(_SATS)
    lives.known["minted"] = minted
    if fault is not None:
        match = {"payment_hash": minted.hash, "operation": _SEND}
        await lives.hand.fault(fault, match=match, times=1, **script)


async def _home(lives: Lives, shop: Shop) -> None:
    await _link(lives, shop)
    lives.known["minted"] = await lives.hand.home_invoice(_SATS)


async def _card(lives: Lives, shop: Shop) -> None:
    card, pull = VirtualCard(), await shop.pull_payment()
    await shop.card(card, pull, secrets.token_hex(8))
    lives.known |= {"card": card, "minted": await lives.hand.foreign_invoice(_SATS)}


async def _waiting(lives: Lives, shop: Shop) -> None:
    await _link(lives, shop, auto_approve=False)
    lives.known["minted"] = await lives.hand.foreign_invoice(_SATS)


async def _order(lives: Lives, shop: Shop, destination: str) -> None:
    lives.known |= {"request": PayoutRequest(destination, _SATS), "key": secrets.token_hex(8)}


async def _amountless(lives: Lives, shop: Shop) -> None:
    await _order(lives, shop, (await lives.hand.foreign_invoice(amount_msat=None)).pr)


async def _address(lives: Lives, shop: Shop) -> None:
    payee = await lives.hand.open_account(0)
    await _order(lives, shop, f"{payee.username}@127.0.0.1:{lives.hand.sandbox.port}")


async def _failing_address(lives: Lives, shop: Shop) -> None:
    await _address(lives, shop)
    await lives.hand.fault("failure_empty_errors", match={"operation": _SEND}, times=1)


async def _before_the_cutover(lives: Lives, shop: Shop) -> None:
    await lives.hand.post("cutover", state="ROLLED_BACK")
    await shop.looks_at_the_wallet()
    await _foreign(lives, shop, "response_lost")


async def _doubtful(lives: Lives, shop: Shop) -> None:
    await look(shop)
    await _foreign(lives, shop, "generic_error")
    await shop.later(lives.hand, seconds=1)


# What people do


async def _draw(lives: Lives, shop: Shop) -> str:
    minted: Minted = lives.known["minted"]
    return await _claimed(
        lives, shop, minted, shop.claim(lives.known["pull"], minted.pr, lives.known["k1"])
    )


async def _claimed(
    lives: Lives, shop: Shop, minted: Minted, claim: Coroutine[Any, Any, Payout]
) -> str:
    """Claim, and hang up as soon as the payout is there."""
    caller = asyncio.create_task(claim)
    lives.callers.append(caller)
    async with asyncio.timeout(PATIENCE_S):
        while not caller.done():
            found = await shop.container.database.read(attempts.find_attempt, minted.hash)
            if found is not None:
                return found.payout_id
            await asyncio.sleep(LOOK_S)
    return (await caller).id


async def _tap(lives: Lives, shop: Shop) -> str:
    """Tap, once more if the till heard nothing, and claim by what the till heard."""
    if "opened" not in lives.known:
        lives.known["opened"] = await shop.tap(lives.known["card"])
    minted: Minted = lives.known["minted"]
    return await _claimed(lives, shop, minted, shop.claim_tap(lives.known["opened"], minted.pr))


async def _ask(lives: Lives, shop: Shop) -> str:
    """Ask for the payout as a program does, always with the same Idempotency-Key."""
    container, store_id = shop.container, shop.store.id
    keyed = Once(container, store_id, "/v1/payouts", lives.known["key"], "the same body")
    kept = await keyed.kept()
    if kept is not None:
        return bytes(kept.body).decode()
    made = await container.engine.requests.create(
        store_id,
        lives.known["request"],
        ALICE,
        lambda tx, made: keyed.keep(tx, made.id.encode(), 201),
    )
    return made.id


async def _approve(shop: Shop, payout_id: str) -> None:
    found = await shop.payout(payout_id)
    if found.state is S.AWAITING_APPROVAL:
        await shop.container.payouts.approve(shop.store.id, found.id, found.revision, ALICE)


# What is played


async def _drawn(lives: Lives, shop: Shop) -> str:
    payout_id = await _draw(lives, shop)
    await lives.drain(shop, payout_id)
    return payout_id


async def _tapped(lives: Lives, shop: Shop) -> str:
    payout_id = await _tap(lives, shop)
    await lives.drain(shop, payout_id)
    return payout_id


async def _drawn_across_the_cutover(lives: Lives, shop: Shop) -> str:
    """Draw from the old wallet, whose money Flash then moves to the new one."""
    payout_id = await _draw(lives, shop)
    await shop.comes_to_rest()
    await lives.hand.post("cutover", state="COMPLETE")
    await shop.looks_at_the_wallet()
    await lives.drain(shop, payout_id)
    return payout_id


async def _drawn_and_approved(lives: Lives, shop: Shop) -> str:
    payout_id = await _draw(lives, shop)
    await _approve(shop, payout_id)
    await lives.drain(shop, payout_id)
    return payout_id


async def _drawn_and_rejected(lives: Lives, shop: Shop) -> str:
    found = await shop.payout(await _draw(lives, shop))
    if found.state is S.AWAITING_APPROVAL:
        reject = shop.container.payouts.reject
        words = {"reason_code": "no", "reason": "Not this one."}
        await reject(shop.store.id, found.id, found.revision, ALICE, **words)
    return found.id


async def _asked(lives: Lives, shop: Shop) -> str:
    payout_id = await _ask(lives, shop)
    await _approve(shop, payout_id)
    await lives.drain(shop, payout_id)
    return payout_id


async def _asked_and_retried(lives: Lives, shop: Shop) -> str:
    payout_id = await _asked(lives, shop)
    if (await shop.payout(payout_id)).state is S.FAILED:
        await shop.container.engine.interventions.retry(shop.store.id, payout_id, ALICE)
        await lives.drain(shop, payout_id)
    return payout_id


async def _asked_and_cancelled(lives: Lives, shop: Shop) -> str:
    """Stop the wallet, approve, think better of it, and let the wallet go on."""
    wallets, payout_id = shop.container.wallets, await _ask(lives, shop)
    if (await shop.payout(payout_id)).state is not S.CANCELLED:
        await wallets.stop(shop.store.id, ALICE)
        await _approve(shop, payout_id)
        await shop.container.payouts.cancel(shop.store.id, payout_id, ALICE)
    await wallets.resume(shop.store.id, ALICE)
    return payout_id


async def _asked_and_held(lives: Lives, shop: Shop) -> str:
    act, payout_id = shop.container.engine.interventions, await _ask(lives, shop)
    if not await act.holds(shop.store.id, payout_id):
        await act.hold(shop.store.id, payout_id, ALICE, reason="Who is this?")
    await _approve(shop, payout_id)
    if any(hold.released_at is None for hold in await act.holds(shop.store.id, payout_id)):
        await act.release(shop.store.id, payout_id, ALICE)
    await lives.drain(shop, payout_id)
    return payout_id


PAID, UNPAID = frozenset({S.COMPLETED}), frozenset({S.FAILED})
STORIES = [
    Story("tap", _card, _tapped),
    Story("home invoice", _home, _drawn),
    Story("approval", _waiting, _drawn_and_approved),
    Story("rejection", _waiting, _drawn_and_rejected, frozenset({S.REJECTED})),
    # Without a key a send that got no answer is never repeated: a person looks.
    Story("amountless invoice", _amountless, _asked, PAID | UNPAID),
    Story("Lightning Address", _address, _asked),
    Story("retry after failure", _failing_address, _asked_and_retried),
    Story("repeat", lambda lives, shop: _foreign(lives, shop, "response_lost"), _drawn),
    # By the new wallet nothing is repeated that went by the old one: a person looks.
    Story("cutover", _before_the_cutover, _drawn_across_the_cutover, PAID | UNPAID),
    Story("statement", lambda lives, shop: _foreign(lives, shop, "debited_but_error"), _drawn),
    Story("closed book, and a person", _doubtful, _drawn, PAID | UNPAID),
    Story("hold", _address, _asked_and_held),
    Story("cancel", _address, _asked_and_cancelled, frozenset({S.CANCELLED})),
    Story("return", _foreign, _drawn, returns_from=f"wire:{_SEND}:after#1"),
    Story("return of an unsent send", _home, _drawn, returns_from=f"wire:{_SEND}:before#1"),
]
