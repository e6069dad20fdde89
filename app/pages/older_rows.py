"""Rows below the first page: read again, a few at a time, when their payout changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nicegui import background_tasks

from app.pages.visit import Visit
from models.errors import NotFoundError, UnavailableError
from models.payout_filter import PayoutFilter
from models.payout_view import PayoutView

# Beyond, rows stay as they were when they were scrolled to.
LIMIT = 2_000
AT_ONCE = 50

Patch = Callable[[list[str], list[PayoutView]], None]


class OlderRows:
    """Knows which rows stand below; `on_change` is told what to drop and what to show anew."""

    def __init__(self, visit: Visit, on_change: Patch) -> None:
        self._visit = visit
        self._on_change = on_change
        self._shown: set[str] = set()
        self._due: set[str] = set()
        self._is_busy = False
        self._wanted = PayoutFilter()

    def begin(self) -> None:
        """Forget all: only the first page stands in the table."""
        self._shown.clear()
        self._due.clear()

    def look_at(self, wanted: PayoutFilter) -> None:
        """Take what is asked for: what does not fit it any more is dropped."""
        self._wanted = wanted
        self.begin()

    def add(self, payout_ids: Iterable[str]) -> None:
        """Take that these rows stand below now."""
        for payout_id in payout_ids:
            if len(self._shown) >= LIMIT:
                return
            self._shown.add(payout_id)

    def touched(self, payout_ids: frozenset[str] | None) -> None:
        """Read again what stands below among these; without ids, everything."""
        if not self._shown:
            return
        self._due |= self._shown if payout_ids is None else self._shown & payout_ids
        if self._due and not self._is_busy:
            self._is_busy = True
            background_tasks.create(self._read_again(), name="read older rows")

    async def _read_again(self) -> None:
        try:
            while self._due and not self._visit.client.is_deleted:
                some = [self._due.pop() for _ in range(min(AT_ONCE, len(self._due)))]
                self._tell(await self._read(some))
        except UnavailableError:
            self._due.clear()  # the next change asks again
        finally:
            self._is_busy = False

    async def _read(self, payout_ids: list[str]) -> list[PayoutView]:
        payouts, found = self._visit.container.payouts, []
        for payout_id in payout_ids:
            try:
                found.append(await payouts.read(self._visit.store.id, payout_id))
            except NotFoundError:
                continue
        return found

    def _tell(self, found: list[PayoutView]) -> None:
        # Somebody may have looked at something else meanwhile.
        known = [view for view in found if view.id in self._shown]
        fitting = [view for view in known if self._wanted.takes(view.status, view.state)]
        gone = [view.id for view in known if not self._wanted.takes(view.status, view.state)]
        self._shown.difference_update(gone)
        if known and self._visit.is_watching:
            with self._visit.client:
                self._on_change(gone, fitting)
