"""A restored backup pays nothing twice: its gate is shut until an owner opens it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import UnavailableError
from models.hold import Hold
from models.instants import to_us
from models.migrations import run as migrations
from models.payout import Payout
from models.payout_request import PayoutRequest
from models.states import PayoutState
from models.store import Role
from models.wallet import Gate
from services.backups import back_up, restore
from services.database import Database
from services.epoch import EpochFile
from services.recovery import HELD
from services.storage import epoch as epochs
from services.storage import hold as holds
from tests.support.api import api_of, is_problem
from tests.support.clock import NOON, HandClock
from tests.support.databases import raw
from tests.support.postgres import PrivatePostgres
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop, open_shop, settings_for, through

S = PayoutState
TEN = 10


@pytest.fixture
def second_url(dialect: str, request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """Where a backup is restored to: the same file, or a new database of the server."""
    if dialect == "sqlite":
        yield database_url
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    yield server.create_database("restored")
    server.drop_database("restored")


async def balance(shop: Shop) -> int | None:
    info = await shop.connected.worker.tools.client.fetch_wallet()
    return info.balance_nanousd


async def approved(shop: Shop, destination: str, **more: Any) -> Payout:
    request = PayoutRequest(destination, **more)
    payout = await shop.container.engine.requests.create(shop.store.id, request, ALICE)
    return await shop.container.payouts.approve(shop.store.id, payout.id, payout.revision, ALICE)


async def hold_of(shop: Shop, payout: Payout) -> Hold | None:
    return await shop.container.database.read(holds.open_hold, shop.store.id, payout.id)


async def test_a_restored_backup_pays_nothing_twice(
    database_url: str, second_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    backup, payee = tmp_path / "copy", await hand.open_account(0)
    given = through(hand, account)
    async with open_shop(
        settings_for(database_url, tmp_path, **given), HandClock(await hand.now())
    ) as shop:
        lost = await hand.foreign_invoice(3_000)
        match = {"payment_hash": lost.hash, "operation": "lnInvoicePaymentSend"}
        await hand.fault("response_lost", match=match, times=9, executed=True)
        unknown = await approved(shop, lost.pr)
        await shop.reaches(unknown.id, S.IN_FLIGHT)
        await shop.container.wallets.stop(shop.store.id, ALICE)
        ten = [
            await approved(shop, payee.username, amount=1_000 + number, currency="SATS")
            for number in range(TEN)
        ]
        dated = await shop.container.engine.interventions.hold(
            shop.store.id,
            ten[0].id,
            ALICE,
            reason="until noon",
            release_at=shop.clock.utc_now().replace(year=2030),
        )
        made = back_up(database_url, backup)
        assert (made.revision, made.kind) == (migrations.head(), "demo")
        await shop.container.engine.interventions.release(shop.store.id, ten[0].id, ALICE)
        await shop.container.wallets.resume(shop.store.id, ALICE)
        shop.clock.advance(seconds=4)
        for payout in ten:
            await shop.reaches(payout.id, S.COMPLETED)
        paid_once, clock, store = await balance(shop), shop.clock, shop.store

    restore(second_url, backup, EpochFile(tmp_path / "epoch"), clock.utc_now())

    clock.advance(seconds=10)  # the lease that was copied lapses
    again = settings_for(second_url, tmp_path, **given)
    async with open_shop(again, clock) as shop:
        shop.store = store
        wallet = await shop.wallet()
        assert (wallet.gate, wallet.gate_reason) == (Gate.SHUT, "recovery")
        assert (await shop.payout(unknown.id)).state is S.NEEDS_REVIEW
        for payout in ten:
            held = await hold_of(shop, payout)
            assert held is not None
            assert (held.reason, held.release_at) == (HELD, None)
            assert held.id != dated.id
        await shop.container.wallets.resume(shop.store.id, ALICE)
        await shop.later(hand, minutes=2)
        await shop.connected.worker.tools.bookkeeper.compare(shop.store.id)
        rows = await shop.container.engine.books.extras(shop.store.id, NOON.replace(year=2000))
        assert len(rows) >= TEN
        assert (await shop.payout(unknown.id)).state is S.NEEDS_REVIEW

        async with api_of(shop) as api:
            is_problem(
                await api.post("wallet/open-gate", role=Role.MANAGER, once="m"), 403, "forbidden"
            )
            opened = await api.post("wallet/open-gate", once="o")
        assert opened.json()["gate"] == "open"
        await shop.later(hand, minutes=2)
        assert [(await shop.payout(payout.id)).state for payout in ten] == [S.APPROVED] * TEN
        assert await balance(shop) == paid_once
        assert await shop.container.books.audit(shop.store.id) == []
        # What is asked for from now on is paid.
        fresh = await approved(shop, payee.username, amount=500, currency="SATS")
        await shop.reaches(fresh.id, S.COMPLETED)


async def test_a_copy_that_knows_every_send_opens_as_it_is(shop: Shop, tmp_path: Path) -> None:
    keeper = shop.container.engine.epochs
    await keeper.advance()
    await keeper.advance()
    found = await shop.container.database.read(epochs.read_epoch)
    assert found is not None

    assert found.number == 2
    assert EpochFile(tmp_path / "epoch").read() == {found.installation: 2}
    assert not await keeper.check()
    assert (await shop.wallet()).gate is Gate.OPEN


async def test_a_database_without_its_file_is_trusted_only_beside_a_live_worker(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    keeper, lease = shop.container.engine.epochs, to_us(shop.clock.utc_now()) + 1
    await keeper.advance()

    (tmp_path / "epoch").unlink()
    with raw(database_url) as beneath:
        beneath.run(f"UPDATE wallets SET lease_until = {lease}")
    assert not await keeper.check()
    assert (await shop.wallet()).gate is Gate.OPEN

    (tmp_path / "epoch").unlink()
    shop.clock.advance(seconds=1)
    assert await keeper.check()
    assert (await shop.wallet()).gate_reason == "recovery"
    assert not await keeper.check()


async def test_what_cannot_be_written_down_is_not_sent(
    paying_shop: Shop, hand: Hand, tmp_path: Path
) -> None:
    await paying_shop.container.engine.epochs.advance()
    (tmp_path / "epoch").unlink()
    (tmp_path / "epoch").mkdir()
    minted = await hand.foreign_invoice(1_000)
    payout = await approved(paying_shop, minted.pr)
    while not await paying_shop.sends(payout.id):
        await asyncio.sleep(0.01)
    await paying_shop.reaches(payout.id, S.APPROVED)
    assert await hand.times_paid(minted.hash) == 0

    (tmp_path / "epoch").rmdir()
    paying_shop.clock.advance(seconds=4)
    await paying_shop.reaches(payout.id, S.COMPLETED)

    assert await hand.times_paid(minted.hash) == 1


async def test_a_database_that_goes_back_in_time_while_it_is_served_sends_nothing(
    shop: Shop, database_url: str
) -> None:
    keeper = shop.container.engine.epochs
    await keeper.advance()
    await keeper.advance()
    await keeper.advance()
    with raw(database_url) as beneath:
        beneath.run("UPDATE epochs SET number = 1")

    with pytest.raises(UnavailableError, match="back in time"):
        await keeper.advance()

    assert (await shop.wallet()).gate_reason == "recovery"
    await keeper.advance()


def test_a_backup_overwrites_nothing_and_tells_what_is_damaged(
    sqlite_url: str, tmp_path: Path
) -> None:
    taken, nothing = tmp_path / "taken", tmp_path / "nothing"
    taken.write_text("mine")
    with gzip.open(nothing, "wb") as file:
        file.write(b'{"format": "another"}\n')

    with pytest.raises(UnavailableError, match="there already"):
        back_up(sqlite_url, taken)
    with pytest.raises(UnavailableError, match="for nothing yet"):
        back_up(sqlite_url, tmp_path / "empty")
    for bad in (taken, nothing):
        with pytest.raises(UnavailableError, match="not a backup"):
            restore(sqlite_url, bad, EpochFile(tmp_path / "epoch"), NOON)
    assert not (tmp_path / "empty").exists()
    assert not (tmp_path / "epoch").exists()


async def test_what_is_in_use_or_full_is_not_restored_over(
    shop: Shop, database_url: str, dialect: str, tmp_path: Path
) -> None:
    backup = tmp_path / "copy"
    back_up(database_url, backup)
    database: Database = shop.container.database
    await database.read(epochs.read_epoch)

    wanted = "in use" if dialect == "sqlite" else "empty database"
    with pytest.raises(UnavailableError, match=wanted):
        restore(database_url, backup, EpochFile(tmp_path / "epoch"), NOON)

    assert not (tmp_path / "epoch").exists()
    assert backup.stat().st_mode & 0o077 == 0
