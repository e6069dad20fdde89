"""Compares the balance with the rows since the last closed book (rule B), and proposes.

A book closes when the balance is what the last one was, less what was sent and its fees, plus
what came in, to a hundredth of a cent, while nothing is unknown. If it agrees though something is
unknown, twice, five minutes apart, and nothing in the list could be it, that did not leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.ids import CLOSED_BOOK, Ids
from models.instants import Clock
from models.payout import AttemptState, SendAnswer
from models.statement import (
    TOLERANCE_NANOUSD,
    BookState,
    ClosedBook,
    KeptRow,
    Proposal,
    RowState,
)
from models.states import PayoutState
from services import attempt_policy
from services.database import Database
from services.send_log import PRICE_DRIFT_PARTS, WINDOW_BEFORE
from services.storage import closed_book as closed_books
from services.storage import payout as payouts
from services.storage import statement_row as statement_rows
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.storage.statement_row import ROWS_LIMIT, ExpectedDebit, is_cut
from services.tracking import Tracking

_log = structlog.get_logger(__name__)

AGREE_TWICE_APART = timedelta(minutes=5)
LISTED_AFTER = timedelta(minutes=15)  # before the first book, everything of ours must be listed
KEEP_BOOKS = timedelta(days=35)
PROPOSED = "not_paid_proposed"
DIFFERS = "books_differ"


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the rows since a book add up to."""

    sent: int = 0
    fees: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class _Ground:
    """Everything a comparison goes by, read in one transaction."""

    base: ClosedBook | None
    rows: list[KeptRow]
    expected: list[ExpectedDebit]
    now: datetime

    @property
    def unknown(self) -> list[ExpectedDebit]:
        """Return the sends that may or may not have left."""
        return [
            each
            for each in self.expected
            if each.attempt_state is AttemptState.LIVE
            and not attempt_policy.none_was_made(each.answers)
        ]

    @property
    def is_busy(self) -> bool:
        """Tell whether something is on the wire at this moment."""
        return any(each.payout_state is PayoutState.PROCESSING for each in self.expected)


class ClosedBooks:
    """Keeps the books of a store's wallet."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        tracking: Tracking,
        *,
        auto_release: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._tracking = tracking
        self._auto_release = auto_release

    async def compare(
        self, store_id: str, flash_wallet_id: str, balance_nanousd: int
    ) -> ClosedBook | None:
        """Compare a balance with the rows; the statement must just have been read whole.

        Nothing comes back where nothing can be said: a send is on the wire, or a fee is not known.
        """
        book = await self._database.write(self._compare, store_id, flash_wallet_id, balance_nanousd)
        if book is not None and self._auto_release:
            for proposal in await self.proposals(store_id):
                await self._database.write(self._release, proposal)
        return book

    async def proposals(self, store_id: str) -> list[Proposal]:
        """Return what the books propose and nobody has decided."""
        return await self._database.read(closed_books.standing_proposals, store_id)

    async def extras(self, store_id: str, since: datetime) -> list[KeptRow]:
        """Return the debits since a moment that no payout explains, newest first."""
        return await self._database.read(
            statement_rows.rows_of_state, store_id, RowState.EXTRA, since
        )

    async def history(self, store_id: str, limit: int = 200) -> list[ClosedBook]:
        """Return the newest comparisons."""
        return await self._database.read(closed_books.newest_books, store_id, limit)

    # What follows runs inside a transaction.

    def _compare(
        self, tx: Transaction, store_id: str, flash_wallet_id: str, balance_nanousd: int
    ) -> ClosedBook | None:
        ground = self._ground(tx, store_id, flash_wallet_id)
        sums = None if ground.is_busy else _add_up(ground.rows)
        if sums is None or len(ground.rows) >= ROWS_LIMIT or is_cut(ground.expected):
            return None
        if ground.base is None:
            waits = [each for each in ground.expected if _is_fresh(each, ground.now)]
            if waits or ground.unknown:
                return None
            sums = _Sums()
        expected = balance_nanousd
        if ground.base is not None:
            expected = ground.base.balance_nanousd - sums.sent - sums.fees + sums.received
        difference = balance_nanousd - expected
        book = ClosedBook(
            id=self._ids.new(CLOSED_BOOK),
            store_id=store_id,
            flash_wallet_id=flash_wallet_id,
            state=self._state(tx, ground, difference),
            base_id=None if ground.base is None else ground.base.id,
            balance_nanousd=balance_nanousd,
            sent_nanousd=sums.sent,
            fees_nanousd=sums.fees,
            received_nanousd=sums.received,
            difference_nanousd=difference,
            rows=len(ground.rows),
            unknown=len(ground.unknown),
            at=ground.now,
        )
        closed_books.add_book(tx, book)
        closed_books.forget_books(tx, store_id, ground.now - KEEP_BOOKS)
        self._conclude(tx, book, ground)
        return book

    def _ground(self, tx: Transaction, store_id: str, flash_wallet_id: str) -> _Ground:
        base = closed_books.last_closed(tx, store_id, flash_wallet_id)
        rows: list[KeptRow] = []
        if base is not None:
            rows = statement_rows.rows_seen_since(tx, store_id, flash_wallet_id, base.at)
        expected = statement_rows.expected_debits(tx, store_id, flash_wallet_id)
        return _Ground(base, rows, expected, self._clock.utc_now())

    def _state(self, tx: Transaction, ground: _Ground, difference: int) -> BookState:
        if abs(difference) <= TOLERANCE_NANOUSD:
            return BookState.AGREES if ground.unknown else BookState.CLOSED
        assert ground.base is not None
        # What settled and shows in no row yet is part of the balance: its row would be off later.
        is_unlisted = any(each.attempt_state is AttemptState.SETTLED for each in ground.expected)
        last = closed_books.newest_of_wallet(tx, ground.base)
        if ground.unknown or is_unlisted or last is None:
            return BookState.DIFFERS
        is_same = last.state is BookState.DIFFERS and last.difference_nanousd == difference
        if is_same and not last.unknown and ground.now >= last.at + AGREE_TWICE_APART:
            # It will not mend itself: say so, and begin anew, or rule B would be off for ever.
            wallet = wallets.read_wallet(tx, last.store_id)
            if wallet is not None:
                detail = str(difference)
                wallets.add_alert(tx, last.store_id, DIFFERS, wallet.id, detail, ground.now)
            return BookState.CLOSED
        return BookState.DIFFERS

    def _conclude(self, tx: Transaction, book: ClosedBook, ground: _Ground) -> None:
        if book.state is BookState.DIFFERS:
            closed_books.withdraw_proposals(tx, book.store_id)
            return
        for each in ground.unknown:
            if book.state is BookState.AGREES and self._is_absent(each, ground):
                self._propose(tx, each, book)
            else:
                closed_books.withdraw_proposal(tx, book.store_id, each.debit.payout_id)

    def _is_absent(self, each: ExpectedDebit, ground: _Ground) -> bool:
        """Tell whether a send is old enough, and no row since the base could be it.

        What Flash called pending may be held on its way without being debited: that is for the
        statement or a person, never for the balance.
        """
        if SendAnswer.PENDING in each.answers:
            return False
        is_over = ground.now >= each.invoice_expires_at + attempt_policy.EXPIRY_GRACE
        base = ground.base
        if not is_over or base is None or each.debit.logged_at <= base.at:
            return False
        return not any(_could_be(row, each) for row in ground.rows)

    def _propose(self, tx: Transaction, each: ExpectedDebit, book: ClosedBook) -> None:
        payout_id = each.debit.payout_id
        known = closed_books.read_proposal(tx, book.store_id, payout_id)
        if known is None or known.attempt_id != each.debit.attempt_id:
            closed_books.propose(
                tx,
                Proposal(
                    payout_id=payout_id,
                    store_id=book.store_id,
                    attempt_id=each.debit.attempt_id,
                    agreed_first_at=book.at,
                    agreed_twice_at=None,
                    book_id=book.id,
                    decided_at=None,
                ),
            )
            return
        if known.agreed_twice_at is None and book.at >= known.agreed_first_at + AGREE_TWICE_APART:
            closed_books.agree_twice(tx, known, book.id, book.at)
            wallets.add_alert(tx, book.store_id, PROPOSED, payout_id, "", book.at)
            _log.info("books.not_paid_proposed", payout_id=payout_id)

    def _release(self, tx: Transaction, proposal: Proposal) -> None:
        payouts.lock_payout(tx, proposal.store_id, proposal.payout_id)
        # Another process may have compared since, and have seen what speaks against it.
        if closed_books.decide_proposal(tx, proposal, self._clock.utc_now()):
            self._tracking.weigh_books(
                tx, proposal.store_id, proposal.payout_id, proposal.attempt_id
            )


def _is_fresh(each: ExpectedDebit, now: datetime) -> bool:
    return each.debit.logged_at > now - LISTED_AFTER


def _add_up(rows: Sequence[KeptRow]) -> _Sums | None:
    """Return what rows add up to; nothing while an amount or a fee is not known."""
    sent = fees = received = 0
    for row in rows:
        if row.amount_nanousd is None:
            return None
        if row.amount_nanousd >= 0:
            received += row.amount_nanousd
            continue
        if row.fee_nanousd is None:
            return None
        sent -= row.amount_nanousd
        fees += row.fee_nanousd
    return _Sums(sent, fees, received)


def _could_be(row: KeptRow, each: ExpectedDebit) -> bool:
    """Tell whether a debit that nobody claimed could be an unknown send, with a wide net."""
    if row.state not in {RowState.UNCLAIMED, RowState.EXTRA} or row.amount_nanousd is None:
        return False
    drift = max(each.debit.expected_nanousd // PRICE_DRIFT_PARTS, TOLERANCE_NANOUSD)
    is_near = abs(abs(row.amount_nanousd) - each.debit.expected_nanousd) <= drift
    return is_near and row.at >= each.debit.logged_at - WINDOW_BEFORE
