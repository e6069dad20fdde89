"""Compares our ledger with Flash's list and balance: matched, missing, extra, different.

It reads the statement anew first, so that what it tells is of now, and mends nothing but what the
statement itself settles.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from models.instants import Clock
from models.reconciliation import Difference, KeptReconciliation, Reconciliation, Span
from models.statement import TOLERANCE_NANOUSD, ClosedBook, DebitState
from services.bookkeeper import Bookkeeper
from services.database import Database
from services.storage import closed_book as closed_books
from services.storage import reconciliation as reconciliations
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

LISTED_AFTER = timedelta(minutes=15)
AT_ONCE = timedelta(microseconds=1)  # the end of a span is not in it, but this moment is
LOOK_BACK = timedelta(days=35)
LEAST_BACK = timedelta(hours=1)  # what was settled since the last look is in it, too
NOT_RECONCILED = "not_reconciled"


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

    async def check(
        self, store_id: str, span: Span, bookkeeper: Bookkeeper | None = None
    ) -> Reconciliation:
        """Compare a span, keep what came of it, and raise an alert for what is new in it.

        Raises:
            GatewayError: Flash gave no list.
        """
        since = None
        if span is Span.OPEN:
            now = self._clock.utc_now()
            oldest = await self._database.read(reconciliations.oldest_open, store_id)
            since = min(oldest or now, now - LEAST_BACK)
        found = await self.reconcile(store_id, bookkeeper, since)
        await self._database.write(self._keep, store_id, span, found)
        return found

    async def kept(self, store_id: str) -> list[KeptReconciliation]:
        """Return the last comparison of each span."""
        return await self._database.read(reconciliations.read_kept, store_id)

    def _keep(self, tx: Transaction, store_id: str, span: Span, found: Reconciliation) -> None:
        now = self._clock.utc_now()
        known: set[Difference] = set()
        off: set[int | None] = {None, 0}
        for kept in reconciliations.read_kept(tx, store_id):
            known |= set(kept.found.differences)
            off.add(kept.found.balance_difference_nanousd)
        reconciliations.keep(tx, store_id, span, found, now)
        new = set(found.differences[: reconciliations.KEPT]) - known
        if new or found.balance_difference_nanousd not in off:
            detail = f"{len(found.differences)} differences"
            _log.warning("books.not_reconciled", store_id=store_id, detail=detail)
            wallets.add_alert(tx, store_id, NOT_RECONCILED, store_id, detail, now)


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
