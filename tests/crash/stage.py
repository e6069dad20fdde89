"""Where a drill plays: a service and a sandbox on the same files and ports, life after life."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.crash.almanac import Almanac
from tests.crash.books import Books
from tests.crash.control import Control
from tests.crash.ground import Ground
from tests.crash.process import Process
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_ports

_TOKEN = "sandbox-session-of-the-drill"
LEASE_S = 16.0  # what a dead worker's lease lasts, and a little more
# Enough that what is unknown never is a tenth of it, which would shut the gate.
_OPENING_CENTS = 1_000_000_000
_CLOCK_SLACK_MS = 20


class Stage:
    """A service, its sandbox, and what they leave behind."""

    def __init__(self, ground: Ground, folder: Path, seed: int, skew_s: float) -> None:
        self.ground = ground
        self.folder = folder
        self.almanac = Almanac()
        # How far the clock of the sandbox is ahead of everybody else's; its own never goes back.
        self.skew_s = skew_s
        self.almanac.leap(max(0.0, -skew_s))
        self.token = _TOKEN
        self.url = ground.copy(folder / "service")
        self.port, self.api_port, self.ws_port = free_ports(3)
        self.flash_port = self.api_port  # a test may put a wire in between
        self.control = Control(self.api_port)
        self.books = Books(self.url)
        self.service = Process("service", folder / "service.log", "app", "serve")
        self.sandbox = Process(
            *("sandbox", folder / "sandbox.log", "app.sandbox"),
            *("--ledger", str(folder / "ledger.db"), "--token", _TOKEN, "--pace-off"),
            *("--port", str(self.api_port), "--ws-port", str(self.ws_port), "--seed", str(seed)),
            *("--opening-cents", str(_OPENING_CENTS)),
        )

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.AsyncClient:
        """Return a caller of the service's API."""
        headers = {"Authorization": f"Bearer {self.ground.api_key}"}
        return httpx.AsyncClient(
            base_url=self.origin, headers=headers, timeout=PATIENCE_S, verify=False
        )

    def env(self, port: int) -> dict[str, str]:
        """Return the settings of a service of this stage."""
        settings: dict[str, Any] = {
            "DATABASE_URL": self.url,
            "DATA_DIR": self.folder / "service",
            "HOST": "127.0.0.1",
            "PORT": port,
            "FLASH_API_URL": f"http://127.0.0.1:{self.flash_port}/graphql",
            "FLASH_WS_URL": f"ws://127.0.0.1:{self.ws_port}/graphql",
            "FLASH_TOKEN": self.token,
            "FLASH_REQUESTS_PER_MINUTE": 600_000,
            "LOG_FORMAT": "json",
        }
        return {f"FLASH_PAYOUTS_{name}": str(value) for name, value in settings.items()}

    async def start_service(self) -> bool:
        return await self.service.start(self.env(self.port), self.almanac.ahead_s)

    async def start_sandbox(self) -> bool:
        """Start the sandbox and set its clock; False if it was killed meanwhile."""
        is_ready = await self.sandbox.start({})
        if is_ready:
            with suppress(httpx.TransportError):
                await self.set_clock()
        return is_ready

    async def start(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.start_sandbox())
            group.create_task(self.start_service())

    async def set_clock(self) -> None:
        """Bring the sandbox's clock to the drill's time, or as far off as it is to be."""
        now_ms = (await self.control.get("state"))["now_ms"]
        behind_ms = int((self.almanac.now().timestamp() + self.skew_s) * 1000) - now_ms
        if behind_ms > _CLOCK_SLACK_MS:
            await self.control.post("clock", advance_ms=behind_ms)

    async def return_later(self, seconds: float) -> None:
        """Kill the service and start it again when that much time has passed for everybody."""
        await self.service.kill()
        self.almanac.leap(seconds)
        await self.set_clock()
        await self.start_service()

    async def kill_both(self) -> None:
        await asyncio.gather(self.service.kill(), self.sandbox.kill())

    async def close(self) -> None:
        for process in (self.service, self.sandbox):
            process.resume()
        await self.kill_both()
        await self.control.__aexit__()
        self.books.close()
        await asyncio.to_thread(self.ground.drop, self.url)


@asynccontextmanager
async def opened(ground: Ground, seed: int, skew_s: float = 0.0) -> AsyncIterator[Stage]:
    """Make a stage in a folder of its own; everything that was started on it ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="flash-payouts-crash-"))
    stage = Stage(ground, folder, seed, skew_s)
    try:
        yield stage
    finally:
        await stage.close()
        shutil.rmtree(folder, ignore_errors=True)
