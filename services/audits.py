"""Walks audits through the books, slice by slice, and keeps what they find."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from models.audit_run import CHAPTERS, AuditReport, AuditRun, Scope
from models.books import Chapter, Slice
from models.ids import AUDIT_RUN, Ids
from models.instants import Clock
from services.books import Books
from services.database import Database
from services.storage import audit_run as audit_runs
from services.storage import wallet as wallets
from services.storage.chapter import since
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

RECENT = timedelta(days=1)
KEEP = timedelta(days=90)
GIVEN_UP_AFTER = timedelta(days=1)  # what it saw so long ago says nothing of now
AUDIT_FOUND = "audit_found"
_OF_PAYOUTS = frozenset({Chapter.OPEN, Chapter.PAYOUTS})


class Audits:
    """Runs audits; one that was cut off goes on where it was."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, books: Books) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._books = books

    async def run(
        self, store_id: str, scope: Scope = Scope.ALL, pause_s: float = 0.0
    ) -> AuditReport:
        """Audit a store to the end, or until another instance turns out to be at it.

        Each slice is a short read and a short write; in between others have their turn.
        """
        run = await self._database.write(self._begin, store_id, scope)
        while run.ended_at is None:
            found = await self._books.look(store_id, run.chapter, run.after)
            moved = await self._database.write(self._advance, run, found)
            if moved is None:
                _log.info("audit.elsewhere", store_id=store_id, scope=scope)
                break
            run = moved
            await asyncio.sleep(pause_s)
        return await self._report(run)

    async def standing(self, store_id: str) -> list[AuditReport]:
        """Return the audits that hold: the last of everything, and one of the recent since."""
        runs = await self._database.read(audit_runs.standing_runs, store_id)
        return [await self._report(run) for run in runs]

    async def newest(self, store_id: str, scope: Scope) -> AuditRun | None:
        """Return the last audit of a scope that went through to its end."""
        return await self._database.read(audit_runs.newest_run, store_id, scope)

    async def _report(self, run: AuditRun) -> AuditReport:
        findings = await self._database.read(audit_runs.read_findings, run) if run.found else []
        return AuditReport(run, tuple(findings))

    def _begin(self, tx: Transaction, store_id: str, scope: Scope) -> AuditRun:
        now = self._clock.utc_now()
        going = audit_runs.unended_run(tx, store_id, scope)
        if going is not None and going.moved_at > now - GIVEN_UP_AFTER:
            return going
        chapter = CHAPTERS[scope][0]
        run = AuditRun(
            id=self._ids.new(AUDIT_RUN),
            store_id=store_id,
            scope=scope,
            chapter=chapter,
            after=_start(scope, chapter, now),
            payouts=0,
            found=0,
            started_at=now,
            moved_at=now,
            ended_at=None,
        )
        audit_runs.forget_runs(tx, store_id, now - KEEP)
        audit_runs.add_run(tx, run)
        return run

    def _advance(self, tx: Transaction, run: AuditRun, found: Slice) -> AuditRun | None:
        now = self._clock.utc_now()
        payouts = run.payouts + (found.looked if run.chapter in _OF_PAYOUTS else 0)
        moved = replace(run, payouts=payouts, moved_at=now)
        if found.after is not None:
            moved = replace(moved, after=found.after)
        else:
            following = CHAPTERS[run.scope][CHAPTERS[run.scope].index(run.chapter) + 1 :]
            if following:
                place = _start(run.scope, following[0], run.started_at)
                moved = replace(moved, chapter=following[0], after=place)
            else:
                moved = replace(moved, ended_at=now)
        kept = audit_runs.advance_run(tx, run, moved, found.findings)
        if kept is not None and kept.ended_at is not None and kept.found:
            detail = f"{kept.found} in {kept.payouts} payouts"
            wallets.add_alert(tx, run.store_id, AUDIT_FOUND, run.id, detail, now)
        return kept


def _start(scope: Scope, chapter: Chapter, began_at: datetime) -> str:
    return since(chapter, began_at - RECENT) if scope is Scope.RECENT else ""
