"""Connections that owners enter: tested live, sealed, replaced, and let go of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.container import Connected, build, running
from app.pages.connection import connection_of
from models.errors import CredentialRefused, GatewayError, InvalidField, NotFoundError, RuleError
from models.flash import ConnectionTest, CredentialKind
from models.record import EntryFilter
from models.states import PayoutState
from models.store import DatabaseKind
from tests.conftest import BOTH
from tests.support.clock import HandClock
from tests.support.databases import Raw, raw
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop, open_shop, settings_for, through

SEND = "lnInvoicePaymentSend"


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, hand: Hand) -> AsyncIterator[Shop]:
    """A store that knows where Flash is, and has no credential."""
    settings = settings_for(database_url, tmp_path, **through(hand, None))
    async with open_shop(settings, HandClock(await hand.now())) as opened:
        yield opened


async def enter(shop: Shop, credential: str, kind: CredentialKind = CredentialKind.TOKEN) -> None:
    connections = shop.container.connections
    wanted = connections.to(kind, credential)
    found = await connections.test(wanted, "USD")
    await connections.keep(shop.store.id, kind, wanted, found, ALICE)


async def in_flight(shop: Shop, hand: Hand) -> str:
    """Have a payout whose answer got lost, and which did not leave; its invoice lives a day."""
    minted = await hand.foreign_invoice(expiry_s=86_400)
    await hand.fault("busy_lock", match={"payment_hash": minted.hash, "operation": SEND})
    lost = await shop.draw(await shop.pull_payment(), minted.pr)
    await shop.reaches(lost, PayoutState.IN_FLIGHT)
    return lost


async def is_let_go(shop: Shop) -> None:
    """Wait until nothing pays for the shop any more."""
    async with asyncio.timeout(PATIENCE_S):
        while shop.store.id in shop.container.connected:
            await asyncio.sleep(0.01)


async def is_connected_anew(shop: Shop, before: Connected) -> None:
    """Wait until what was entered last is what pays."""
    async with asyncio.timeout(PATIENCE_S):
        while shop.container.connected.get(shop.store.id) in (None, before):
            await asyncio.sleep(0.01)
    await shop.is_ready()


@pytest.mark.parametrize("dialect", BOTH, indirect=True)
async def test_a_credential_is_tested_sealed_replaced_and_forgotten(
    shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    container, store_id, connections = shop.container, shop.store.id, shop.container.connections
    for wrong in ("", "two words", "é", "a\nb", "x" * 5_000):
        with pytest.raises(InvalidField):
            connections.to(CredentialKind.TOKEN, wrong)
    with pytest.raises(GatewayError):
        await enter(shop, "not-a-token")
    assert await connections.all() == []

    wanted = connections.to(CredentialKind.TOKEN, f" {account.token}\n")
    found = await connections.test(wanted, "USD")
    assert (found.is_sandbox, found.reads_statement, found.socket_answers) == (True, True, True)
    assert found.wallet.flash_wallet_id == account.wallet
    await enter(shop, account.token)
    kept = await connections.of(store_id)
    assert kept is not None
    assert connections.open(kept) == wanted
    assert account.token.encode() not in kept.credential_sealed
    assert account.token not in repr(kept)

    key = await hand.api_key(account, scopes="read:user read:wallet")
    partly = await connections.test(connections.to(CredentialKind.API_KEY, key), "USD")
    assert not partly.reads_statement
    await enter(shop, key, CredentialKind.API_KEY)
    replaced = await connections.of(store_id)
    assert replaced is not None
    assert (await connections.all(), replaced.kind) == ([replaced], CredentialKind.API_KEY)
    await connections.drop(store_id, ALICE)
    with pytest.raises(NotFoundError):
        await connections.drop(store_id, ALICE)
    acts = await container.doors.record.page(store_id, EntryFilter(text="connection."), 9)
    assert [entry.action for entry in acts] == ["connection.ended", *["connection.made"] * 2]
    assert not [entry for entry in acts if account.token in f"{entry.before}{entry.after}"]


async def test_what_is_entered_pays_and_what_is_forgotten_stops(
    shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    container, pull = shop.container, await shop.pull_payment()
    await enter(shop, account.token)
    await shop.is_ready()
    paid = await shop.draw(pull, (await hand.home_invoice()).pr)
    await shop.reaches(paid, PayoutState.COMPLETED)
    first = shop.connected

    await enter(shop, account.token)
    await is_connected_anew(shop, first)
    again = await shop.draw(pull, (await hand.home_invoice()).pr)
    await shop.reaches(again, PayoutState.COMPLETED)

    await container.connections.drop(shop.store.id, ALICE)
    await is_let_go(shop)
    assert not [name for name in container.supervisor.health if shop.store.id in name]
    assert (await shop.wallet()).lease_owner is None


async def test_another_wallet_is_refused_while_payouts_are_on_their_way(
    shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    await enter(shop, account.token)
    await shop.is_ready()
    lost = await in_flight(shop, hand)

    stranger = await hand.open_account(cents=100_000)
    with pytest.raises(RuleError, match="on their way"):
        await enter(shop, stranger.token)

    first = shop.connected
    await enter(shop, account.token)  # the same wallet is welcome

    await is_connected_anew(shop, first)
    await shop.later(hand, days=2, hours=1)
    await shop.reaches(lost, PayoutState.NEEDS_REVIEW)
    with pytest.raises(RuleError, match="on their way"):
        await enter(shop, stranger.token)
    resolve = shop.container.engine.interventions.resolve
    await resolve(shop.store.id, lost, ALICE, is_paid=False, evidence="Flash's own books")
    await enter(shop, (await hand.open_account(cents=100_000)).token)


@pytest.mark.parametrize(
    "dialect", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
async def test_another_wallet_is_refused_while_a_send_begins(
    shop: Shop, hand: Hand, account: FlashAccount, beneath: Raw
) -> None:
    await enter(shop, account.token)
    await shop.is_ready()
    minted, stranger = await hand.foreign_invoice(), await hand.open_account(cents=100_000)
    pull = await shop.pull_payment(auto_approve=False)
    waiting = await shop.draw(pull, minted.pr)
    with raw(shop.container.database.url) as other:
        with other.transaction() as tx:
            # As whoever logs a send does: the wallet is locked, the payout's step comes with it.
            tx._cursor.execute("SELECT id FROM wallets FOR SHARE")
            tx._cursor.execute("UPDATE payouts SET state = 'in_flight', status = 'processing'")
            entering = asyncio.ensure_future(enter(shop, stranger.token))
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            async with asyncio.timeout(PATIENCE_S):
                while not beneath.value(waits):
                    await asyncio.sleep(0.01)
        with pytest.raises(RuleError, match="on their way"):
            await entering
    assert (await shop.payout(waiting)).state is PayoutState.IN_FLIGHT


@pytest.mark.parametrize("dialect", BOTH, indirect=True)
async def test_no_instance_spends_by_a_credential_that_was_replaced(
    shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    first, store_id = shop.container, shop.store.id
    await enter(shop, account.token)
    await shop.is_ready()
    async with running(build(first.settings, DatabaseKind.DEMO, shop.clock)) as other:
        fence = (await shop.wallet()).fence
        stranger = await hand.open_account(cents=100_000)

        await enter(shop, stranger.token)

        # Before either has looked: nothing more goes out under the old credential's fence.
        assert (await shop.wallet()).fence > fence
        kept = await first.connections.of(store_id)
        assert kept is not None
        async with asyncio.timeout(PATIENCE_S):
            for container in (first, other):
                while getattr(container.connected.get(store_id), "id", None) != kept.id:
                    await asyncio.sleep(0.01)
            while (await shop.wallet()).flash_wallet_id != stranger.wallet:
                await asyncio.sleep(0.01)
        await first.connections.drop(store_id, ALICE)
        async with asyncio.timeout(PATIENCE_S):
            while first.connected or other.connected:
                await asyncio.sleep(0.01)
        assert (await shop.wallet()).lease_owner is None


async def test_the_environments_other_wallet_begins_anew_and_leaves_the_old_ones_sends_alone(
    database_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    clock = HandClock(await hand.now())
    of_old = settings_for(database_url, tmp_path, **through(hand, account))
    async with open_shop(of_old, clock) as shop:
        lost = await in_flight(shop, hand)
    stranger, store = await hand.open_account(cents=1_000_000), shop.store
    clock.advance(seconds=10)

    of_new = settings_for(database_url, tmp_path, **through(hand, stranger))
    async with open_shop(of_new, clock) as shop:
        shop.store = store
        found = await shop.container.doors.record.page(
            store.id, EntryFilter(text="wallet.changed"), 9
        )
        (entry,) = found
        assert account.wallet in str(entry.before)
        assert stranger.wallet in str(entry.after)
        assert (await shop.wallet()).flash_wallet_id == stranger.wallet
        paid = await shop.draw(await shop.pull_payment(), (await hand.home_invoice()).pr)
        await shop.reaches(paid, PayoutState.COMPLETED)
        await shop.later(hand, minutes=3)
        await shop.connected.worker.tools.bookkeeper.compare(store.id)
        assert len(await shop.sends(lost)) == 1
        assert (await shop.payout(lost)).state is PayoutState.IN_FLIGHT
        await shop.later(hand, days=2, hours=1)
        assert (await shop.payout(lost)).state is PayoutState.NEEDS_REVIEW


async def test_a_credential_that_is_revoked_pauses_and_says_so(
    shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    await enter(shop, account.token)
    await shop.is_ready()
    await hand.post("tokens/revoke", token=account.token)

    waiting = await shop.draw(await shop.pull_payment(), (await hand.home_invoice()).pr)

    async with asyncio.timeout(PATIENCE_S):
        while not shop.connected.worker.health.is_refused:
            await asyncio.sleep(0.01)
    sign = connection_of(shop.container, await shop.wallet())
    assert sign is not None
    assert (sign.connected, sign.last_error) == (False, "Flash does not accept the credential.")
    await shop.reaches(waiting, PayoutState.APPROVED)
    with pytest.raises(CredentialRefused):
        await enter(shop, account.token)
    fresh = await hand.post("tokens", username=account.username)
    await enter(shop, fresh["token"])
    await shop.reaches(waiting, PayoutState.COMPLETED)


async def test_play_money_and_real_money_are_never_mixed(
    shop: Shop, hand: Hand, account: FlashAccount, beneath: Raw
) -> None:
    await enter(shop, account.token)
    await shop.is_ready()
    paid = await shop.draw(await shop.pull_payment(), (await hand.home_invoice()).pr)
    await shop.reaches(paid, PayoutState.COMPLETED)
    connections = shop.container.connections
    wanted = connections.to(CredentialKind.TOKEN, account.token)
    found = await connections.test(wanted, "USD")

    async def keep(seen: ConnectionTest) -> None:
        await connections.keep(shop.store.id, CredentialKind.TOKEN, wanted, seen, ALICE)

    with pytest.raises(RuleError, match="Play money"):
        await keep(replace(found, is_sandbox=False))
    beneath.run("UPDATE installation SET kind = 'real'")
    with pytest.raises(RuleError, match="this is a sandbox"):
        await keep(found)
