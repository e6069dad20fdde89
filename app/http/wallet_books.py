"""The wallet's books over HTTP: comparisons, debits nobody explains, and what is proposed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.answers import json_answer
from app.auth import Reader, Services
from app.http.shapes.shape import answers
from app.http.shapes.wallet import BooksShape, CheckShape, ExtrasShape, ProposalsShape
from models.audit_run import AuditRun
from models.books import Finding
from models.invariant import RULES
from models.reconciliation import Difference, KeptReconciliation, SeenDifference
from models.statement import ClosedBook, KeptRow, Proposal

router = APIRouter(tags=["wallet"])
EXTRAS_BACK = timedelta(days=35)


@router.get("/wallet/books", **answers(BooksShape))
async def read_books(services: Services, caller: Reader) -> Response:
    """Return the newest comparisons of balance and statement: the balance's history."""
    found = await services.engine.books.history(caller.store_id)
    return json_answer({"items": [_shown_book(book) for book in found], "next_cursor": None})


@router.get("/wallet/extras", **answers(ExtrasShape))
async def read_extras(services: Services, caller: Reader) -> Response:
    """Return the debits of the last 35 days that no payout explains."""
    since = services.clock.utc_now() - EXTRAS_BACK
    found = await services.engine.books.extras(caller.store_id, since)
    return json_answer({"items": [_shown_row(row) for row in found], "next_cursor": None})


@router.get("/wallet/proposals", **answers(ProposalsShape))
async def read_proposals(services: Services, caller: Reader) -> Response:
    """Return the unknown payouts that did not leave, as the books say."""
    found = await services.engine.books.proposals(caller.store_id)
    return json_answer({"items": [_shown_proposal(each) for each in found], "next_cursor": None})


@router.get("/wallet/checks", **answers(CheckShape))
async def read_checks(services: Services, caller: Reader) -> Response:
    """Return what the audits and comparisons found that hold now; nothing before the first."""
    checked = await services.engine.night_watch.checked(caller.store_id)
    seen = checked.seen_by_key
    is_any = bool(checked.audits or checked.reconciliations)
    return json_answer(
        {
            "is_clean": checked.is_clean if is_any else None,
            "audits": [_shown_audit(report.run) for report in checked.audits],
            "findings": [_shown_finding(finding) for finding in checked.findings],
            "comparisons": [_shown_comparison(kept) for kept in checked.reconciliations],
            "differences": [
                _shown_difference(each, seen.get(each.key)) for each in checked.differences
            ],
        }
    )


def _shown_difference(each: Difference, seen: SeenDifference | None) -> dict[str, Any]:
    at, because = (None, None) if seen is None else (seen.at, seen.reason)
    return asdict(each) | {"seen_at": at, "seen_because": because}


def _shown_audit(run: AuditRun) -> dict[str, Any]:
    return {
        "scope": run.scope,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "payouts": run.payouts,
        "found": run.found,
    }


def _shown_finding(finding: Finding) -> dict[str, Any]:
    return {
        "invariant": finding.invariant,
        "properties": RULES[finding.invariant].properties,
        "says": finding.says,
        "subject": finding.subject,
        "detail": finding.detail,
        "next_step": finding.next_step,
    }


def _shown_comparison(kept: KeptReconciliation) -> dict[str, Any]:
    found = kept.found
    return {
        "span": kept.span,
        "at": kept.at,
        "since": found.since,
        "until": found.until,
        "is_whole": found.is_whole,
        "matched": found.matched,
        "waiting": found.waiting,
        "differences": kept.differences,
        "balance_difference_nanousd": found.balance_difference_nanousd,
    }


def _shown_book(book: ClosedBook) -> dict[str, Any]:
    return {
        "id": book.id,
        "state": book.state,
        "at": book.at,
        "balance_nanousd": book.balance_nanousd,
        "sent_nanousd": book.sent_nanousd,
        "fees_nanousd": book.fees_nanousd,
        "received_nanousd": book.received_nanousd,
        "difference_nanousd": book.difference_nanousd,
        "rows": book.rows,
        "unknown": book.unknown,
    }


def _shown_row(row: KeptRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "seen_at": row.seen_at,
        "amount_nanousd": row.amount_nanousd,
        "fee_nanousd": row.fee_nanousd,
    }


def _shown_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "payout_id": proposal.payout_id,
        "outcome": "not_paid",
        "agreed_first_at": proposal.agreed_first_at,
        "agreed_twice_at": proposal.agreed_twice_at,
    }
