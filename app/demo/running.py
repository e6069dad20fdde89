"""`make run`: the demo from the first start to Ctrl-C, on its fixed terms."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn

from app.demo.child import Pace, SandboxChild
from app.demo.terms import HOST, Files, demo_port, fixed_terms, ignored_settings
from app.listening import listen, say_ready
from app.logs import configure_logs
from app.settings import Settings, load_settings
from models.errors import UnavailableError
from models.store import DatabaseKind

DEFAULT_PAYOUTS: Final = 5_000
DEFAULT_DAYS: Final = 90
DEFAULT_SEED: Final = 1
_SHUTDOWN_S: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def run_demo(payouts: int, pace: Pace) -> None:
    """Make the demo if there is none, and serve it with its town until a signal ends it.

    Raises:
        SettingError: A port is taken.
    """
    settings = load_settings(**fixed_terms())
    configure_logs(settings.log_format)
    if ignored := ignored_settings():
        _say(f"The demo does not heed {', '.join(ignored)}.")
    port = demo_port(settings)
    with listen(settings) as listener:
        _check_free(settings, port)
        files = Files.fixed(settings.data_dir)
        if not files.is_complete:
            await _make_history(files, payouts)
        child = SandboxChild(files.ledger, *((port + 1, port + 2) if port else (0, 0)))
        try:
            await child.start()
            await _serve(files, child, listener, pace)
        finally:
            await child.stop()


async def _make_history(files: Files, payouts: int) -> None:
    from app.demo.history import write_history

    _say(f"First start: making a market with about {payouts:,} payouts of {DEFAULT_DAYS} days…")
    files.remove()
    await write_history(files, payouts=payouts, days=DEFAULT_DAYS, seed=DEFAULT_SEED)


async def _serve(files: Files, child: SandboxChild, listener: socket.socket, pace: Pace) -> None:
    """Serve until a signal comes.

    Raises:
        UnavailableError: The service did not come up.
    """
    # Imported while the sandbox starts in the other process.
    from app.container import build, prepare
    from app.demo.purser import keep_budgets
    from app.server import build_app, server_of, wrapped

    await child.await_ready()
    flash = {"flash_api_url": child.api_url, "flash_ws_url": child.ws_url}
    port = listener.getsockname()[1]
    settings = load_settings(**files.overrides(port=port, flash_token=await child.token(), **flash))
    await asyncio.to_thread(prepare, settings)
    container = build(settings, DatabaseKind.DEMO)
    served = wrapped(build_app(container), container)
    server = DemoServer(server_of(served, container).config)
    base_url = f"http://{HOST}:{port}"
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(_greet(server, base_url)),
            group.create_task(child.keep(base_url, DEFAULT_SEED, pace)),
            group.create_task(keep_budgets(container)),
            group.create_task(_close_the_market(server, child)),
        ]
        await server.serve(sockets=[listener])
        for task in beside:
            task.cancel()
    if not server.started:
        raise UnavailableError("The demo could not start; the lines above say why.")


class DemoServer(uvicorn.Server):
    """Ends on a signal, quietly and soon; what it cuts off is only a visitor's connection."""

    def __init__(self, config: uvicorn.Config) -> None:
        config.timeout_graceful_shutdown = _SHUTDOWN_S
        super().__init__(config)
        self.is_ending = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals without raising them again, so that the process ends as it wants."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.force_exit = self.should_exit
        self.should_exit = True
        self.is_ending.set()


async def _greet(server: DemoServer, base_url: str) -> None:
    await say_ready(server, base_url)
    _say("The market is open, with play money. Ctrl-C closes it; make run opens it again.")


async def _close_the_market(server: DemoServer, child: SandboxChild) -> None:
    await server.is_ending.wait()
    await child.send_town_home()


def _check_free(settings: Settings, port: int) -> None:
    """See that the sandbox will find its ports, before anything is started.

    Raises:
        SettingError: One is taken.
    """
    for more in (1, 2) if port else ():
        listen(settings.model_copy(update={"port": port + more})).close()


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
