"""Lets taps and callbacks past the layers that only pages and programs need.

The routes stand in the application too: whatever this door does not know goes there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http import lnurl

_METHODS = frozenset({"GET", "HEAD"})
_STARTS = ("/boltcard", "/lnurlw/")


class TillDoor:
    """Serves the hottest routes by itself; they need no handler of errors and no session."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        endpoint = _endpoint_of(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        answer = await endpoint(Request(scope, receive, send))
        await answer(scope, receive, send)


def _endpoint_of(scope: Scope) -> Callable[[Request], Awaitable[Response]] | None:
    """Return what serves a request here; there is no router, as a table of two is looked up."""
    path = scope["path"]
    if not path.startswith(_STARTS) or scope["method"] not in _METHODS:
        return None
    match path.split("/"):
        case ["", "lnurlw", token, "claim"] if token:
            scope["path_params"] = {"claim_token": token}
            return lnurl.CLAIM_BY_LINK
        case _:
            return lnurl.BY_CARD.get(path)
