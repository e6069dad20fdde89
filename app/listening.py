"""Where the service listens, and the line that says that it does."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from contextlib import suppress
from typing import Any

import httpx

from app.settings import Settings
from models.errors import SettingError

READY_POLL_S = 0.05
_ASK_TIMEOUT_S = 5


def listen(settings: Settings) -> socket.socket:
    """Return a bound socket where the settings say.

    Raises:
        SettingError: The port cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise SettingError(
            "FLASH_PAYOUTS_PORT", f"{where} cannot be used: {os.strerror(error.errno or 0)}"
        ) from None
    return listener


def end_on_signals() -> None:
    """Have a signal end the program as done: the web server hands it back after its own end."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


async def say_ready(server: Any, url: str) -> None:
    """Print the line that says it once `/readyz` does."""
    while not server.started:
        await asyncio.sleep(READY_POLL_S)
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            with suppress(httpx.HTTPError):
                answer = await client.get(f"{url}/readyz", timeout=_ASK_TIMEOUT_S)
                if answer.status_code == httpx.codes.OK:
                    break
            await asyncio.sleep(READY_POLL_S)
    # What the imports made lives as long as the process: without it a full collection takes a
    # tenth of the time, and a tap does not wait a tenth of a second for one.
    gc.collect()
    gc.freeze()
    print(f"ready {url}", flush=True)  # noqa: T201  # the contract with whoever started us
