"""The detail modal's other half: reads a payout's story, takes decisions, keeps the address."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import background_tasks, ui

from app.auth import Permission
from app.pages.visit import Visit
from components.payout_detail import AllowedActs, PayoutDetailDialog
from models.errors import NotFoundError, ServiceError
from models.payout_view import PayoutView

REASON_CODE = "by_hand"


class DetailOpener:
    """Opens the modal for a payout and keeps it true while it is open."""

    def __init__(self, visit: Visit, address: Callable[[], str]) -> None:
        self._visit = visit
        self._container = visit.container
        self._caller = visit.caller
        self._store = visit.store
        self._client = visit.client
        self._address = address
        allowed = AllowedActs(
            approve=self._caller.may(Permission.APPROVE), cancel=self._caller.may(Permission.CANCEL)
        )
        self._dialog = PayoutDetailDialog(visit.store, allowed, self._act, self._closed)

    async def open(self, payout_id: str) -> None:
        """Open the modal and give it its address."""
        try:
            detail = await self._container.details.read(
                self._store.id, payout_id, shows_uid=self._caller.may(Permission.SEE_UIDS)
            )
        except NotFoundError as error:
            with self._client:
                ui.notify(error.message, type="warning")
            return
        with self._client:
            self._dialog.open(detail)
        self._visit.rewrite(f"/payouts/{payout_id}")

    def payouts_changed(self, payout_ids: set[str]) -> None:
        """Read again what is shown, if it is among these."""
        if self._dialog.open_id in payout_ids:
            background_tasks.create(self._refresh(), name="refresh detail")

    async def _refresh(self) -> None:
        payout_id = self._dialog.open_id
        if payout_id is None or self._client.is_deleted:
            return
        detail = await self._container.details.read(
            self._store.id, payout_id, shows_uid=self._caller.may(Permission.SEE_UIDS)
        )
        if not self._client.is_deleted:
            with self._client:
                self._dialog.refresh(detail)

    def _closed(self) -> None:
        self._visit.rewrite(self._address())

    async def _act(self, act: str, payout: PayoutView, reason: str | None) -> None:
        payouts, caller = self._container.payouts, self._caller
        try:
            if act == "approve":
                caller.need(Permission.APPROVE)
                await payouts.approve(self._store.id, payout.id, payout.revision, caller.actor)
            elif act == "reject":
                caller.need(Permission.APPROVE)
                await payouts.reject(
                    self._store.id,
                    payout.id,
                    payout.revision,
                    caller.actor,
                    reason_code=REASON_CODE,
                    reason=reason or "",
                )
            else:
                caller.need(Permission.CANCEL)
                await payouts.cancel(self._store.id, payout.id, caller.actor)
        except ServiceError as error:
            ui.notify(error.message, type="warning")
        await self._refresh()
