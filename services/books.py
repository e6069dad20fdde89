"""Audits our own books: what is written in two places must say the same."""

from __future__ import annotations

from models.books import Chapter, Finding, Slice
from models.instants import Clock
from services.database import Database
from services.storage import chapter as chapters

# The payouts that are open are among all of them.
WHOLE = tuple(chapter for chapter in Chapter if chapter is not Chapter.OPEN)


class Books:
    """Checks the invariants of a store's rows, slice by slice; it mends nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def look(self, store_id: str, chapter: Chapter, after: str) -> Slice:
        """Return the next slice of a chapter; an empty `after` begins it."""
        return await self._database.read(
            chapters.look, store_id, chapter, after, self._clock.utc_now()
        )

    async def audit(self, store_id: str) -> list[Finding]:
        """Return every contradiction in a store's books; none is the only good answer."""
        findings: list[Finding] = []
        for chapter in WHOLE:
            after: str | None = ""
            while after is not None:
                found = await self.look(store_id, chapter, after)
                findings += found.findings
                after = found.after
        return findings
