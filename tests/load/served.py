"""`python -m tests.load.served`: the product's own server with a few routes beside the product's.

What the constant route reaches is what the web server, its outermost layer and the router cost; the
rest of a request's time is the product's. The bare socket and the bare page are the same for a live
screen. `/marks` hands out when transactions were committed and how long reads took.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import commands, server
from app.answers import json_answer
from app.container import Container
from models.events import Change, PayoutChanged
from tests.load import marks
from tests.load.wire import BARE_PAGE, BARE_SCRIPT, BARE_SOCKET, BLANK_PAGE, CONSTANT, MARKS

_build = server.build_app
_BARE = f"""<!doctype html><html><head><title>bare</title></head><body>
<p data-testid="stat-total"><span class="count">-</span></p>
<script src="{BARE_SCRIPT}"></script></body></html>"""
# In a file of its own: the product's pages run no script that stands in them.
_SCRIPT = f"""const shown = document.querySelector('.count');
const socket = new WebSocket(`ws://${{location.host}}{BARE_SOCKET}`);
socket.onopen = () => {{ window.did_handshake = true; }};
socket.onmessage = event => {{ shown.textContent = event.data; }};
"""


class Bare:
    """Sockets that are told the bare minimum of each commit: which payout."""

    def __init__(self) -> None:
        self._sockets: set[WebSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, socket: WebSocket) -> None:
        """Keep a socket until it closes."""
        await socket.accept()
        self._sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            self._sockets.discard(socket)

    def tell(self, changes: list[Change]) -> None:
        """Tell all of them."""
        named = [change.payout_id for change in changes if isinstance(change, PayoutChanged)]
        if named and self._sockets:
            task = asyncio.get_running_loop().create_task(self._send(named[0]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, text: str) -> None:
        for socket in list(self._sockets):
            await socket.send_text(text)


async def _constant(_request: Request) -> Response:
    return json_answer({"status": "OK"})


async def _bare_page(_request: Request) -> Response:
    return HTMLResponse(_BARE, headers={"Cache-Control": "no-store"})


async def _bare_script(_request: Request) -> Response:
    return Response(_SCRIPT, media_type="text/javascript")


async def _marks(_request: Request) -> Response:
    return json_answer(marks.take())


def _with_more(container: Container, *args: Any, **kwargs: Any) -> FastAPI:
    app = _build(container, *args, **kwargs)
    bare = Bare()
    listener = container.hub.publish

    def told(changes: list[Change]) -> None:
        bare.tell(changes)
        listener(changes)

    container.database.listen(told)
    app.router.routes[:0] = [
        Route(CONSTANT, _constant, methods=["GET"]),
        Route(MARKS, _marks, methods=["GET"]),
        Route(BARE_PAGE, _bare_page, methods=["GET"]),
        Route(BARE_SCRIPT, _bare_script, methods=["GET"]),
        WebSocketRoute(BARE_SOCKET, bare.serve),
    ]
    ui.page(BLANK_PAGE)(lambda: ui.label("-"))
    return app


def main() -> None:
    """Serve as `flash-payouts serve` does, with the loop that it takes."""
    marks.begin()
    server.build_app = _with_more
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(commands.serve())


if __name__ == "__main__":
    main()
