"""Rules S and B over the sandbox: what the wallet's statement and its balance decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.errors import StateChanged
from models.flash import RowDetails
from models.payout import EvidenceGrade, Payout
from models.statement import BookState, ClosedBook, KeptRow, Proposal, RowState
from models.states import PayoutState
from services.closed_books import TOLERANCE_NANOUSD
from services.statement_policy import Claim
from services.statements import Look, Statements
from services.storage import attempt as attempts
from services.storage import closed_book as closed_books
from services.storage import statement_row as statement_rows
from services.storage.statement import Transaction
from services.storage.statement_row import DEBITS_LIMIT, ExpectedDebit, is_cut
from tests.services.test_payout_requests import approve, ask
from tests.services.test_sending import goes_wrong
from tests.services.test_witness import pays_from_elsewhere
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop

S, G = PayoutState, EvidenceGrade


async def look(shop: Shop) -> Look:
    """Read the statement now."""
    tools = shop.connected.worker.tools
    info = await tools.client.fetch_wallet()
    return await tools.bookkeeper.look(shop.store.id, info)


async def compare(shop: Shop) -> ClosedBook | None:
    """Compare the books now."""
    return await shop.connected.worker.tools.bookkeeper.compare(shop.store.id)


async def first_book(shop: Shop, hand: Hand) -> ClosedBook:
    """Pay something, and close the book over it that later ones are held against."""
    await shop.claim(await shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(shop)
    book = await compare(shop)
    assert book is not None
    return book


async def in_doubt(shop: Shop, hand: Hand, kind: str, sats: int = 1_000, **script: Any) -> Payout:
    """Return a payout whose foreign invoice lives a minute, and whose send went wrong."""
    minted = await hand.foreign_invoice(sats, expiry_s=60)
    await goes_wrong(hand, minted, kind, **script)
    payout = await ask(shop, minted.pr)
    await approve(shop, payout)
    return await shop.reaches(payout.id, S.IN_FLIGHT)


async def test_the_real_cost_is_known_once_a_row_is_claimed(paying_shop: Shop, hand: Hand) -> None:
    pull = await paying_shop.pull_payment()
    foreign, home = await hand.foreign_invoice(2_000), await hand.home_invoice(3_000)
    far = await paying_shop.claim(pull, foreign.pr)
    near = await paying_shop.claim(pull, home.pr)
    assert (far.state, far.fee_msat, far.debited_nanousd) == (S.COMPLETED, None, None)

    found = await look(paying_shop)

    assert (found.claimed, found.is_whole) == (2, True)
    (row,) = await hand.payments(foreign.hash)
    paid = await paying_shop.payout(far.id)
    assert paid.debited_nanousd == row["debit_nanousd"] + row["fee_nanousd"]
    assert paid.fee_msat is not None
    # A sat is a tenth of a cent.
    assert abs(paid.fee_msat * 1000 - row["fee_nanousd"]) <= 1000
    assert (await paying_shop.payout(near.id)).fee_msat == 0
    assert (await look(paying_shop)).new == 0
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


WAS_PAID = [
    ("debited_but_error", {}),
    ("send_error", {"code": "IBEX_ERROR", "executed": True}),
    ("send_error", {"code": "LIGHTNING_PAYMENT_ERROR", "executed": True}),
    ("send_error", {"code": "ALREADY_PAID", "executed": True}),
    ("send_error", {"code": "UNKNOWN_CLIENT_ERROR", "executed": True}),
    ("send_error", {"code": "DB_ERROR", "executed": True}),
    ("send_error", {"code": "INTERNAL_SERVER_ERROR", "executed": True}),
    ("pending_then_success", {"after_ms": 1}),
]


async def test_what_left_without_a_yes_is_settled_by_its_row(paying_shop: Shop, hand: Hand) -> None:
    payouts = [
        await in_doubt(paying_shop, hand, kind, 1_000 * (number + 1), **script)
        for number, (kind, script) in enumerate(WAS_PAID)
    ]

    found = await look(paying_shop)

    assert found.claimed == len(WAS_PAID)
    for payout in payouts:
        done = await paying_shop.payout(payout.id)
        assert (done.state, done.evidence) == (S.COMPLETED, G.STATEMENT)
        assert done.debited_nanousd is not None
    assert await paying_shop.container.books.audit(paying_shop.store.id) == []


NOT_PAID = [
    ("generic_error", {}),
    ("already_prepared", {}),
    ("send_error", {"code": "IBEX_ERROR"}),
    ("send_error", {"code": "DB_ERROR"}),
]


async def test_what_did_not_leave_is_proposed_by_two_agreeing_books(
    paying_shop: Shop, hand: Hand
) -> None:
    first = await hand.foreign_invoice(500)
    await paying_shop.claim(await paying_shop.pull_payment(), first.pr)
    await look(paying_shop)
    base = await compare(paying_shop)
    assert base is not None
    assert base.state is BookState.CLOSED
    await paying_shop.later(hand, seconds=1)
    payouts = [
        await in_doubt(paying_shop, hand, kind, 1_000 * (number + 1), **script)
        for number, (kind, script) in enumerate(NOT_PAID)
    ]
    pending = await in_doubt(paying_shop, hand, "pending_then_failure", 9_000, after_ms=1)
    engine, store_id = paying_shop.container.engine, paying_shop.store.id

    await paying_shop.later(hand, minutes=12)
    agreed = await compare(paying_shop)
    assert agreed is not None
    assert (agreed.state, agreed.unknown) == (BookState.AGREES, len(NOT_PAID) + 1)
    assert await engine.books.proposals(store_id) == []
    await paying_shop.later(hand, minutes=5)
    await compare(paying_shop)

    proposals = await engine.books.proposals(store_id)
    assert {each.payout_id for each in proposals} == {payout.id for payout in payouts}
    for payout in payouts:
        assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT
        done = await engine.interventions.resolve(
            store_id, payout.id, ALICE, is_paid=False, evidence="the books"
        )
        assert (done.state, done.error_code) == (S.FAILED, "not_paid")
    assert await engine.books.proposals(store_id) == []
    assert await paying_shop.container.books.audit(store_id) == []
    # What Flash called pending may be held on its way: the balance does not decide that.
    assert (await paying_shop.payout(pending.id)).state is S.IN_FLIGHT


async def stand(shop: Shop, payout: Payout, attempt_id: str, book_id: str) -> None:
    """Have a proposal stand that an attempt of a payout did not leave."""

    def write(tx: Transaction) -> None:
        now = shop.clock.utc_now()
        proposal = Proposal(payout.id, shop.store.id, attempt_id, now, None, book_id, None)
        closed_books.propose(tx, proposal)
        closed_books.agree_twice(tx, proposal, book_id, now)

    await shop.container.database.write(write)


async def test_a_proposal_for_an_invoice_before_says_nothing_of_the_one_that_is_on_its_way(
    paying_shop: Shop, hand: Hand
) -> None:
    earlier = await paying_shop.claim(
        await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr
    )
    await look(paying_shop)
    book = await compare(paying_shop)
    assert book is not None
    payout = await in_doubt(paying_shop, hand, "generic_error")
    engine, store_id = paying_shop.container.engine, paying_shop.store.id
    (other,) = await paying_shop.container.database.read(
        attempts.read_attempts, store_id, earlier.id
    )
    await stand(paying_shop, payout, other.id, book.id)

    with pytest.raises(StateChanged, match="does not wait"):
        await engine.interventions.resolve(
            store_id, payout.id, ALICE, is_paid=False, evidence="the books"
        )

    assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT


async def test_a_proposal_that_was_withdrawn_a_moment_before_releases_nothing(
    paying_shop: Shop, hand: Hand
) -> None:
    book = await first_book(paying_shop, hand)
    payout = await in_doubt(paying_shop, hand, "generic_error")
    attempt = await paying_shop.attempt(payout.id)
    books, write = paying_shop.container.engine.books, paying_shop.container.database.write
    await stand(paying_shop, payout, attempt.id, "an earlier book")
    (seen,) = await books.proposals(paying_shop.store.id)

    await write(closed_books.withdraw_proposals, paying_shop.store.id)
    await write(books._release, seen)
    assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT
    await write(closed_books.propose, replace(seen, agreed_twice_at=None, book_id=book.id))
    await write(books._release, seen)
    assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT


async def test_a_proposal_is_withdrawn_once_a_row_shows_that_may_be_it(
    paying_shop: Shop, hand: Hand
) -> None:
    book = await first_book(paying_shop, hand)
    await paying_shop.later(hand, seconds=1)
    for kind in ("debited_but_error", "generic_error"):
        payout = await in_doubt(paying_shop, hand, kind)
    (attempt,) = await paying_shop.container.database.read(
        attempts.read_attempts, paying_shop.store.id, payout.id
    )
    await stand(paying_shop, payout, attempt.id, book.id)
    await paying_shop.later(hand, minutes=12)

    agreed = await compare(paying_shop)

    assert agreed is not None
    assert (agreed.state, agreed.unknown) == (BookState.AGREES, 2)
    assert await paying_shop.container.engine.books.proposals(paying_shop.store.id) == []


def test_a_list_of_debits_is_cut_where_its_lines_are_however_few_debits_they_make() -> None:
    with_repeats = ExpectedDebit(None, None, None, None, None, (None,) * DEBITS_LIMIT)  # type: ignore[arg-type]

    assert is_cut([with_repeats])
    assert not is_cut([replace(with_repeats, answers=(None,))])


async def test_a_debit_that_shows_after_the_release_raises_the_alarm(
    paying_shop: Shop, hand: Hand
) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    minted = await hand.foreign_invoice(1_000, expiry_s=60)
    match = {"payment_hash": minted.hash}
    await hand.fault("row_delay", match=match, times=1, delay_ms=26 * 3_600_000)
    await goes_wrong(hand, minted, "debited_but_error")
    payout = await ask(paying_shop, minted.pr)
    await approve(paying_shop, payout)
    await paying_shop.reaches(payout.id, S.IN_FLIGHT)
    await paying_shop.later(hand, hours=25)
    resolve = paying_shop.container.engine.interventions.resolve
    store_id = paying_shop.store.id
    await resolve(store_id, payout.id, ALICE, is_paid=False, evidence="nothing arrived")

    await paying_shop.later(hand, hours=2)
    await look(paying_shop)

    released = await paying_shop.payout(payout.id)
    assert (released.state, released.evidence) == (S.FAILED, None)
    wallet = await paying_shop.wallet()
    assert (wallet.gate, wallet.gate_reason) == ("shut", "paid_after_release")
    with pytest.raises(StateChanged, match="paid after all"):
        await paying_shop.container.engine.interventions.retry(store_id, payout.id, ALICE)
    assert await paying_shop.container.books.audit(store_id) == []


async def test_where_the_operator_says_so_the_books_release_by_themselves(
    paying_shop: Shop, hand: Hand
) -> None:
    paying_shop.container.engine.books._auto_release = True
    await first_book(paying_shop, hand)
    await paying_shop.later(hand, seconds=1)
    payout = await in_doubt(paying_shop, hand, "generic_error")

    for minutes in (12, 5):
        await paying_shop.later(hand, minutes=minutes)
        await compare(paying_shop)

    assert (await paying_shop.payout(payout.id)).state is S.FAILED


async def test_a_debit_of_somebody_else_is_extra_and_switches_the_rules_off(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    await first_book(paying_shop, hand)
    await paying_shop.later(hand, seconds=1)
    payout = await in_doubt(paying_shop, hand, "debited_but_error")
    await pays_from_elsewhere(hand, account, 3_333)

    await look(paying_shop)
    await paying_shop.later(hand, minutes=12)
    await look(paying_shop)

    assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT
    read, store_id = paying_shop.container.database.read, paying_shop.store.id
    (extra,) = await read(statement_rows.rows_of_state, store_id, RowState.EXTRA, NOON, 10)
    assert extra.amount_nanousd == -3_333_000_000
    for _ in range(2):
        await compare(paying_shop)
        await paying_shop.later(hand, minutes=5)
    assert await paying_shop.container.engine.books.proposals(store_id) == []


async def test_one_of_two_equal_payouts_that_left_is_left_to_a_person(
    paying_shop: Shop, hand: Hand
) -> None:
    paid = await in_doubt(paying_shop, hand, "debited_but_error")
    unpaid = await in_doubt(paying_shop, hand, "generic_error")
    engine, store_id = paying_shop.container.engine, paying_shop.store.id

    await look(paying_shop)
    await paying_shop.later(hand, hours=25)

    words = {"evidence": "the recipient showed the invoice"}
    for payout, is_paid in ((paid, True), (unpaid, False)):
        assert (await paying_shop.payout(payout.id)).state is S.NEEDS_REVIEW
        done = await engine.interventions.resolve(
            store_id, payout.id, ALICE, is_paid=is_paid, **words
        )
        assert done.state is (S.COMPLETED if is_paid else S.FAILED)
    assert (await paying_shop.payout(paid.id)).evidence is G.PERSON
    assert await paying_shop.container.books.audit(store_id) == []


async def test_an_empty_list_and_a_missing_fee_say_nothing(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    minted = await hand.foreign_invoice(2_000)
    await hand.fault("undefined_fee", match={"payment_hash": minted.hash}, times=1)
    payout = await paying_shop.claim(await paying_shop.pull_payment(), minted.pr)
    await hand.fault("empty_transactions", times=1)

    assert not (await look(paying_shop)).is_whole
    assert (await paying_shop.payout(payout.id)).fee_msat is None
    await look(paying_shop)

    # The row itself shows no fee; asked for alone, it does.
    assert (await paying_shop.payout(payout.id)).fee_msat is not None


async def test_a_list_that_is_cut_is_read_whole(paying_shop: Shop, hand: Hand) -> None:
    pull = await paying_shop.pull_payment()
    ids = [
        await paying_shop.draw(pull, (await hand.home_invoice(100 + number)).pr)
        for number in range(105)
    ]
    for payout_id in ids:
        await paying_shop.reaches(payout_id, S.COMPLETED)

    found = await look(paying_shop)

    assert found.is_whole
    assert found.claimed == 105


async def test_money_that_vanishes_is_told_and_the_books_begin_anew(
    paying_shop: Shop, hand: Hand, account: FlashAccount
) -> None:
    base = await first_book(paying_shop, hand)
    books = paying_shop.container.engine.books
    wallet_id, short = base.flash_wallet_id, base.balance_nanousd - 2 * TOLERANCE_NANOUSD
    await paying_shop.later(hand, seconds=1)

    differs = await books.compare(paying_shop.store.id, wallet_id, short)
    paying_shop.clock.advance(minutes=5)
    anew = await books.compare(paying_shop.store.id, wallet_id, short)

    assert differs is not None
    assert anew is not None
    assert (differs.state, anew.state) == (BookState.DIFFERS, BookState.CLOSED)
    assert (await books.history(paying_shop.store.id))[0] == anew
    assert "books_differ" in await paying_shop.alerts()


async def test_a_row_that_another_process_claimed_a_moment_before_settles_nothing(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    payout = await in_doubt(paying_shop, hand, "generic_error")
    attempt = await paying_shop.attempt(payout.id)
    database, now = paying_shop.container.database, paying_shop.clock.utc_now()
    statements = paying_shop.connected.worker.tools.bookkeeper._statements
    found = await database.read(statement_rows.read_debit, payout.store_id, attempt.id)
    assert found is not None
    row = KeptRow(
        *(payout.store_id, found.flash_wallet_id, "contended", RowState.UNCLAIMED, -1, 0, True),
        *(None, now, now, None),
    )
    await database.write(statement_rows.keep_row, row)
    # Its debit has found a row since the rows were counted: this one must then be another's.
    beneath.run("UPDATE debits SET state = 'claimed' WHERE state = 'open'")

    with pytest.raises(StateChanged):
        await database.write(
            statements._apply, payout.store_id, Claim(attempt.id, "contended"), now
        )

    assert (await paying_shop.payout(payout.id)).state is S.IN_FLIGHT
    assert beneath.value("SELECT state FROM statement_rows WHERE id = 'contended'") == "unclaimed"


async def test_a_row_that_was_not_completed_yet_is_asked_about_again(
    paying_shop: Shop, hand: Hand
) -> None:
    await paying_shop.claim(await paying_shop.pull_payment(), (await hand.home_invoice(700)).pr)
    await look(paying_shop)
    payout = await in_doubt(paying_shop, hand, "debited_but_error")
    tools = paying_shop.connected.worker.tools
    asked: list[str] = []

    class Slow:
        """Says of each row for once that it is under way."""

        fetch_statement = tools.client.fetch_statement
        fetch_whole_statement = tools.client.fetch_whole_statement

        async def fetch_row_details(self, row_id: str) -> RowDetails:
            asked.append(row_id)
            return RowDetails(is_completed=len(asked) > 1, fee_nanousd=0)

    statements = Statements(
        paying_shop.container.database,
        paying_shop.clock,
        Slow(),  # type: ignore[arg-type]  # all that a look asks for
        tools.pace,
        paying_shop.container.tracking,
    )
    wallet = (await tools.client.fetch_wallet()).flash_wallet_id
    for expected in (S.IN_FLIGHT, S.IN_FLIGHT, S.COMPLETED):
        await statements.look(payout.store_id, wallet)
        assert (await paying_shop.payout(payout.id)).state is expected
        paying_shop.clock.advance(minutes=1)

    assert len(set(asked)) == 1
    assert len(asked) == 2
