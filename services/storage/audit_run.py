"""Audits of our own books: how far each is, and what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.audit_run import AuditRun, Scope
from models.books import Finding
from models.events import WalletChanged
from models.tables.audit_run import AuditFindingRow, AuditRunRow
from models.tables.base import table_of
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_runs = table_of(AuditRunRow)
_findings = table_of(AuditFindingRow)
_COLUMNS = columns(AuditRun, _runs)
_OF_SCOPE = (
    _runs.c.store_id == bindparam("store_id"),
    _runs.c.scope == bindparam("scope", type_=_runs.c.scope.type),
)
FINDINGS_KEPT = 1_000  # of one audit; what is broken a thousand times is broken once
SHOWN = 100

_ADD = insert_into(_runs)
_NEWEST_ENDED = Statement(
    select(*_COLUMNS)
    .where(*_OF_SCOPE, _runs.c.ended_at.is_not(None))
    .order_by(_runs.c.started_at.desc())
    .limit(1)
)
_UNENDED = Statement(
    select(*_COLUMNS)
    .where(*_OF_SCOPE, _runs.c.ended_at.is_(None))
    .order_by(_runs.c.started_at.desc())
    .limit(1)
)
# Names the place it comes from: of two instances that walk at once one stops here.
_ADVANCE = Statement(
    update(_runs)
    .where(
        _runs.c.store_id == bindparam("in_store"),
        _runs.c.id == bindparam("run"),
        _runs.c.chapter == bindparam("from_chapter", type_=_runs.c.chapter.type),
        _runs.c.after == bindparam("from_after"),
        _runs.c.ended_at.is_(None),
    )
    .values(
        chapter=bindparam("to_chapter", type_=_runs.c.chapter.type),
        after=bindparam("to_after"),
        payouts=bindparam("to_payouts"),
        found=bindparam("to_found"),
        moved_at=bindparam("now"),
        ended_at=bindparam("end"),
    )
)
_ADD_FINDING = Statement(
    insert(_findings)
    .values({column.name: bindparam(column.name) for column in _findings.columns})
    .on_conflict_do_nothing(index_elements=[key.name for key in _findings.primary_key.columns])
)
_COUNT = Statement(
    select(func.count()).where(
        _findings.c.store_id == bindparam("store_id"), _findings.c.run_id == bindparam("run")
    )
)
_READ_FINDINGS = Statement(
    select(*columns(Finding, _findings))
    .where(_findings.c.store_id == bindparam("store_id"), _findings.c.run_id == bindparam("run"))
    .order_by(_findings.c.at, _findings.c.invariant, _findings.c.subject)
    .limit(SHOWN)
)
_old = select(_runs.c.id).where(
    _runs.c.store_id == bindparam("in_store"),
    _runs.c.started_at < bindparam("before", type_=_runs.c.started_at.type),
)
_FORGET_FINDINGS = Statement(
    delete(_findings).where(
        _findings.c.store_id == bindparam("in_store"), _findings.c.run_id.in_(_old)
    )
)
_FORGET = Statement(
    delete(_runs).where(
        _runs.c.store_id == bindparam("in_store"),
        _runs.c.started_at < bindparam("before", type_=_runs.c.started_at.type),
    )
)


def add_run(tx: Transaction, run: AuditRun) -> None:
    """Add an audit that begins."""
    tx.run(_ADD, **record(run))


def unended_run(tx: Transaction, store_id: str, scope: Scope) -> AuditRun | None:
    """Return the audit of a scope that is under way, or was cut off."""
    return tx.one(AuditRun, _UNENDED, store_id=store_id, scope=scope)


def newest_run(tx: Transaction, store_id: str, scope: Scope) -> AuditRun | None:
    """Return the last audit of a scope that went through to its end."""
    return tx.one(AuditRun, _NEWEST_ENDED, store_id=store_id, scope=scope)


def standing_runs(tx: Transaction, store_id: str) -> list[AuditRun]:
    """Return the audits that hold: the last of everything, and one of the recent since then."""
    whole, recent = (newest_run(tx, store_id, scope) for scope in (Scope.ALL, Scope.RECENT))
    if whole is not None and recent is not None and recent.started_at < whole.started_at:
        recent = None
    return [run for run in (whole, recent) if run is not None]


def advance_run(
    tx: Transaction, before: AuditRun, after: AuditRun, findings: Iterable[Finding]
) -> AuditRun | None:
    """Keep what a slice came to and where to go on; nothing if another went on from there."""
    found = before.found
    if findings and found < FINDINGS_KEPT:
        for finding in findings:
            tx.run(
                _ADD_FINDING,
                store_id=before.store_id,
                run_id=before.id,
                invariant=finding.invariant,
                subject=finding.subject,
                detail=finding.detail,
                at=after.moved_at,
            )
        counted = tx.row(_COUNT, store_id=before.store_id, run=before.id)
        found = 0 if counted is None else int(counted[0])
    touched = tx.run(
        _ADVANCE,
        in_store=before.store_id,
        run=before.id,
        from_chapter=before.chapter,
        from_after=before.after,
        to_chapter=after.chapter,
        to_after=after.after,
        to_payouts=after.payouts,
        to_found=found,
        now=after.moved_at,
        end=after.ended_at,
    )
    if touched != 1:
        return None
    if after.ended_at is not None:
        tx.changes.append(WalletChanged(before.store_id, before.store_id))
    return replace(after, found=found)


def read_findings(tx: Transaction, run: AuditRun) -> list[Finding]:
    """Return the first findings of an audit."""
    return tx.all(Finding, _READ_FINDINGS, store_id=run.store_id, run=run.id)


def forget_runs(tx: Transaction, store_id: str, before: datetime) -> None:
    """Forget audits that began before a moment."""
    tx.run(_FORGET_FINDINGS, in_store=store_id, before=before)
    tx.run(_FORGET, in_store=store_id, before=before)
