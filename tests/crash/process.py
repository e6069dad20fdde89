"""A process that is started again and again, and killed without warning."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.support.patience import PATIENCE_S
from tests.support.warm import Forked

LOG_TAIL = 3000  # characters


class Broken(Exception):
    """A process ended by itself, or never became ready."""


class Process:
    """One module in a process of its own, with a log that all its lives share."""

    def __init__(self, name: str, log: Path, module: str, *arguments: str) -> None:
        self.name = name
        self.kills = 0
        self._log = log
        self._module = module
        self._arguments = arguments
        self._running: Forked | None = None
        self._is_killed = False

    @property
    def is_alive(self) -> bool:
        return self._running is not None and self._running.returncode is None

    async def start(self, env: dict[str, str], ahead_s: float = 0.0) -> bool:
        """Start it and wait until it says that it is ready; False if it was killed before."""
        assert not self.is_alive, f"{self.name} runs already"
        self._is_killed = False
        started = self._running = Forked(
            *("tests.crash.child", self._module, str(ahead_s), *self._arguments),
            env=os.environ | env,
            log=self._log,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await asyncio.to_thread(started.line)
        except TimeoutError:
            raise Broken(f"{self.name} is not ready in time\n{self.tail()}") from None
        if "ready" not in line and not self._is_killed:
            code = await asyncio.to_thread(started.wait)
            raise Broken(f"{self.name} ended at its start with {code}: {line}\n{self.tail()}")
        return "ready" in line

    async def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone, its ports free again."""
        if self._running is None:
            return
        self._is_killed = True
        if self.is_alive:
            self.kills += 1
            self._running.kill()
        await asyncio.to_thread(self._running.wait)

    async def is_gone(self) -> bool:
        """Tell whether it is to be started again; what was just killed may not quite be gone."""
        if self._running is not None and self._is_killed:
            await asyncio.to_thread(self._running.wait)
        return not self.is_alive

    def pause(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def check(self) -> None:
        """Raise if it ended though nobody killed it."""
        if self._running is not None and not self.is_alive and not self._is_killed:
            raise Broken(f"{self.name} ended by itself\n{self.tail()}")

    def tail(self) -> str:
        return self._log.read_text(errors="replace")[-LOG_TAIL:] if self._log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._running is not None and self.is_alive:
            self._running.send_signal(number)
