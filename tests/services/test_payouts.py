"""People's decisions on payouts, and what happens to those that nobody decides."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from models.errors import InvalidField, NotFoundError, StateChanged
from models.payout import Payout
from models.pull_payment import PullPayment
from models.states import PayoutState
from services.housekeeping import Housekeeping
from services.payouts import mask_uid
from tests.support.cards import VirtualCard
from tests.support.databases import Raw
from tests.support.invoices import invoice
from tests.support.shop import ALICE, Shop, new_payout_id, open_store

S = PayoutState


@pytest.fixture
async def pull(shop: Shop) -> PullPayment:
    return await shop.pull_payment(auto_approve=False)


@pytest.fixture
async def waiting(shop: Shop, pull: PullPayment) -> Payout:
    return await shop.claim(pull, invoice(shop.clock))


async def reject(shop: Shop, payout: Payout, **changes: Any) -> Any:
    words = {"reason_code": "duplicate", "reason": "Paid in cash."} | changes
    revision = words.pop("revision", payout.revision)
    act = shop.container.payouts.reject
    return await act(shop.store.id, payout.id, revision, ALICE, **words)


async def approve(shop: Shop, payout: Payout, revision: int | None = None) -> Any:
    wanted = payout.revision if revision is None else revision
    return await shop.container.payouts.approve(shop.store.id, payout.id, wanted, ALICE)


async def reserved(shop: Shop, pull: PullPayment) -> int:
    return (await shop.container.pull_payments.read(shop.store.id, pull.id)).reserved


def audited(beneath: Raw) -> list[str]:
    rows = beneath.rows("SELECT action FROM audit WHERE action LIKE 'payout%' ORDER BY number")
    return [row[0] for row in rows]


async def test_an_approver_lets_a_payout_go(shop: Shop, waiting: Payout, beneath: Raw) -> None:
    view = await approve(shop, waiting)

    assert view.state is S.APPROVED
    assert view.approved_at == shop.clock.utc_now()
    assert view.revision == waiting.revision + 1
    assert await shop.path(waiting.id) == ["pending", "awaiting_approval", "approved"]
    events = await shop.container.payouts.events(shop.store.id, waiting.id)
    assert (events[-1].actor_id, events[-1].reason_code) == ("us_alice", "approved")
    assert audited(beneath) == ["payout.approved"]


async def test_a_rejected_payout_goes_back_to_the_budget_for_a_reason(
    shop: Shop, pull: PullPayment, waiting: Payout, beneath: Raw
) -> None:
    assert await reserved(shop, pull) == 1_000

    view = await reject(shop, waiting)

    assert view.state is S.REJECTED
    assert (view.error_code, view.error_message) == ("duplicate", "Paid in cash.")
    assert await reserved(shop, pull) == 0
    assert (await shop.attempt(waiting.id)).state == "dead"
    assert audited(beneath) == ["payout.rejected"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason_code": ""}, "reason_code"),
        ({"reason_code": "x" * 65}, "reason_code"),
    ],
)
async def test_a_rejection_needs_a_reason(
    shop: Shop, waiting: Payout, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await reject(shop, waiting, **changes)

    assert caught.value.field == field
    assert (await shop.payout(waiting.id)).state is S.AWAITING_APPROVAL


@pytest.mark.parametrize("act", [approve, reject])
async def test_a_decision_on_an_older_revision_changes_nothing(
    shop: Shop, waiting: Payout, act: Any
) -> None:
    with pytest.raises(StateChanged):
        await act(shop, waiting, revision=waiting.revision - 1)

    assert await shop.payout(waiting.id) == waiting


@pytest.mark.parametrize("second", [approve, reject])
async def test_what_was_decided_is_not_decided_again(
    shop: Shop, waiting: Payout, second: Any
) -> None:
    await reject(shop, waiting)
    decided = await shop.payout(waiting.id)

    with pytest.raises(StateChanged) as caught:
        await second(shop, decided)

    assert caught.value.state == "rejected"
    assert await shop.payout(waiting.id) == decided


async def test_of_many_approvers_at_once_one_decides(
    shop: Shop, waiting: Payout, beneath: Raw
) -> None:
    acts = [approve(shop, waiting) for _ in range(5)] + [reject(shop, waiting) for _ in range(5)]

    results = await asyncio.gather(*acts, return_exceptions=True)

    assert sum(isinstance(found, StateChanged) for found in results) == 9
    assert len(audited(beneath)) == 1
    assert (await shop.payout(waiting.id)).revision == waiting.revision + 1


async def test_an_invoice_that_ran_out_cannot_be_approved(
    shop: Shop, pull: PullPayment, waiting: Payout
) -> None:
    shop.clock.advance(hours=1)

    with pytest.raises(StateChanged, match="run out"):
        await approve(shop, waiting)

    assert (await shop.payout(waiting.id)).state is S.EXPIRED
    assert await reserved(shop, pull) == 0


async def test_what_nobody_decides_expires_with_its_invoice(
    shop: Shop, pull: PullPayment, waiting: Payout
) -> None:
    later = await shop.claim(pull, invoice(shop.clock, expiry_s=7200))
    keeper = Housekeeping(shop.container.database, shop.clock)
    shop.clock.advance(minutes=59)
    await keeper.tidy()
    assert (await shop.payout(waiting.id)).state is S.AWAITING_APPROVAL

    shop.clock.advance(minutes=1)
    await keeper.tidy()

    expired = await shop.payout(waiting.id)
    assert (expired.state, expired.error_code) == (S.EXPIRED, "invoice_expired")
    assert (await shop.payout(later.id)).state is S.AWAITING_APPROVAL
    assert await reserved(shop, pull) == 1_000


async def test_a_payout_that_was_not_sent_is_cancelled(
    shop: Shop, pull: PullPayment, waiting: Payout
) -> None:
    view = await shop.container.payouts.cancel(shop.store.id, waiting.id, ALICE)

    assert view.state is S.CANCELLED
    assert await reserved(shop, pull) == 0
    with pytest.raises(StateChanged):
        await shop.container.payouts.cancel(shop.store.id, waiting.id, ALICE)


async def test_the_same_invoice_cannot_be_drawn_again_after_a_rejection(
    shop: Shop, pull: PullPayment
) -> None:
    pr = invoice(shop.clock)
    await reject(shop, await shop.claim(pull, pr))

    with pytest.raises(Exception, match="used before"):
        await shop.claim(pull, pr)


async def test_another_stores_payout_is_not_there(shop: Shop, waiting: Payout) -> None:
    other = replace(shop, store=await open_store(shop.container, name="Next door"))

    for asked in (
        other.container.payouts.read(other.store.id, waiting.id),
        other.container.payouts.events(other.store.id, waiting.id),
        other.container.payouts.cancel(other.store.id, waiting.id, ALICE),
        approve(other, waiting),
        reject(other, waiting),
        approve(shop, replace(waiting, id=new_payout_id(shop))),
    ):
        with pytest.raises(NotFoundError):
            await asked
    assert await shop.payout(waiting.id) == waiting


async def test_a_view_opens_what_is_sealed(shop: Shop, pull: PullPayment) -> None:
    pr = invoice(shop.clock, description="Lunch")
    payout = await shop.claim(pull, pr)

    view = await shop.container.payouts.read(shop.store.id, payout.id)

    assert view.destination == pr
    assert view.memo == "Lunch"
    assert view.preimage is None
    assert view.metadata == json.loads(payout.metadata_json)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_cards_uid_is_shown_whole_to_some_only(
    shop: Shop, pull: PullPayment, whole: bool
) -> None:
    virtual = VirtualCard()
    await shop.card(virtual, pull)
    payout = await shop.claim_tap(await shop.tap(virtual), invoice(shop.clock))

    view = await shop.container.payouts.read(shop.store.id, payout.id, shows_all=whole)

    uid = virtual.uid.hex()
    assert view.boltcard_uid == (uid if whole else "•" * 10 + uid[-4:])
    assert view.boltcard_alias == "Alice"
    assert mask_uid(uid).endswith(uid[-4:])
