"""Lets taps and callbacks past the layers that only pages and programs need.

The routes stand in the application too: whatever this door does not know goes there.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from app.http import lnurl

_STARTS = ("/boltcard", "/lnurlw/")


class TillDoor:
    """Serves the hottest routes by itself; they need no handler of errors and no session."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._routes = lnurl.hot_routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "http" and scope["path"].startswith(_STARTS):
            for route in self._routes:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found, app=self._app)
                    await route.handle(scope, receive, send)
                    return
        await self._app(scope, receive, send)
