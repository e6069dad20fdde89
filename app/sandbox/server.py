"""Starts the sandbox: both ports, the world behind them, and the line that says it is ready."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.sandbox import schema as api
from app.sandbox.control import Control
from app.sandbox.ledger import LedgerInUse
from app.sandbox.settings import HOST, SandboxSettings
from app.sandbox.sockets import SocketServer
from app.sandbox.ticker import PriceTicker
from app.sandbox.web import PATH, WebServer
from app.sandbox.world import World

# A call leaves a few hundred young objects behind: look at them less often than by default.
_GC_THRESHOLDS: Final = (20_000, 20, 20)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that answers on both ports."""

    world: World
    sockets: SocketServer
    api_url: str
    ws_url: str
    control_url: str


@asynccontextmanager
async def open_sandbox(settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """Run a sandbox in this event loop until the block is left."""
    with _bound(settings.port) as web_listener, _bound(settings.ws_port) as ws_listener:
        async with World.open(settings) as world:
            origin = f"{HOST}:{web_listener.getsockname()[1]}"
            ws_origin = f"{HOST}:{ws_listener.getsockname()[1]}"
            world.origin = f"http://{origin}"
            schema = api.build(settings.profile)
            ticker = PriceTicker(world)
            control = Control(world, ticker)
            web, sockets = WebServer(world, schema, control), SocketServer(world, schema)
            control.drop_sockets, control.drop_calls = sockets.drop, web.cut
            world.events.restart_sockets = sockets.drop
            await web.start(web_listener)
            await sockets.start(ws_listener)
            ticker.start()
            try:
                yield Sandbox(
                    world,
                    sockets,
                    api_url=f"http://{origin}{PATH}",
                    ws_url=f"ws://{ws_origin}{PATH}",
                    control_url=f"http://{origin}/_control",
                )
            finally:
                await sockets.close()
                await web.close()


async def serve(settings: SandboxSettings) -> None:
    """Run until a signal comes, and say when it is ready."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    async with open_sandbox(settings) as sandbox:
        # What has been built by now lives as long as the process: keep the collector off it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        sys.stdout.write(f"sandbox ready {sandbox.api_url} {sandbox.ws_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def run(ledger: Path, port: int = 0, ws_port: int = 0, **options: Any) -> None:
    """Run a sandbox in the foreground; `options` are further members of SandboxSettings.

    Raises:
        SystemExit: A port is taken, or another sandbox has the ledger.
    """
    settings = SandboxSettings(ledger=ledger, port=port, ws_port=ws_port, **options)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(settings))
    except (LedgerInUse, OSError) as error:
        raise SystemExit(f"the sandbox cannot start: {error}") from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the faster event loop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _bound(port: int) -> socket.socket:
    """Return a bound socket on this machine only; port 0 chooses a free one."""
    # Named as TCP, so that the event loop sends small answers at once (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener
