"""Compares our ledger with Flash's list and balance: matched, missing, extra, different.

It reads the statement anew first, so that what it tells is of now, and mends nothing but what the
statement itself settles.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from models.instants import Clock
from models.reconciliation import Reconciliation
from models.statement import TOLERANCE_NANOUSD, ClosedBook, DebitState
from services.bookkeeper import Bookkeeper
from services.database import Database
from services.storage import closed_book as closed_books
from services.storage import reconciliation as reconciliations
from services.storage.statement import Transaction

LISTED_AFTER = timedelta(minutes=15)
AT_ONCE = timedelta(microseconds=1)  # the end of a span is not in it, but this moment is
LOOK_BACK = timedelta(days=35)


class Reconciliations:
    """Reconciles stores."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def reconcile(
        self,
        store_id: str,
        bookkeeper: Bookkeeper | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Reconciliation:
        """Compare a span, by default the last 35 days; with a bookkeeper the list is read first.

        Raises:
            GatewayError: Flash gave no list.
        """
        is_whole = False
        if bookkeeper is not None:
            await bookkeeper.compare(store_id)
            is_whole = bookkeeper.was_whole
        now = self._clock.utc_now()
        return await self._database.read(
            _read, store_id, since or now - LOOK_BACK, until or now + AT_ONCE, now, is_whole
        )


def _read(
    tx: Transaction,
    store_id: str,
    since: datetime,
    until: datetime,
    now: datetime,
    is_whole: bool,
) -> Reconciliation:
    counts = reconciliations.count_debits(tx, store_id, since, until)
    newest = closed_books.newest_books(tx, store_id, 1)
    return Reconciliation(
        since=since,
        until=until,
        matched=counts.get(DebitState.CLAIMED, 0),
        waiting=counts.get(DebitState.OPEN, 0),
        differences=tuple(
            reconciliations.find_differences(tx, store_id, since, until, now - LISTED_AFTER)
        ),
        balance_difference_nanousd=_off(newest[0]) if newest else None,
        is_whole=is_whole,
    )


def _off(book: ClosedBook) -> int:
    """Return by how much a comparison was off; what is within the rounding is nothing."""
    difference = book.difference_nanousd
    return difference if abs(difference) > TOLERANCE_NANOUSD else 0
