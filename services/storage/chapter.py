"""An audit's walk through a store: the next slice of each chapter, and what it contradicts.

Every question is one statement, so that what it compares is of one moment on both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, bindparam, select, tuple_

from models.books import Chapter, Finding, Slice
from models.instants import EPOCH, from_us, to_us
from models.invariant import Invariant
from models.states import PayoutStatus
from services.storage import contradiction_books as books
from services.storage import contradiction_days as days
from services.storage.contradiction_path import PATH
from services.storage.contradiction_wire import WIRE
from services.storage.payout_slice import PAYOUTS, SLICE, contradict
from services.storage.statement import Statement, Transaction

CONTRADICTIONS = WIRE | PATH
# Both end while nothing is open.
_OPEN = (PayoutStatus.PENDING, PayoutStatus.PROCESSING)
FIRST_ID = ""
_after = tuple_(PAYOUTS.c.created_at, PAYOUTS.c.id) > tuple_(
    bindparam("after_at", type_=BigInteger), bindparam("after_id", type_=PAYOUTS.c.id.type)
)


def _walk(*conditions: Any) -> Statement:
    return Statement(
        select(PAYOUTS.c.created_at, PAYOUTS.c.id)
        .where(PAYOUTS.c.store_id == bindparam("store_id"), *conditions, _after)
        .order_by(PAYOUTS.c.created_at, PAYOUTS.c.id)
        .limit(SLICE)
    )


_ALL = _walk()
_OF_STATUS = {status: _walk(PAYOUTS.c.status == status) for status in _OPEN}


def look(tx: Transaction, store_id: str, chapter: Chapter, after: str, now: datetime) -> Slice:
    """Look at the next slice of a chapter; an empty `after` begins it."""
    return _CHAPTERS[chapter](tx, store_id, after, now)


def since(chapter: Chapter, moment: datetime) -> str:
    """Return where a chapter begins that looks no further back than a moment."""
    if chapter is Chapter.PAYOUTS:
        return f"{to_us(moment)}:{FIRST_ID}"
    return days.since(moment) if chapter is Chapter.DAYS else ""


def _open_payouts(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    del now
    word, _, place = after.partition("/")
    status = PayoutStatus(word or _OPEN[0])
    found = _payout_slice(tx, _OF_STATUS[status], store_id, place)
    if found.after is not None:
        return Slice(found.looked, found.findings, f"{status}/{found.after}")
    rest = _OPEN[_OPEN.index(status) + 1 :]
    return Slice(found.looked, found.findings, f"{rest[0]}/" if rest else None)


def _all_payouts(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    del now
    return _payout_slice(tx, _ALL, store_id, after)


def _payout_slice(tx: Transaction, walk: Statement, store_id: str, after: str) -> Slice:
    at, _, payout_id = after.partition(":")
    rows = tx.rows(walk, store_id=store_id, after_at=int(at or to_us(EPOCH)), after_id=payout_id)
    if not rows:
        return Slice(0, (), None)
    ids = [str(row[1]) for row in rows]
    findings = [
        Finding(invariant, subject, detail)
        for invariant, questions in CONTRADICTIONS.items()
        for question in questions
        for subject, detail in contradict(tx, question, store_id, ids)
    ]
    last = f"{to_us(rows[-1][0])}:{ids[-1]}" if len(rows) == SLICE else None
    return Slice(len(rows), tuple(findings), last)


def _days(tx: Transaction, store_id: str, after: str, now: datetime) -> Slice:
    start = from_us(int(after)) if after else days.first_day(tx, store_id)
    if start is None or start > now:
        return Slice(0, (), None)
    end = start + timedelta(days=1)
    findings = [
        Finding(invariant, start.date().isoformat(), detail)
        for invariant in (Invariant.ROLLUPS, Invariant.FEE_ROLLUPS)
        for detail in days.contradictions(tx, store_id, invariant, start, end)
    ]
    return Slice(1, tuple(findings), days.since(end))


_CHAPTERS: dict[Chapter, Callable[[Transaction, str, str, datetime], Slice]] = {
    Chapter.OPEN: _open_payouts,
    Chapter.PAYOUTS: _all_payouts,
    Chapter.LEDGER: books.look_at_ledger,
    Chapter.BUDGETS: books.look_at_budgets,
    Chapter.DAYS: _days,
    Chapter.CARDS: books.look_at_cards,
    Chapter.RECORD: books.look_at_record,
    Chapter.OUTBOX: books.look_at_outbox,
}
