"""A restored backup pays nothing twice: its gate is shut until an owner opens it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.errors import InvalidField, StatementUnread, UnavailableError
from models.hold import HELD_BEFORE, LOST, MATCHED, SENT_BEFORE
from models.instants import to_us
from models.migrations import run as migrations
from models.payout import Payout
from models.payout_request import PayoutRequest
from models.session import SessionKind
from models.statement import BookState, ClosedBook
from models.states import PayoutState
from models.store import Role
from models.wallet import Gate
from services.backups import back_up, restore
from services.database import Database
from services.epoch import EpochFile
from services.housekeeping import Housekeeping
from services.sessions import Origin
from services.storage import epoch as epochs
from services.storage import hold as holds
from services.storage.health import read_attention
from services.storage.session import add_session
from services.vault import token_hash
from tests.support.api import api_of, is_problem
from tests.support.clock import NOON, HandClock
from tests.support.databases import Raw, raw
from tests.support.postgres import PrivatePostgres
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop, open_shop, settings_for, through

S = PayoutState
TEN = 10
NANOUSD_A_SAT = 1_000_000  # at the price that tests begin with


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


async def reason(shop: Shop, payout: Payout) -> str | None:
    hold = await shop.container.database.read(holds.open_hold, shop.store.id, payout.id)
    return None if hold is None else hold.reason


async def read_statement(shop: Shop) -> None:
    """Have Flash's list read now, as the bookkeeper does when it is due."""
    tools = shop.connected.worker.tools
    await tools.bookkeeper.look(shop.store.id, await tools.client.fetch_wallet())


async def compare_balance(shop: Shop) -> ClosedBook | None:
    """Have the balance compared with the list now."""
    return await shop.connected.worker.tools.bookkeeper.compare(shop.store.id)


async def goes_back(shop: Shop, database_url: str) -> None:
    """Have the database turn out to be an old copy while it is served."""
    await shop.container.engine.epochs.advance()
    await shop.container.engine.epochs.advance()
    with raw(database_url) as beneath:
        beneath.run("UPDATE epochs SET number = 1")
    assert await shop.container.engine.epochs.check()


@dataclass(frozen=True)
class Past:
    """What was open when the copy was made, and what the wallet held when all was paid."""

    unknown: Payout
    ten: list[Payout]
    dropped: Payout
    kept: Payout
    balance: int | None


async def copied_and_lived_on(shop: Shop, hand: Hand, database_url: str, backup: Path) -> Past:
    """Make a backup with something of every kind open, and pay on after it."""
    acts, payee = shop.container.engine.interventions, await hand.open_account(0)
    assert await compare_balance(shop) is not None
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
    dropped = await approved(shop, payee.username, amount=50_000, currency="SATS")
    short_lived = await hand.foreign_invoice(200_000, expiry_s=600)
    kept = await approved(shop, short_lived.pr)
    until = shop.clock.utc_now().replace(year=2030)
    await acts.hold(shop.store.id, ten[0].id, ALICE, reason="until noon", release_at=until)

    made = back_up(database_url, backup)
    assert (made.revision, made.kind) == (migrations.head(), "demo")

    await acts.release(shop.store.id, ten[0].id, ALICE)
    await shop.container.payouts.cancel(shop.store.id, dropped.id, ALICE)
    await shop.container.payouts.cancel(shop.store.id, kept.id, ALICE)
    await shop.container.wallets.resume(shop.store.id, ALICE)
    shop.clock.advance(seconds=4)
    for payout in ten:
        await shop.reaches(payout.id, S.COMPLETED)
    return Past(unknown, ten, dropped, kept, await balance(shop))


async def test_a_restored_backup_pays_nothing_twice(
    database_url: str, second_url: str, tmp_path: Path, hand: Hand, account: FlashAccount
) -> None:
    backup, given = tmp_path / "copy", through(hand, account)
    async with open_shop(
        settings_for(database_url, tmp_path, **given), HandClock(await hand.now())
    ) as shop:
        past = await copied_and_lived_on(shop, hand, database_url, backup)
        clock, store = shop.clock, shop.store
    restore(second_url, backup, EpochFile(tmp_path / "epoch"), clock.utc_now())
    clock.advance(seconds=10)  # the lease that was copied lapses

    again = settings_for(second_url, tmp_path, **given)
    async with open_shop(again, clock) as shop:
        shop.store = store
        wallet = await shop.wallet()
        assert (wallet.gate, wallet.gate_reason) == (Gate.SHUT, "recovery")
        await shop.container.wallets.resume(store.id, ALICE)
        why = {payout.id: await reason(shop, payout) for payout in (*past.ten, past.dropped)}
        assert set(why.values()) == {LOST, HELD_BEFORE}
        assert (why[past.ten[0].id], await reason(shop, past.unknown)) == (HELD_BEFORE, SENT_BEFORE)
        async with api_of(shop) as api:
            manager = await api.post("wallet/open-gate", role=Role.MANAGER, once="m")
            is_problem(manager, 403, "forbidden")
            # Whoever opens it now would do so without knowing what was paid since.
            is_problem(await api.post("wallet/open-gate", once="a"), 409, "state_changed")
            await shop.later(hand, minutes=11)
            await read_statement(shop)
            opened = await api.post("wallet/open-gate", once="o")
            assert opened.json()["gate"] == "open"

        # A debit could be each of these; a person says whether it is.
        assert {await reason(shop, payout) for payout in past.ten} == {MATCHED}
        assert (await shop.payout(past.unknown.id)).state is S.NEEDS_REVIEW
        attention = await shop.container.database.read(read_attention, store.id, clock.utc_now())
        assert (attention.matched, attention.to_review) == (TEN, 1)
        # Its invoice ran out, but nobody knows yet that nothing was sent.
        await Housekeeping(shop.container.database, clock).tidy()
        assert (await shop.payout(past.kept.id)).state is S.APPROVED
        payee = await hand.open_account(0)
        fresh = await approved(shop, payee.username, amount=500, currency="SATS")
        await shop.reaches(fresh.id, S.COMPLETED)
        before = await balance(shop)

        # A day later the list is proof for what no debit could be, if the balance agrees with it.
        await shop.later(hand, days=1)
        await read_statement(shop)
        assert await reason(shop, past.dropped) == LOST
        book = await compare_balance(shop)
        assert book is not None
        assert book.state is not BookState.DIFFERS
        await read_statement(shop)
        paid = await shop.reaches(past.dropped.id, S.COMPLETED)
        await shop.reaches(past.kept.id, S.EXPIRED)
        assert [(await shop.payout(payout.id)).state for payout in past.ten] == [S.APPROVED] * TEN
        after = await balance(shop)
        assert before is not None
        assert after is not None
        assert before - after == 50_000 * NANOUSD_A_SAT
        assert past.balance == before + 500 * NANOUSD_A_SAT
        assert paid.attempts == 1
        assert await shop.container.books.audit(store.id) == []


async def test_what_was_on_the_wire_is_looked_up_but_never_sent_again(
    paying_shop: Shop, hand: Hand, database_url: str, tmp_path: Path
) -> None:
    shop, minted = paying_shop, await hand.foreign_invoice(7_000)
    match = {"payment_hash": minted.hash, "operation": "lnInvoicePaymentSend"}
    await hand.fault("busy_lock", match=match, times=1)
    payout = await approved(shop, minted.pr)
    await shop.reaches(payout.id, S.IN_FLIGHT)
    await goes_back(shop, database_url)

    await shop.later(hand, minutes=2)
    await read_statement(shop)
    await shop.container.wallets.open_gate(shop.store.id, ALICE)
    await shop.later(hand, minutes=2)

    assert len(await shop.sends(payout.id)) == 1
    assert (await shop.payout(payout.id)).state is S.IN_FLIGHT
    assert await reason(shop, payout) == SENT_BEFORE
    await shop.container.engine.interventions.release(shop.store.id, payout.id, ALICE)
    shop.clock.advance(minutes=2)
    await shop.reaches(payout.id, S.COMPLETED)
    assert await hand.times_paid(minted.hash) == 1


async def test_no_gate_opens_on_a_list_with_holes_but_by_an_owners_word(
    paying_shop: Shop, hand: Hand, database_url: str, beneath: Raw
) -> None:
    shop, store_id = paying_shop, paying_shop.store.id
    wallets = shop.container.wallets
    await goes_back(shop, database_url)
    await hand.fault("empty_transactions", times=1)
    await read_statement(shop)
    assert await wallets.is_unread(store_id)
    # The list of another wallet says nothing of what this one sent.
    now = shop.clock.utc_now()
    await shop.container.engine.review.take_list(store_id, "another", now)
    with pytest.raises(StatementUnread):
        await wallets.open_gate(store_id, ALICE)
    with pytest.raises(InvalidField, match="in a few words"):
        await wallets.open_gate(store_id, ALICE, "   now   ")

    await wallets.open_gate(store_id, ALICE, "The wallet was emptied by hand.")

    assert (await shop.wallet()).gate is Gate.OPEN
    (row,) = beneath.rows("SELECT actor_id, after FROM audit WHERE action = 'wallet.gate_opened'")
    assert row[0] == ALICE.id
    assert "emptied by hand" in str(row[1])


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
    keeper, doors = shop.container.engine.epochs, shop.container.doors
    await keeper.advance()
    await keeper.advance()
    await keeper.advance()
    (owner,) = await doors.people.members(shop.store.id)
    session, token = doors.sessions.new(SessionKind.BROWSER, owner.user_id, shop.store.id, Origin())
    await shop.container.database.write(add_session, session, token_hash(token))
    with raw(database_url) as beneath:
        beneath.run("UPDATE epochs SET number = 1")
    # It may have ended since the copy was made: by its person, or with a theft.
    assert await doors.sessions.find(token)

    with pytest.raises(UnavailableError, match="back in time"):
        await keeper.advance()

    assert (await shop.wallet()).gate_reason == "recovery"
    assert await doors.sessions.find(token) is None
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
