"""Follows one question on a live board for a page, and hands on every answer that differs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from nicegui import ui

from app.pages.visit import Visit
from models.errors import UnavailableError
from models.events import Change

Snapshot = TypeVar("Snapshot")


class Follower(Generic[Snapshot]):
    """Joins the board when the browser is there, and leaves it when the page is gone."""

    def __init__(
        self,
        visit: Visit,
        question: Hashable,
        read: Callable[[], Awaitable[Snapshot]],
        show: Callable[[Snapshot], None],
        unmoved_by: tuple[type[Change], ...] = (),
    ) -> None:
        self.seen = 0
        self._visit = visit
        self._key = (visit.store.id, question)
        self._read = read
        self._show = show
        self._unmoved_by = unmoved_by

    @property
    def is_watching(self) -> bool:
        """Tell whether somebody can see it now."""
        return self._visit.is_watching

    async def join(self) -> None:
        """Show what there is now, and every change from now on."""
        try:
            await self._visit.boards.join(self._key, self._again, self, self._unmoved_by)
        except UnavailableError as error:
            # The board asks again by itself, and then shows what it finds.
            with self._visit.client:
                ui.notify(error.message, type="warning")

    def leave(self) -> None:
        """Follow no longer."""
        self._visit.boards.leave(self._key, self)

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        self._show(snapshot)

    def patch(self, before: Snapshot, now: Snapshot) -> None:
        """Show what is there now; pieces find out themselves what changed."""
        del before
        self._show(now)

    async def _again(self, before: Snapshot | None) -> Snapshot:
        del before
        return await self._read()
