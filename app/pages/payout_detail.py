"""The detail modal's other half: reads a payout's story, takes decisions, keeps the address."""

from __future__ import annotations

from collections.abc import Callable, Collection

from nicegui import background_tasks, ui

from app.pages.payout_acts import PayoutActs
from app.pages.visit import Visit
from components.payout_detail import PayoutDetailDialog
from models.errors import NotFoundError
from models.payout_detail import PayoutDetail
from models.permission import Permission


class DetailOpener:
    """Opens the modal for a payout and keeps it true while it is open."""

    def __init__(self, visit: Visit, address: Callable[[], str]) -> None:
        self._visit = visit
        self._container = visit.container
        self._caller = visit.caller
        self._store = visit.store
        self._client = visit.client
        self._address = address
        self._acts = PayoutActs(visit, self._refresh)
        self._dialog = PayoutDetailDialog(visit.store, self._acts.ask, self._closed)

    async def open(self, payout_id: str) -> None:
        """Open the modal and give it its address."""
        try:
            detail = await self._read(payout_id)
            possible = await self._acts.possible(payout_id)
        except NotFoundError as error:
            with self._client:
                ui.notify(error.message, type="warning")
            return
        with self._client:
            self._dialog.open(detail, possible)
        self._visit.rewrite(f"/payouts/{payout_id}")

    def payouts_changed(self, payout_ids: Collection[str] | None) -> None:
        """Read again what is shown, if it is among these; without any, it may be."""
        open_id = self._dialog.open_id
        if open_id is not None and (payout_ids is None or open_id in payout_ids):
            background_tasks.create(self._refresh(), name="refresh detail")

    async def _refresh(self) -> None:
        payout_id = self._dialog.open_id
        if payout_id is None or self._client.is_deleted:
            return
        detail = await self._read(payout_id)
        possible = await self._acts.possible(payout_id)
        if not self._client.is_deleted:
            with self._client:
                self._dialog.refresh(detail, possible)

    async def _read(self, payout_id: str) -> PayoutDetail:
        return await self._container.details.read(
            self._store.id,
            payout_id,
            shows_all=self._caller.may(Permission.SEE_UIDS),
            shows_people=self._caller.may(Permission.AUDIT),
        )

    def _closed(self) -> None:
        self._visit.rewrite(self._address())
