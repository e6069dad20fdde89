"""What comes too late, or between a look and an act, is never acted upon as if it had not."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from models.destination import Destination, Terms
from models.errors import LimitReached, StatementUnread
from models.flash import InvoiceStatus, StatementRow
from models.payout import AttemptState, SightingSource
from models.payout_request import PayoutRequest
from models.statement import BookState
from models.states import PayoutState
from services.closed_books import TOLERANCE_NANOUSD
from services.destinations import Destinations
from services.payout_requests import PayoutRequests
from services.pull_payments import PullPaymentChange
from services.send_log import STATEMENT_ROWS
from services.statements import Statements
from services.storage import attempt as attempts
from services.wallets import Wallets
from tests.services.test_interventions import retry
from tests.services.test_payout_requests import approve, ask
from tests.services.test_statements import compare, in_doubt, look
from tests.services.test_witness import expires_twice
from tests.support.databases import Raw, raw
from tests.support.patience import PATIENCE_S
from tests.support.sandbox import Hand
from tests.support.shop import ALICE, Shop

S = PayoutState
ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])


@ON_SQLITE
async def test_books_do_not_begin_anew_while_a_settled_debit_has_no_row(
    paying_shop: Shop, hand: Hand
) -> None:
    pull = await paying_shop.pull_payment()
    await paying_shop.claim(pull, (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    base = await compare(paying_shop)
    assert base is not None
    await paying_shop.later(hand, seconds=1)
    minted = await hand.foreign_invoice(4_000)
    await hand.fault("row_delay", match={"payment_hash": minted.hash}, times=1, delay_ms=3_600_000)
    await paying_shop.claim(pull, minted.pr)

    await paying_shop.later(hand, minutes=6)
    first = await compare(paying_shop)
    await paying_shop.later(hand, minutes=6)
    second = await compare(paying_shop)
    await paying_shop.later(hand, minutes=60)
    listed = await compare(paying_shop)

    assert first is not None
    assert second is not None
    assert listed is not None
    assert (first.state, second.state) == (BookState.DIFFERS, BookState.DIFFERS)
    assert (listed.state, listed.difference_nanousd) == (BookState.CLOSED, 0)


@ON_SQLITE
async def test_books_of_two_wallets_are_compared_apart(paying_shop: Shop, hand: Hand) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    base = await compare(paying_shop)
    assert base is not None
    books, store_id = paying_shop.container.engine.books, paying_shop.store.id
    short = base.balance_nanousd - 2 * TOLERANCE_NANOUSD
    await paying_shop.later(hand, seconds=1)
    differs = await books.compare(store_id, base.flash_wallet_id, short)
    other = await books.compare(store_id, "after-the-cutover", 5)
    assert differs is not None
    assert other is not None

    paying_shop.clock.advance(minutes=5)
    again = await books.compare(store_id, base.flash_wallet_id, short)

    assert (differs.state, other.state, other.base_id) == (
        BookState.DIFFERS,
        BookState.CLOSED,
        None,
    )
    # The same difference twice: the other wallet's book in between is none of its.
    assert again is not None
    assert again.state is BookState.CLOSED


@ON_SQLITE
async def test_a_payout_that_was_paid_after_all_is_not_sent(paying_shop: Shop, hand: Hand) -> None:
    payee, store_id = await hand.open_account(0), paying_shop.store.id
    await hand.fault("generic_error", match={"operation": "lnInvoicePaymentSend"}, times=1)
    payout = await ask(paying_shop, payee.username, amount=1_000)
    await approve(paying_shop, payout)
    await paying_shop.reaches(payout.id, S.IN_FLIGHT)
    await expires_twice(paying_shop, hand)
    first = await paying_shop.attempt(payout.id)
    assert first.state is AttemptState.DEAD
    wallets = paying_shop.container.wallets
    await wallets.stop(store_id, ALICE)
    await retry(paying_shop, payout.id)
    await paying_shop.container.tracking.take_status(
        first.payment_hash, InvoiceStatus.PAID, SightingSource.SOCKET
    )

    await wallets.open_gate(store_id, ALICE)
    await wallets.resume(store_id, ALICE)
    await paying_shop.later(hand, seconds=30)
    ended = await paying_shop.reaches(payout.id, S.COMPLETED, S.FAILED)

    assert (ended.state, ended.error_code) == (S.FAILED, "paid_after_release")
    assert len(await paying_shop.sends(payout.id)) == 1
    made = await paying_shop.container.database.read(attempts.read_attempts, store_id, payout.id)
    assert AttemptState.LIVE not in {attempt.state for attempt in made}
    assert await paying_shop.container.books.audit(store_id) == []


class ChangedMeanwhile(Destinations):
    """A recipient during whose answer somebody changes the pull payment."""

    def __init__(self, shop: Shop, pull_payment_id: str, changes: PullPaymentChange) -> None:
        real = shop.container.engine.destinations
        super().__init__(real._outbound, real._clock, real._flash_host)
        self._shop, self._id, self._changes = shop, pull_payment_id, changes

    async def ask_terms(self, destination: Destination) -> Terms:
        terms = await super().ask_terms(destination)
        pulls = self._shop.container.pull_payments
        await pulls.change(self._shop.store.id, self._id, self._changes, ALICE)
        return terms


@ON_SQLITE
async def test_a_request_goes_by_its_pull_payment_as_it_is_when_it_is_written(
    paying_shop: Shop, hand: Hand
) -> None:
    payee, container = await hand.open_account(0), paying_shop.container
    for changes, is_refused in (
        (PullPaymentChange(auto_approve=False), False),
        (PullPaymentChange(min_sats=2_000), True),
    ):
        pull = await paying_shop.pull_payment(max_sats=10_000)
        requests = PayoutRequests(
            container.database,
            container.vault,
            container.clock,
            container.ids,
            rates=container.rates,
            destinations=ChangedMeanwhile(paying_shop, pull.id, changes),
        )
        request = PayoutRequest(payee.username, amount=1_000, pull_payment_id=pull.id)
        if is_refused:
            with pytest.raises(LimitReached):
                await requests.create(paying_shop.store.id, request, ALICE)
        else:
            made = await requests.create(paying_shop.store.id, request, ALICE)
            assert made.state is S.AWAITING_APPROVAL


def a_row(row_id: str, amount: int, at: datetime) -> StatementRow:
    return StatementRow(row_id, is_send=True, amount_nanousd=amount, at=at, signed_nanousd=-amount)


@ON_SQLITE
async def test_a_row_that_comes_late_behind_a_full_page_is_found(
    paying_shop: Shop, hand: Hand
) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    unknown = await in_doubt(paying_shop, hand, "generic_error", 5_000)
    tools, now = paying_shop.connected.worker.tools, paying_shop.clock.utc_now()
    info = await tools.client.fetch_wallet()
    debit = (await paying_shop.attempt(unknown.id)).created_at
    noise = [
        a_row(f"row {number}", 10**6, now + timedelta(hours=3, minutes=number))
        for number in range(STATEMENT_ROWS)
    ]
    late = a_row("late", 5_000 * 10**6, debit)

    # The whole list also has what was there before the first look: that is nobody's to explain.
    shown = [a_row("before", 7_000 * 10**6, now - timedelta(hours=3))]

    class Listed:
        async def fetch_statement(self, wallet: str, count: int) -> list[StatementRow]:
            return noise

        async def fetch_whole_statement(
            self, wallet: str, since: datetime, least: int
        ) -> list[StatementRow]:
            return [*noise, *shown]

        async def fetch_row_details(self, row_id: str) -> None:
            return None

    statements = Statements(
        paying_shop.container.database,
        paying_shop.clock,
        Listed(),  # type: ignore[arg-type]  # all that a look asks for
        tools.pace,
        paying_shop.container.tracking,
    )
    paying_shop.clock.advance(hours=5)
    await statements.look(paying_shop.store.id, info.flash_wallet_id)
    shown.append(late)
    paying_shop.clock.advance(minutes=30)
    await statements.look(paying_shop.store.id, info.flash_wallet_id)

    seen = "SELECT count(*) FROM statement_rows WHERE id = 'late'"
    with raw(paying_shop.container.database.url) as beneath:
        assert beneath.value(seen) == 1
        before = "SELECT state FROM statement_rows WHERE id = 'before'"
        assert beneath.value(before) == "before"


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def test_a_gate_that_is_shut_for_recovery_a_moment_before_stays_shut(
    shop: Shop, beneath: Raw
) -> None:
    wallets = Wallets(shop.container.database, shop.clock)
    beneath.run("UPDATE wallets SET gate = 'shut', gate_reason = 'unknown_outcomes'")
    with raw(shop.container.database.url) as other:
        with other.transaction() as tx:
            tx._cursor.execute("UPDATE wallets SET gate_reason = 'recovery'")
            tx._cursor.execute(
                "INSERT INTO restorations (store_id, copied_at, began_at)"
                " SELECT store_id, created_at, created_at FROM wallets"
            )
            opening = asyncio.ensure_future(wallets.open_gate(shop.store.id, ALICE))
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            async with asyncio.timeout(PATIENCE_S):
                while not beneath.value(waits):
                    await asyncio.sleep(0.01)
        with pytest.raises(StatementUnread):
            await opening
    assert beneath.value("SELECT gate FROM wallets") == "shut"


@ON_SQLITE
async def test_debits_of_a_wallet_that_was_replaced_are_said_to_be_undecided(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    minted = await hand.foreign_invoice(4_000)
    await hand.fault("row_delay", match={"payment_hash": minted.hash}, times=1, delay_ms=86_400_000)
    payout = await paying_shop.claim(await paying_shop.pull_payment(), minted.pr)
    beneath.run("UPDATE debits SET flash_wallet_id = 'before-the-cutover'")
    await paying_shop.later(hand, minutes=20)

    found = await paying_shop.container.engine.reconciliations.reconcile(paying_shop.store.id)

    assert [(each.kind, each.payout_id) for each in found.differences] == [("undecided", payout.id)]
    assert found.is_clean


@ON_SQLITE
async def test_a_row_of_the_wallet_before_is_not_taken_for_a_send_by_the_one_of_now(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    left = await in_doubt(paying_shop, hand, "debited_but_error", 5_000)
    beneath.run("UPDATE debits SET flash_wallet_id = 'before-the-cutover' WHERE state = 'open'")
    stayed = await in_doubt(paying_shop, hand, "generic_error", 5_000)
    await paying_shop.later(hand, minutes=3)

    await look(paying_shop)

    assert (await paying_shop.payout(stayed.id)).state is S.IN_FLIGHT
    assert (await paying_shop.payout(left.id)).state is S.IN_FLIGHT
