"""What people do to one payout on the screen: each act asked for, confirmed, and done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from app.auth import Caller
from app.pages.password_again import password_fields, take_password
from app.pages.pull_payment_form import refusals
from app.pages.visit import Visit
from components.confirm_dialog import ConfirmDialog
from components.form_dialog import Field, FormDialog, Values
from models.errors import InvalidField, ServiceError
from models.payout_act import PayoutAct, PossibleActs
from models.payout_view import PayoutView
from models.permission import Permission

REASON_CODE = "by_hand"
NEEDS = {
    PayoutAct.APPROVE: Permission.APPROVE,
    PayoutAct.REJECT: Permission.APPROVE,
    PayoutAct.CANCEL: Permission.CANCEL,
    PayoutAct.RETRY: Permission.INTERVENE,
    PayoutAct.HOLD: Permission.INTERVENE,
    PayoutAct.RELEASE: Permission.INTERVENE,
    PayoutAct.RESOLVE: Permission.RESOLVE,
    PayoutAct.NOT_PAID: Permission.RESOLVE,
}
_OUTCOMES = (("paid", "It was paid"), ("not_paid", "It was not paid"))
_BOOKS = "The wallet's books agreed twice that it did not leave."
_PROOF_HINT = "Where you looked, and what it showed. It is kept in the record."
_UNTIL_HINT = "Left empty, until somebody releases it."


class PayoutActs:
    """Does what a person chose, under the role they have now; `on_done` is told after each."""

    def __init__(self, visit: Visit, on_done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._on_done = on_done
        self._payout: PayoutView | None = None
        self._confirm = ConfirmDialog()
        self._hold = FormDialog("Hold this payout", "Hold it", self._held)
        self._resolve = FormDialog("Resolve this payout", "Decide", self._resolved)
        self._books = FormDialog("Take it as not paid", "It was not paid", self._accepted)

    async def possible(self, payout_id: str) -> PossibleActs:
        """Return what the payout's state and the role of whoever looks allow."""
        visit = self._visit
        found = await visit.container.engine.interventions.possible(visit.store.id, payout_id)
        acts = frozenset(act for act in found.acts if visit.caller.may(NEEDS[act]))
        may_retry = visit.caller.may(NEEDS[PayoutAct.RETRY])
        return PossibleActs(acts, found.hold, found.no_retry if may_retry else None)

    async def ask(self, act: PayoutAct, payout: PayoutView, reason: str | None) -> None:
        """Do what needs no question, and ask what has to be asked for the rest."""
        self._payout = payout
        match act:
            case PayoutAct.HOLD:
                until = Field("until", "Until", "datetime-local", _UNTIL_HINT)
                self._hold.open((Field("reason", "Reason"), until))
            case PayoutAct.RESOLVE:
                await self._ask_outcome()
            case PayoutAct.NOT_PAID:
                await self.ask_not_paid(payout)
            case PayoutAct.CANCEL:
                text = "It will not be paid. This cannot be taken back; its invoice is used up."
                self._confirm.ask("Cancel this payout?", text, "Cancel it", lambda: self._do(act))
            case PayoutAct.RETRY:
                text = "It is sent again as soon as its turn comes. What is sent is gone."
                self._confirm.ask("Try it again?", text, "Try again", lambda: self._do(act))
            case _:
                await self._do(act, reason)

    async def ask_not_paid(self, payout: PayoutView) -> None:
        """Ask whether the books' proposal is taken."""
        self._payout = payout
        hint = "It is closed as failed. If it left after all, that money is lost to you."
        proof = Field("evidence", "Evidence", "textarea", hint=hint, value=_BOOKS)
        self._books.open((proof, *await password_fields(self._visit)))

    async def _ask_outcome(self) -> None:
        self._resolve.open(
            (
                Field("outcome", "What did you find?", "choice", options=_OUTCOMES),
                Field("evidence", "Evidence", "textarea", hint=_PROOF_HINT),
                *await password_fields(self._visit),
            )
        )

    async def _held(self, values: Values) -> bool:
        try:
            until = _moment(values.get("until", ""), self._visit.store.time_zone)
            caller, payout = await self._allowed(PayoutAct.HOLD)
            await self._visit.container.engine.interventions.hold(
                caller.store_id,
                payout.id,
                caller.actor,
                reason=values.get("reason", ""),
                release_at=until,
                revision=payout.revision,
            )
        except ServiceError as error:
            found = refusals(error)
            self._hold.show_errors(found if "release_at" not in found else {"until": error.message})
            return False
        await self._on_done()
        return True

    async def _resolved(self, values: Values) -> bool:
        outcome = values.get("outcome")
        if outcome not in dict(_OUTCOMES):
            self._resolve.show_errors({"outcome": "Choose what you found."})
            return False
        return await self._decide(self._resolve, values, is_paid=outcome == "paid")

    async def _accepted(self, values: Values) -> bool:
        return await self._decide(self._books, values, is_paid=False)

    async def _decide(self, form: FormDialog, values: Values, *, is_paid: bool) -> bool:
        visit = self._visit
        try:
            if not values.get("evidence"):
                raise InvalidField("evidence", "say what shows it")
            await take_password(visit, Permission.RESOLVE, values)
            caller, payout = await self._allowed(PayoutAct.RESOLVE)
            await visit.container.engine.interventions.resolve(
                caller.store_id,
                payout.id,
                caller.actor,
                is_paid=is_paid,
                evidence=values["evidence"],
                revision=payout.revision,
            )
        except ServiceError as error:
            form.show_errors(refusals(error))
            return False
        await self._on_done()
        return True

    async def _do(self, act: PayoutAct, reason: str | None = None) -> None:
        container = self._visit.container
        payouts, interventions = container.payouts, container.engine.interventions
        try:
            caller, payout = await self._allowed(act)
            at = (caller.store_id, payout.id)
            if act is PayoutAct.APPROVE:
                await payouts.approve(*at, payout.revision, caller.actor)
            elif act is PayoutAct.REJECT:
                await payouts.reject(
                    *at,
                    payout.revision,
                    caller.actor,
                    reason_code=REASON_CODE,
                    reason=reason or "",
                )
            elif act is PayoutAct.CANCEL:
                await payouts.cancel(*at, caller.actor, payout.revision)
            elif act is PayoutAct.RETRY:
                await interventions.retry(*at, caller.actor, payout.revision)
            elif act is PayoutAct.RELEASE:
                await interventions.release(*at, caller.actor, payout.revision)
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")
        await self._on_done()

    async def _allowed(self, act: PayoutAct) -> tuple[Caller, PayoutView]:
        assert self._payout is not None, "a payout was chosen before"
        return await self._visit.need(NEEDS[act]), self._payout


def _moment(text: str, zone_name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone_name))
    except ValueError:
        raise InvalidField("until", "give a day and a time") from None
