"""The sandbox as a child of the demo: started, woken, started again if it falls, and ended."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import structlog

from models.errors import UnavailableError

_START_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 1.0
_ASK_TIMEOUT_S: Final = 5.0
_TOWN_GOES_HOME_S: Final = 0.5
_RESTART_S: Final = (0.2, 1.0, 3.0, 10.0)
# How long a payment takes here, so that Processing can be seen.
_LATENCY_MS: Final = (250, 1_400)
ALLOWANCE_CENTS: Final = 5_000_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How lively the town is."""

    mean_gap_ms: int = 3_500
    day_s: int = 720


class SandboxChild:
    """One sandbox in a process that ends with this one, however this one ends."""

    def __init__(self, ledger: Path, port: int, ws_port: int) -> None:
        self._ledger = ledger
        self._ports = (port, ws_port)
        self._process: asyncio.subprocess.Process | None = None
        self.api_url = ""
        self.ws_url = ""

    async def start(self) -> None:
        """Start the process; `await_ready` waits for it.

        Raises:
            UnavailableError: It ended at once.
        """
        port, ws_port = self._ports
        settings = {"ledger": str(self._ledger), "port": port, "ws_port": ws_port}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.sandbox.tethered"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal is for the demo alone, which ends the sandbox last.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        line = json.dumps({**settings, "pace": False, "opening_cents": 0})
        self._process.stdin.write(line.encode() + b"\n")
        try:
            await self._process.stdin.drain()
        except OSError:
            raise UnavailableError("The sandbox did not start.") from None

    async def await_ready(self) -> None:
        """Wait until both ports answer.

        Raises:
            UnavailableError: The sandbox did not start.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                words = (await self._process.stdout.readline()).decode().split()
        except TimeoutError:
            words = []
        if words[:2] != ["sandbox", "ready"]:
            await self.stop()
            raise UnavailableError("The sandbox did not start.")
        self.api_url, self.ws_url = words[2], words[3]
        # A sandbox that is started again must be found where it was.
        self._ports = (_port_of(self.api_url), _port_of(self.ws_url))
        await self._ask("POST", "latency", low_ms=_LATENCY_MS[0], high_ms=_LATENCY_MS[1])

    async def token(self) -> str:
        """Return a session token of the merchant, a new one if none is alive."""
        known = (await self._ask("GET", "state"))["default_account"]["token"]
        return str(known or (await self._ask("POST", "tokens"))["token"])

    async def wake_town(self, base_url: str, seed: int, pace: Pace) -> None:
        """Let the town live off a service; it waits until the service is there."""
        await self._ask(
            "POST",
            "town",
            base_url=base_url,
            seed=seed,
            mean_gap_ms=pace.mean_gap_ms,
            day_s=pace.day_s,
            allowance_cents=ALLOWANCE_CENTS,
        )

    async def send_town_home(self) -> None:
        """Let nobody come any more; that it may fail does not matter at the end."""
        with suppress(httpx.HTTPError, UnavailableError, TimeoutError):
            async with asyncio.timeout(_TOWN_GOES_HOME_S):
                await self._ask("DELETE", "town")

    async def keep(self, base_url: str, seed: int, pace: Pace) -> None:
        """Wake the town, and start the sandbox again whenever it has ended by itself."""
        falls = 0
        while True:
            try:
                await self.wake_town(base_url, seed, pace)
                assert self._process is not None
                code = await self._process.wait()
                _log.warning("demo.sandbox_ended", code=code)
            except (UnavailableError, httpx.HTTPError) as error:
                _log.warning("demo.sandbox_trouble", error=type(error).__name__)
            await asyncio.sleep(_RESTART_S[min(falls, len(_RESTART_S) - 1)])
            falls += 1
            with suppress(UnavailableError):
                await self.stop()
                await self.start()
                await self.await_ready()

    async def stop(self) -> None:
        """End the process, by force if it takes long."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        url = self.api_url.removesuffix("/graphql") + f"/_control/{path}"
        async with httpx.AsyncClient(timeout=_ASK_TIMEOUT_S, trust_env=False) as client:
            answer = await client.request(method, url, json=body or None)
        if answer.status_code != httpx.codes.OK:
            raise UnavailableError(f"The sandbox says: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found


def _port_of(url: str) -> int:
    port = httpx.URL(url).port
    assert port is not None
    return port
