"""A service of a test on a real socket, in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from app.container import Container
from app.server import server_of

LOOK_S = 0.01


class QuietServer(uvicorn.Server):
    """Leaves the test run's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, container: Container) -> AsyncIterator[str]:
    """Serve an application of a container; gives the address."""
    config = server_of(app, container).config
    config.timeout_graceful_shutdown = 1
    config.lifespan = "off"
    server = QuietServer(config)
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(LOOK_S)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
