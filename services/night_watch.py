"""Checks every store's books once a day, and says so if they contradict anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.books import Finding
from models.errors import ServiceError
from models.instants import Clock
from models.reconciliation import Reconciliation
from services.books import Books
from services.database import Database
from services.reconciliations import Reconciliations
from services.storage import store as stores
from services.storage import wallet as wallets

_log = structlog.get_logger(__name__)

POLL_S = 60.0
FIRST_AFTER = timedelta(minutes=10)  # a start has better things to do
EVERY = timedelta(days=1)
AUDIT_FOUND = "audit_found"
NOT_RECONCILED = "not_reconciled"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check of a store's books came to."""

    at: datetime
    findings: tuple[Finding, ...]
    reconciliation: Reconciliation

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing contradicts anything."""
        return not self.findings and self.reconciliation.is_clean


class NightWatch:
    """Remembers the last check of each store; a restart only means an early next one."""

    def __init__(
        self, database: Database, clock: Clock, books: Books, reconciliations: Reconciliations
    ) -> None:
        self._database = database
        self._clock = clock
        self._books = books
        self._reconciliations = reconciliations
        self._next = clock.utc_now() + FIRST_AFTER
        self.checked: dict[str, Checked] = {}

    async def run(self) -> None:
        """Check all stores, one after another, once a day."""
        while True:
            await asyncio.sleep(POLL_S)
            now = self._clock.utc_now()
            if now < self._next:
                continue
            self._next = now + EVERY
            for store in await self._database.read(stores.read_stores):
                try:
                    await self.check(store.id)
                except ServiceError as error:
                    _log.warning("books.not_checked", store_id=store.id, detail=error.message)

    async def check(self, store_id: str) -> Checked:
        """Audit and reconcile a store now; what is found is also put into the outbox."""
        findings = await self._books.audit(store_id)
        reconciliation = await self._reconciliations.reconcile(store_id)
        now = self._clock.utc_now()
        checked = Checked(now, tuple(findings), reconciliation)
        self.checked[store_id] = checked
        if findings:
            detail = f"{len(findings)}: {findings[0].invariant}"
            await self._alert(store_id, AUDIT_FOUND, detail, now)
        if not reconciliation.is_clean:
            await self._alert(store_id, NOT_RECONCILED, str(len(reconciliation.differences)), now)
        return checked

    async def _alert(self, store_id: str, topic: str, detail: str, now: datetime) -> None:
        _log.warning("books.alert", topic=topic, store_id=store_id, detail=detail)
        await self._database.write(wallets.add_alert, store_id, topic, store_id, detail, now)
