"""One walk of an audit through a store's books: how far it is, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.books import Chapter, Finding


class Scope(StrEnum):
    """How much an audit looks at."""

    RECENT = "recent"
    """What is open, and the last day: at each start."""
    ALL = "all"
    """Everything: each night."""


CHAPTERS: dict[Scope, tuple[Chapter, ...]] = {
    Scope.RECENT: (
        *(Chapter.OPEN, Chapter.PAYOUTS, Chapter.BUDGETS, Chapter.DAYS),
        *(Chapter.CARDS, Chapter.OUTBOX),
    ),
    # The payouts that are open are among all of them.
    Scope.ALL: tuple(chapter for chapter in Chapter if chapter is not Chapter.OPEN),
}


@dataclass(frozen=True, slots=True)
class AuditRun:
    """An audit; `chapter` and `after` are where it goes on, also after a restart."""

    id: str
    store_id: str
    scope: Scope
    chapter: Chapter
    after: str
    payouts: int
    found: int
    started_at: datetime
    moved_at: datetime
    ended_at: datetime | None

    @property
    def is_clean(self) -> bool:
        """Tell whether it went through to the end and found nothing."""
        return self.ended_at is not None and not self.found


@dataclass(frozen=True, slots=True)
class AuditReport:
    """An audit with its first findings."""

    run: AuditRun
    findings: tuple[Finding, ...]
