"""One browser tab: who looks, at which store, and what every page needs to build itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from nicegui import Client, ui

from app.auth import Caller, right_now
from app.container import Container
from app.live import Boards
from app.pages.export_run import ExportRun
from app.pages.standing_board import Standing
from components.frame import Frame
from components.frame import Place as Entry
from models.permission import Permission
from models.session import Session
from models.store import Role, Store


class View(Protocol):
    """A page that stands in the frame."""

    async def connected(self) -> None:
        """Begin to follow what it shows, or begin anew after a gap."""
        ...

    def gone(self) -> None:
        """Stop following: the tab is closed, or shows another page."""
        ...

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands now."""
        ...


@runtime_checkable
class EarlyView(View, Protocol):
    """A page that shows something before the browser is there."""

    async def show_early(self) -> None:
        """Show what is quick to read, so that it stands in the page as it is loaded."""
        ...


@dataclass(slots=True)
class Visit:
    """What a page is handed; it lives as long as the tab."""

    container: Container
    boards: Boards
    caller: Caller
    store: Store
    client: Client
    go: Callable[[str], object]
    frame: Frame = field(init=False)
    export: ExportRun = field(init=False)
    is_hidden: bool = False
    # Id, name and role of each store of the person who looks.
    stores: tuple[tuple[str, str, Role], ...] = ()
    # Whoever looks decides over money, with nothing but a password.
    lacks_factor: bool = False

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected and the tab in sight."""
        return self.client.has_socket_connection and not self.is_hidden

    async def need(self, permission: Permission, *, again: bool | None = None) -> Caller:
        """Return who acts, if they may now: nothing else on a page has an actor to act as.

        Raises:
            Forbidden: The role does not allow it, or the password was given too long ago.
            Unauthenticated: The session is over.
        """
        return await right_now(self.caller, self.container, permission, again=again)

    async def look_at_factor(self) -> None:
        """Notice whether whoever looks should have a second factor, and has none."""
        decides = self.caller.session is not None and self.caller.may(Permission.APPROVE)
        factors = self.container.doors.factors
        self.lacks_factor = decides and not await factors.is_on(self.caller.person_id)

    async def session(self) -> Session | None:
        """Return the session of whoever looks, as it is now; a demo's visitor has none.

        Raises:
            Unauthenticated: It is over.
        """
        return (await self.need(Permission.READ)).session

    def rewrite(self, address: str) -> None:
        """Change the address of what is shown, without a new entry in the browser's history."""
        with self.client:
            ui.navigate.history.replace(address)


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its addresses, its title, and how it is built.

    Paths may hold `{names}`. A place with a word and an icon stands in the navigation, for those
    whose role has the permission.
    """

    paths: tuple[str, ...]
    title: str
    build: Callable[[Visit, dict[str, str], dict[str, str]], View]
    permission: Permission = Permission.READ
    word: str | None = None
    icon: str = ""

    @property
    def entry(self) -> Entry | None:
        """Return its entry of the navigation."""
        return None if self.word is None else Entry(self.paths[0], self.word, self.icon)
