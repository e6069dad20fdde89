"""Compares our ledger with Flash's list and balance: matched, missing, extra, different.

It reads the statement anew first, so that what it tells is of now, and mends nothing but what the
statement itself settles.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from models.errors import InvalidField, NotFoundError, StateChanged
from models.events import WalletChanged
from models.instants import Clock
from models.reconciliation import (
    Difference,
    KeptReconciliation,
    Reconciliation,
    SeenDifference,
    Span,
)
from models.statement import TOLERANCE_NANOUSD, ClosedBook
from models.store import Actor
from services.audit import audit
from services.bookkeeper import Bookkeeper
from services.database import Database
from services.plain_text import plain_text
from services.storage import closed_book as closed_books
from services.storage import reconciliation as reconciliations
from services.storage import seen_difference as seen_differences
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

LISTED_AFTER = timedelta(minutes=15)
AT_ONCE = timedelta(microseconds=1)  # the end of a span is not in it, but this moment is
LOOK_BACK = timedelta(days=35)
LEAST_BACK = timedelta(hours=1)  # what was settled since the last look is in it, too
NOT_RECONCILED = "not_reconciled"
REASON_LIMIT = 500


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
        since, until = since or now - LOOK_BACK, until or now + AT_ONCE
        matched, waiting, differences = await self._compare(store_id, since, until, now)
        newest = await self._database.read(closed_books.newest_books, store_id, 1)
        return Reconciliation(
            since=since,
            until=until,
            matched=matched,
            waiting=waiting,
            differences=tuple(differences),
            balance_difference_nanousd=_off(newest[0]) if newest else None,
            is_whole=is_whole,
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

    async def _compare(
        self, store_id: str, since: datetime, until: datetime, now: datetime
    ) -> tuple[int, int, list[Difference]]:
        """Return how many debits matched and wait, and the first differences of each kind.

        Slice by slice, so that neither a reader nor a snapshot is held for a million of them. Each
        attempt is looked at once, by the time at which it was made, which does not change.
        """
        listed_before, place = now - LISTED_AFTER, since
        matched = waiting = 0
        missing: list[Difference] = []
        different: list[Difference] = []
        while place < until:
            part = await self._database.read(
                reconciliations.compare_some,
                *(store_id, place, until, listed_before, reconciliations.SLICE),
            )
            place, matched, waiting = part.end, matched + part.matched, waiting + part.waiting
            missing += part.missing[: reconciliations.LIMIT - len(missing)]
            different += part.different[: reconciliations.LIMIT - len(different)]
        extra = await self._database.read(
            reconciliations.find_extra, store_id, since, until, listed_before
        )
        return matched, waiting, missing + different + extra

    async def seen(self, store_id: str) -> list[SeenDifference]:
        """Return which differences somebody has seen, also those that are gone."""
        return await self._database.read(seen_differences.read_seen, store_id)

    async def see(self, store_id: str, key: str, reason: str, actor: Actor) -> None:
        """Take that somebody knows why a difference is there: it stays listed, and is no alarm.

        With another amount it is another difference, which nobody has seen.

        Raises:
            InvalidField: No reason.
            NotFoundError: There is no such difference now.
            StateChanged: Somebody has seen it already.
        """
        words = plain_text(reason, REASON_LIMIT)
        if not words:
            raise InvalidField("reason", "say why it is no matter")
        await self._database.write(self._see, store_id, key, words, actor)

    def _see(self, tx: Transaction, store_id: str, key: str, reason: str, actor: Actor) -> None:
        kept = reconciliations.read_kept(tx, store_id)
        there = {each.key: each for one in kept for each in one.found.differences}
        found = there.get(key)
        if found is None:
            raise NotFoundError("This difference is not there any more.")
        if any(each.difference == key for each in seen_differences.read_seen(tx, store_id)):
            raise StateChanged(key, message="Somebody has seen this already.")
        now, subject_id = self._clock.utc_now(), found.payout_id or found.row_id
        seen_differences.add_seen(tx, store_id, SeenDifference(key, reason, actor.id, now))
        amounts = {"expected": found.expected_nanousd, "found": found.found_nanousd}
        audit(
            *(tx, store_id, actor, "difference.seen"),
            now=now,
            subject_id=subject_id,
            before={"kind": found.kind} | amounts,
            after={"reason": reason},
        )
        tx.changes.append(WalletChanged(store_id, store_id))

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


def _off(book: ClosedBook) -> int:
    """Return by how much a comparison was off; what is within the rounding is nothing."""
    difference = book.difference_nanousd
    return difference if abs(difference) > TOLERANCE_NANOUSD else 0
