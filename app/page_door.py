"""The door of the screens: whoever has not signed in is sent to do so before a page is built.

NiceGUI keeps what it builds for a minute, so a flood of strangers would else fill the memory.
"""

from __future__ import annotations

from functools import cached_property

from nicegui import app as nicegui_app
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import Container
from app.sessions import standing_of
from models.store import DatabaseKind

_NOT_SCREENS = ("/_nicegui", "/favicon")


class PageDoor:
    """Lets a request through to a screen only with a live session; a demo's visitor is known."""

    def __init__(self, app: ASGIApp, container: Container) -> None:
        self._app = app
        self._container = container

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or send it to the sign-in."""
        if scope["type"] == "http" and await self._is_stranger(scope):
            headers = {"Cache-Control": "no-store"}
            await RedirectResponse("/login", 303, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _is_stranger(self, scope: Scope) -> bool:
        if self._container.kind is DatabaseKind.DEMO:
            return False
        if not any(route.matches(scope)[0] is Match.FULL for route in self._screens):
            return False
        return await standing_of(HTTPConnection(scope), self._container) is None

    @cached_property
    def _screens(self) -> list[Route]:
        # What NiceGUI serves to its own pages stands apart.
        return [
            route
            for route in nicegui_app.routes
            if isinstance(route, Route) and not route.path.startswith(_NOT_SCREENS)
        ]
