"""One pull payment: its page, its claim link, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import background_tasks, ui

from app.http.pull_payments import to_lnurlw
from app.pages.follower import Follower
from app.pages.pull_payment_form import change_from, edit_fields, refusals
from app.pages.reach import reach_words
from app.pages.standing_board import Standing
from app.pages.visit import Visit
from components.confirm_dialog import ConfirmDialog
from components.form_dialog import FormDialog, Values
from components.pull_payment_sheet import ClaimLink, PullPaymentSheet, SheetActs
from models.errors import NotFoundError, ServiceError
from models.permission import Permission
from models.pull_payment import PullPaymentPhase, PullPaymentView
from services import lnurl
from services.pull_payments import PullPaymentChange


@dataclass(frozen=True, slots=True)
class _Question:
    """What the page of one asks."""

    pull_payment_id: str


class PullPaymentPage:
    """The page of one pull payment, live."""

    def __init__(self, visit: Visit, pull_payment_id: str) -> None:
        self._visit = visit
        self._id = pull_payment_id
        self._view: PullPaymentView | None = None
        acts = SheetActs(self._edit, self._archive, self._replace_link)
        may_change = visit.caller.may(Permission.CREATE)
        self._sheet = PullPaymentSheet(
            visit.store.time_zone,
            acts if may_change else None,
            reach=reach_words(visit.container),
        )
        self._form = FormDialog("Edit pull payment", "Save", self._save)
        self._confirm = ConfirmDialog()
        self._follower: Follower[PullPaymentView] = Follower(
            visit, _Question(pull_payment_id), self._read, self._show
        )

    async def connected(self) -> None:
        """Begin to follow, or begin anew after a gap."""
        try:
            await self._follower.join()
        except NotFoundError as error:
            self._follower.leave()
            with self._visit.client:
                ui.notify(error.message, type="warning")
            self._visit.go("/pull-payments")

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    async def _read(self) -> PullPaymentView:
        return await self._visit.container.pull_payments.view(self._visit.store.id, self._id)

    def _show(self, view: PullPaymentView) -> None:
        self._view = view
        container, link = self._visit.container, None
        if self._visit.caller.may(Permission.SEE_LINKS):
            token = container.pull_payments.claim_token(view.pull_payment)
            url = f"{container.settings.base_url}/lnurlw/{token}"
            link = ClaimLink(url, lnurl.encode(url), to_lnurlw(url))
        self._sheet.show(view, link, container.clock.utc_now())

    def _edit(self) -> None:
        if self._view is not None:
            self._form.open(edit_fields(self._view.pull_payment, self._visit.store))

    async def _save(self, values: Values) -> bool:
        if self._view is None:
            return False
        try:
            await self._change(change_from(values, self._view.pull_payment, self._visit.store))
        except ServiceError as error:
            self._form.show_errors(refusals(error))
            return False
        return True

    def _archive(self) -> None:
        if self._view is None:
            return
        archived = self._view.phase is PullPaymentPhase.ARCHIVED
        change = PullPaymentChange(archived=not archived)
        background_tasks.create(self._try(change), name="archive a pull payment")

    def _replace_link(self) -> None:
        self._confirm.ask(
            "Replace the claim link?",
            "The old link and every printed code of it stop working at once. Cards go on working.",
            "Replace it",
            lambda: self._try(PullPaymentChange(new_link=True)),
        )

    async def _try(self, change: PullPaymentChange) -> None:
        try:
            await self._change(change)
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")

    async def _change(self, change: PullPaymentChange) -> None:
        visit = self._visit
        caller = await visit.need(Permission.CREATE)
        await visit.container.pull_payments.change(caller.store_id, self._id, change, caller.actor)
