"""Boltcards: their list, and how a new one is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import background_tasks

from app.pages.boltcard import BoltcardPage
from app.pages.boltcard_form import BY_HAND, fund_options, new_fields, new_from, refusals
from app.pages.follower import Follower
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.boltcard_list import BoltcardList
from components.form_dialog import FormDialog, Values
from models.card_view import CardView
from models.errors import InvalidField, ServiceError
from models.permission import Permission

PAGE = 40
MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Question:
    """What a list asks; lists that show alike share a board."""

    limit: int
    shows_uid: bool


class BoltcardsPage:
    """The list, live; a new card opens on its own page, ready to be programmed."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._limit = PAGE
        may_make = visit.caller.may(Permission.CREATE)
        self._list = BoltcardList(
            visit.store.time_zone, self._ask if may_make else None, self._more
        )
        self._form = FormDialog("New card", "Make it", self._make)
        self._follower = self._follow()

    async def connected(self) -> None:
        """Begin to follow the list, or begin anew after a gap."""
        await self._follower.join()

    def gone(self) -> None:
        """Stop following."""
        self._follower.leave()

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    def _follow(self) -> Follower[Sequence[CardView]]:
        # Whole numbers are for managers; in a list nobody needs them.
        question = _Question(self._limit, shows_uid=False)
        store_id = self._visit.store.id

        async def read() -> Sequence[CardView]:
            return await self._visit.container.card_views.newest(store_id, question.limit + 1)

        return Follower(self._visit, question, read, self._show)

    def _show(self, views: Sequence[CardView]) -> None:
        now = self._visit.container.clock.utc_now()
        has_more = len(views) > self._limit and self._limit < MOST
        self._list.show(views[: self._limit], now, has_more=has_more)

    async def _more(self) -> None:
        self._follower.leave()
        self._limit = min(self._limit + PAGE, MOST)
        self._follower = self._follow()
        await self._follower.join()

    async def _ask(self) -> None:
        options = await fund_options(self._visit)
        with self._visit.client:
            self._form.open(new_fields(options))

    async def _make(self, values: Values) -> bool:
        visit = self._visit
        try:
            caller = await visit.need(Permission.CREATE)
            if not values.get("pull_payment_id"):
                raise InvalidField(
                    "pull_payment_id", "make a pull payment first: a card draws on one"
                )
            wanted = new_from(values)
            made = await visit.container.boltcards.create(caller.store_id, wanted, caller.actor)
        except ServiceError as error:
            self._form.show_errors(refusals(error))
            return False
        program = "" if values.get("keys") == BY_HAND else "?program=1"
        address = f"/boltcards/{made.id}{program}"
        background_tasks.create(self._leave_for(address), name="show the new card")
        return True

    async def _leave_for(self, address: str) -> None:
        self._visit.go(address)


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    card_id = names.get("card_id")
    if card_id is None:
        return BoltcardsPage(visit)
    return BoltcardPage(visit, card_id, programs="program" in query)


BOLTCARDS = Place(
    paths=("/boltcards", "/boltcards/{card_id}"),
    title="Boltcards",
    build=_build,
    word="Boltcards",
    icon="boltcards",
)
