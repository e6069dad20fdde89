"""When books are audited and compared: at the start, every ten minutes, and each night.

What came of it is kept, so that a restart neither forgets a finding nor does a night twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from models.audit_run import Scope
from models.checked import Checked
from models.errors import ServiceError
from models.instants import Clock
from models.reconciliation import Reconciliation, Span
from models.store import Store
from services.audits import Audits
from services.bookkeeper import Bookkeeper
from services.database import Database
from services.reconciliations import Reconciliations
from services.storage import store as stores

_log = structlog.get_logger(__name__)

POLL_S = 10.0
FIRST_AFTER = timedelta(minutes=1)  # a start has better things to do
NIGHT_AFTER = timedelta(minutes=10)  # nor is the night made up for at once
OPEN_EVERY = timedelta(minutes=10)
NIGHT_AT = timedelta(hours=3)
PAUSE_S = 0.02  # between the slices of a night, in which others have their turn

# The wallet's bookkeeper, where this instance is the one that works for the wallet.
BookkeeperOf = Callable[[str], Bookkeeper | None]


class NightWatch:
    """Sees that every store's books are checked in time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audits: Audits,
        reconciliations: Reconciliations,
        bookkeeper_of: BookkeeperOf,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audits = audits
        self._reconciliations = reconciliations
        self._bookkeeper_of = bookkeeper_of
        self._started_at = clock.utc_now()
        self._looked_at: set[str] = set()
        self._next_open = self._started_at + OPEN_EVERY

    async def run(self) -> None:
        """Audit all stores, one after another, whenever it is due."""
        while True:
            await asyncio.sleep(POLL_S)
            for store in await self._database.read(stores.read_stores):
                try:
                    await self.audit_when_due(store)
                except ServiceError as error:
                    _log.warning("books.not_audited", store_id=store.id, detail=error.message)

    async def compare(self) -> None:
        """Compare what is open with Flash's list every ten minutes, in all stores."""
        while True:
            await asyncio.sleep(POLL_S)
            now = self._clock.utc_now()
            if now < self._next_open:
                continue
            self._next_open = now + OPEN_EVERY
            for store in await self._database.read(stores.read_stores):
                await self._compare_open(store.id)

    async def audit_when_due(self, store: Store) -> None:
        """Audit what is recent once after the start, and everything once a night."""
        now = self._clock.utc_now()
        if store.id not in self._looked_at and now >= self._started_at + FIRST_AFTER:
            self._looked_at.add(store.id)
            await self._audits.run(store.id, Scope.RECENT)
        last = await self._audits.newest(store.id, Scope.ALL)
        is_done = last is not None and night(last.started_at, store) == night(now, store)
        if not is_done and now >= self._started_at + NIGHT_AFTER:
            await self.check(store.id, PAUSE_S)

    async def check(self, store_id: str, pause_s: float = 0.0) -> Checked:
        """Audit everything and compare 35 days; what is found is kept, and told."""
        await self._audits.run(store_id, Scope.ALL, pause_s)
        await self._reconciliations.check(store_id, Span.MONTH)
        return await self.checked(store_id)

    async def checked(self, store_id: str) -> Checked:
        """Return what the last checks of a store came to."""
        audits = await self._audits.standing(store_id)
        kept = await self._reconciliations.kept(store_id)
        seen = await self._reconciliations.seen(store_id)
        return Checked(tuple(audits), tuple(kept), tuple(seen))

    async def compare_open(self, store_id: str) -> Reconciliation | None:
        """Read Flash's list and compare what is open; nothing where another instance does.

        Raises:
            GatewayError: Flash gave no list.
        """
        bookkeeper = self._bookkeeper_of(store_id)
        if bookkeeper is None:
            return None
        return await self._reconciliations.check(store_id, Span.OPEN, bookkeeper)

    async def _compare_open(self, store_id: str) -> None:
        try:
            await self.compare_open(store_id)
        except ServiceError as error:
            _log.warning("books.not_compared", store_id=store_id, detail=error.message)


def night(moment: datetime, store: Store) -> date:
    """Return which night of a store a moment belongs to; one begins at three in the morning."""
    return (moment.astimezone(ZoneInfo(store.time_zone)) - NIGHT_AT).date()
