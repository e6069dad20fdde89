"""Pull payments: their list, and how a new one is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import background_tasks

from app.pages.follower import Follower
from app.pages.pull_payment import PullPaymentPage
from app.pages.pull_payment_form import new_fields, new_from, refusals
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.form_dialog import FormDialog, Values
from components.pull_payment_list import PullPaymentList
from models.errors import ServiceError
from models.permission import Permission
from models.pull_payment import PullPaymentView

PAGE = 40
MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Question:
    """What a list asks; lists that show alike share a board."""

    limit: int


class PullPaymentsPage:
    """The list, live; a new one opens on its own page."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._limit = PAGE
        may_make = visit.caller.may(Permission.CREATE)
        self._list = PullPaymentList(
            visit.store.time_zone, self._ask if may_make else None, self._more
        )
        self._form = FormDialog("New pull payment", "Make it", self._make)
        self._follower = self._follow()

    async def connected(self) -> None:
        """Begin to follow the list, or begin anew after a gap."""
        await self._follower.join()

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    def _follow(self) -> Follower[Sequence[PullPaymentView]]:
        limit, store_id = self._limit, self._visit.store.id

        async def read() -> Sequence[PullPaymentView]:
            return await self._visit.container.pull_payments.views(store_id, limit + 1)

        return Follower(self._visit, _Question(limit), read, self._show)

    def _show(self, views: Sequence[PullPaymentView]) -> None:
        now = self._visit.container.clock.utc_now()
        has_more = len(views) > self._limit and self._limit < MOST
        self._list.show(views[: self._limit], now, has_more=has_more)

    async def _more(self) -> None:
        self._follower.leave()
        self._limit = min(self._limit + PAGE, MOST)
        self._follower = self._follow()
        await self._follower.join()

    def _ask(self) -> None:
        self._form.open(new_fields(self._visit.store))

    async def _make(self, values: Values) -> bool:
        visit = self._visit
        try:
            caller = await visit.need(Permission.CREATE)
            wanted = new_from(values, visit.store)
            made = await visit.container.pull_payments.create(caller.store_id, wanted, caller.actor)
        except ServiceError as error:
            self._form.show_errors(refusals(error))
            return False
        background_tasks.create(self._leave_for(made.id), name="show the new pull payment")
        return True

    async def _leave_for(self, pull_payment_id: str) -> None:
        self._visit.go(f"/pull-payments/{pull_payment_id}")


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del query
    pull_payment_id = names.get("pull_payment_id")
    if pull_payment_id is None:
        return PullPaymentsPage(visit)
    return PullPaymentPage(visit, pull_payment_id)


PULL_PAYMENTS = Place(
    paths=("/pull-payments", "/pull-payments/{pull_payment_id}"),
    title="Pull payments",
    build=_build,
    word="Pull payments",
    icon="pull-payments",
)
