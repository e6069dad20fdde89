"""One worker spends a wallet; when it goes, another takes over and loses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from app.container import build, running
from app.settings import Settings
from models.events import (
    CardChanged,
    Change,
    PayoutChanged,
    PullPaymentChanged,
    WalletChanged,
)
from models.payout import SendAnswer
from models.states import PayoutState
from models.store import DatabaseKind
from services.sender import Memory, Tools
from services.storage import wallet as wallets
from services.wallet_worker import AT_ONCE, LEASE, RECENT, WalletWorker
from tests.services.test_sending import answers, drawn, goes_wrong
from tests.support.clock import HandClock
from tests.support.databases import Raw
from tests.support.disguise import disguised
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop, open_shop, settings_for, through

S, A = PayoutState, SendAnswer


@pytest.mark.parametrize(
    ("change", "may_be_work"),
    [
        (PayoutChanged("st_1", "po_1", S.APPROVED, 2), True),
        (PayoutChanged("st_1", "po_1", S.COMPLETED, 4), True),
        (PayoutChanged("st_1", "po_busy", S.APPROVED, 2), False),
        (PayoutChanged("st_1", "po_1", S.AWAITING_APPROVAL, 2), False),
        (PayoutChanged("st_1", "po_known", S.AWAITING_APPROVAL, 5), True),
        (WalletChanged("st_1", "wa_1"), True),
        (CardChanged("st_1", "bc_1"), False),
        (PullPaymentChanged("st_1", "pp_1"), False),
    ],
)
def test_a_worker_wakes_for_what_may_be_work(change: Change, may_be_work: bool) -> None:
    worker = WalletWorker("st_1", "USD", "me", cast("Tools", None))
    worker._busy.add("po_busy")
    worker._memory["po_known"] = Memory()

    worker.told([change])

    assert worker.wake.is_set() is may_be_work


@pytest.fixture
def shop_settings(database_url: str, tmp_path: Path, hand: Hand, account: FlashAccount) -> Settings:
    return settings_for(database_url, tmp_path, **through(hand, account))


@pytest.mark.parametrize("executed", [True, False])
async def test_what_was_on_the_wire_of_a_worker_that_died_is_unknown_and_repeated(
    shop_settings: Settings, hand: Hand, executed: bool
) -> None:
    clock, minted = HandClock(await hand.now()), await hand.foreign_invoice()
    kind = "slow_answer" if executed else "http_504"
    script = {} if executed else {"executed": False}
    await goes_wrong(hand, minted, kind, delay_ms=60_000, **script)
    async with open_shop(shop_settings, clock) as first:
        payout_id = await drawn(first, minted)
        await first.reaches(payout_id, S.PROCESSING)
        await hand.has_struck()

    async with open_shop(shop_settings, clock) as second:
        swept = await second.reaches(payout_id, S.IN_FLIGHT)
        assert swept.error_code == "worker_gone"
        await second.comes_to_rest()
        await second.later(hand, seconds=2)

        assert (await second.reaches(payout_id, S.COMPLETED)).fence == 2
        assert await answers(second, payout_id) == [None, A.SETTLED]
    assert await hand.times_paid(minted.hash) == 1


async def test_what_was_approved_before_a_restart_is_paid_after_it(
    shop_settings: Settings, hand: Hand
) -> None:
    clock, minted = HandClock(await hand.now()), await hand.home_invoice()
    async with open_shop(shop_settings, clock) as first:
        waiting = await first.claim(await first.pull_payment(auto_approve=False), minted.pr)
        await first.container.wallets.stop(first.store.id, ALICE)
        approve = first.container.payouts.approve
        await approve(first.store.id, waiting.id, waiting.revision, ALICE)
        await first.comes_to_rest()

    async with open_shop(shop_settings, clock) as second:
        await second.comes_to_rest()
        assert (await second.payout(waiting.id)).state is S.APPROVED
        await second.container.wallets.resume(second.store.id, ALICE)
        await second.later(hand, seconds=2)

        assert (await second.payout(waiting.id)).state is S.COMPLETED


async def test_however_many_sends_there_are_what_is_unknown_is_looked_up(
    shop_settings: Settings, hand: Hand
) -> None:
    lost, *slow = [await hand.foreign_invoice() for _ in range(1 + AT_ONCE)]
    await goes_wrong(hand, lost, "http_504", delay_ms=0)
    for minted in slow:
        await goes_wrong(hand, minted, "slow_answer", delay_ms=60_000)
    async with open_shop(shop_settings, HandClock(await hand.now())) as shop:
        unknown = await drawn(shop, lost)
        await shop.reaches(unknown, S.IN_FLIGHT)
        await shop.comes_to_rest()
        sending = [await drawn(shop, minted) for minted in slow]
        for payout_id in sending:
            await shop.reaches(payout_id, S.PROCESSING)

        shop.clock.advance(seconds=3)
        shop.connected.worker.wake.set()

        await shop.reaches(unknown, S.COMPLETED)
        assert {(await shop.payout(payout_id)).state for payout_id in sending} == {S.PROCESSING}


async def test_who_lost_the_lease_sends_nothing_any_more(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    wallet = await paying_shop.wallet()
    now = paying_shop.clock.utc_now()
    with beneath.transaction() as tx:
        fence = wallets.take_lease(tx, wallet, "another", now + 2 * LEASE, LEASE)
    assert fence == wallet.fence + 1

    payout_id = await drawn(paying_shop, await hand.home_invoice())
    await paying_shop.comes_to_rest()

    assert (await paying_shop.payout(payout_id)).state is S.APPROVED
    assert await paying_shop.sends(payout_id) == []


async def test_two_instances_pay_each_payout_once(shop_settings: Settings, hand: Hand) -> None:
    clock = HandClock(await hand.now())
    minted = [await hand.home_invoice(100 + number) for number in range(10)]
    async with open_shop(shop_settings, clock) as first:
        pull = await first.pull_payment()
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            second = group.create_task(lent(shop_settings, clock, first))
            ids = [await first.draw(pull, one.pr) for one in minted]
            for payout_id in ids:
                await first.reaches(payout_id, S.COMPLETED)
            second.cancel()

        assert {(await first.payout(payout_id)).fence for payout_id in ids} == {1}
    assert [await hand.times_paid(one.hash) for one in minted] == [1] * 10


async def lent(settings: Settings, clock: HandClock, first: Shop) -> None:
    """Run a second instance beside the first until it is cancelled; it never gets the lease."""
    async with running(build(settings, DatabaseKind.DEMO, clock)) as container:
        while first.store.id not in container.connected:
            await asyncio.sleep(0.01)
        worker = container.connected[first.store.id].worker
        assert not worker.health.holds_lease
        # The other one does, and this one says so as long as the other can be seen to.
        wallet = await first.wallet()
        assert worker.reaches_flash(wallet)
        assert not worker.reaches_flash(replace(wallet, lease_until=None))
        assert not worker.reaches_flash(replace(wallet, balance_at=clock.utc_now() - RECENT))
        await asyncio.Event().wait()


async def test_at_the_end_the_lease_is_given_back(
    shop_settings: Settings, hand: Hand, beneath: Raw
) -> None:
    async with open_shop(shop_settings, HandClock(await hand.now())) as shop:
        assert (await shop.wallet()).lease_owner is not None

    assert beneath.rows("SELECT lease_owner, lease_until, fence FROM wallets") == [(None, None, 1)]


async def test_the_worker_shows_the_wallet_and_its_balance(
    paying_shop: Shop, account: FlashAccount
) -> None:
    with paying_shop.container.hub.listen_store(paying_shop.store.id) as changes:
        while (wallet := await paying_shop.wallet()).flash_wallet_id is None:
            await changes.wait(1)

    assert wallet.flash_wallet_id == account.wallet
    assert wallet.balance_nanousd == 10_000_000 * 10_000_000
    assert paying_shop.connected.worker.health.last_error is None


async def test_with_an_api_key_alone_payouts_go_and_the_account_is_limited(
    database_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    key = await hand.api_key(account)
    only_key = through(hand, None, flash_api_key=key)
    settings = settings_for(database_url, tmp_path, **only_key)
    async with open_shop(settings, HandClock(await hand.now())) as shop:
        minted = await hand.foreign_invoice()

        payout = await shop.claim(await shop.pull_payment(), minted.pr)

        assert payout.state is S.COMPLETED
        assert shop.connected.account.health.limited
        assert shop.connected.account.health.last_error is None


async def meets(settings: Settings, kind: DatabaseKind, clock: HandClock) -> tuple[Any, str]:
    """Start with a database of a kind; returns the kind it then has and the worker's complaint."""
    container = build(settings, kind, clock)
    async with running(container), asyncio.timeout(PATIENCE_S):
        (store,) = await container.stores.all()
        while store.id not in container.connected:
            await asyncio.sleep(0.01)
        health = container.connected[store.id].worker.health
        while not health.connected and health.last_error is None:
            await asyncio.sleep(0.01)
        return container.kind, health.last_error or ""


async def paid_once(settings: Settings, hand: Hand, clock: HandClock) -> None:
    async with open_shop(settings, clock) as shop:
        await shop.claim(await shop.pull_payment(), (await hand.home_invoice()).pr)


@pytest.mark.parametrize("kind", DatabaseKind)
async def test_once_it_has_paid_a_database_keeps_its_kind(
    shop_settings: Settings, hand: Hand, beneath: Raw, kind: DatabaseKind
) -> None:
    clock = HandClock(await hand.now())
    await paid_once(shop_settings, hand, clock)
    beneath.run(f"UPDATE installation SET kind = '{kind}'")

    kept, complaint = await meets(shop_settings, kind, clock)

    assert kept is kind
    assert ("not the kind" in complaint) is (kind is DatabaseKind.REAL)


async def test_a_demo_that_has_paid_refuses_a_flash_that_is_no_sandbox(
    shop_settings: Settings, hand: Hand
) -> None:
    clock = HandClock(await hand.now())
    await paid_once(shop_settings, hand, clock)
    async with disguised(hand.sandbox.api_url) as real_url:
        real = shop_settings.model_copy(update={"flash_api_url": real_url})

        kept, complaint = await meets(real, DatabaseKind.DEMO, clock)

    assert kept is DatabaseKind.DEMO
    assert "not the kind" in complaint


async def test_a_database_that_paid_nothing_takes_the_kind_of_the_flash_it_meets(
    shop_settings: Settings, hand: Hand
) -> None:
    clock = HandClock(await hand.now())
    async with open_shop(shop_settings, clock):
        pass
    async with disguised(hand.sandbox.api_url) as real_url:
        real = shop_settings.model_copy(update={"flash_api_url": real_url})
        assert await meets(real, DatabaseKind.DEMO, clock) == (DatabaseKind.REAL, "")

    assert await meets(shop_settings, DatabaseKind.REAL, clock) == (DatabaseKind.DEMO, "")


async def test_a_shop_pays_through_a_flash_of_a_year_ago(
    database_url: str, tmp_path: Path, old_hand: Hand
) -> None:
    account = await old_hand.open_account(cents=100_000)
    settings = settings_for(database_url, tmp_path, **through(old_hand, account))
    minted = await old_hand.home_invoice()
    async with open_shop(settings, HandClock(await old_hand.now())) as shop:
        payout_id = await drawn(shop, minted)
        await shop.comes_to_rest()
        await shop.later(old_hand, seconds=5)

        assert (await shop.payout(payout_id)).state is S.COMPLETED
        assert {send.idempotency_key for send in await shop.sends(payout_id)} >= {None}
    assert await old_hand.times_paid(minted.hash) == 1
