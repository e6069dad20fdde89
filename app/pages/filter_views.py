"""The saved views of whoever looks: kept, picked, renamed and removed beside the filter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.http.filters import read_values
from app.pages.visit import Visit
from components.filter_bar import FilterBar
from components.filter_chips import Values
from models.choice import Choice
from models.errors import InvalidField, ServiceError
from models.permission import Permission
from services.saved_views import values_of


class FilterViews:
    """Stands between a page's filter bar and what is saved."""

    def __init__(
        self,
        visit: Visit,
        present: Callable[[], Values],
        look_at: Callable[[Values], Awaitable[None]],
    ) -> None:
        self._visit = visit
        self._present = present
        self._look_at = look_at
        self.bar: FilterBar | None = None

    async def opened(self) -> None:
        """Show what can be chosen from now."""
        store_id = self._visit.store.id
        if self.bar is not None:
            self.bar.show_pull_payments(await self._visit.container.choices.pull_payments(store_id))
            await self._show("")

    async def act(self, act: str, view_id: str, name: str) -> None:
        """Do what somebody wants with a view, and show what is there then."""
        saved = self._visit.container.saved_views
        try:
            caller = await self._visit.need(Permission.READ)
            who = (caller.store_id, caller.person_id)
            if act == "save":
                await saved.save(*who, name, self._present())
            elif act == "rename":
                await saved.rename(*who, view_id, name)
            elif act == "remove":
                await saved.remove(*who, view_id)
            elif act == "pick":
                await self._pick(view_id)
        except InvalidField as error:
            await self._show(f"{error.message[:1].upper()}{error.message[1:]}.")
        except ServiceError as error:
            await self._show(error.message)
        else:
            await self._show("")

    @property
    def _owner(self) -> str:
        return self._visit.caller.person_id

    async def _pick(self, view_id: str) -> None:
        """Look at a view, if what was an address once still is one."""
        for view in await self._visit.container.saved_views.all(self._visit.store.id, self._owner):
            if view.id == view_id:
                values = values_of(view)
                read_values(values, self._visit.store)
                await self._look_at(values)

    async def _show(self, error: str) -> None:
        found = await self._visit.container.saved_views.all(self._visit.store.id, self._owner)
        if self.bar is not None:
            self.bar.show_views([Choice(view.id, view.name) for view in found], error)
