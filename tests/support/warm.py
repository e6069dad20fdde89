"""Processes forked off one that has loaded the program, so that no start costs seconds of imports.

Otherwise they are like any other: with settings, a folder, streams and an end of their own, and
killed as easily. What is tested about a start itself is started cold.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LOADED = [
    *("app.cli", "app.commands", "app.server", "app.export_command", "app.sandbox.server"),
    "tests.support.warm",
]


def nursery() -> ForkServerContext:
    """Return where processes are forked; it loads the program once, when the first is wanted."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


class Forked:
    """A module run as `python -m` would; what it says comes through a pipe."""

    def __init__(self, *command: str, env: Mapping[str, str], log: Path | None = None) -> None:
        says, said = nursery().Pipe(duplex=False)
        child = nursery().Process(
            target=_become, args=(said, command, dict(env), str(log or os.devnull)), daemon=True
        )
        child.start()
        said.close()
        self._says, self._child = says, child

    @property
    def returncode(self) -> int | None:
        """How it ended: its status, the negative number of a signal, or nothing yet."""
        return self._child.exitcode

    def line(self) -> str:
        """Read what it says up to the end of the line, or to its own end."""
        said = b""
        while not said.endswith(b"\n") and (more := os.read(self._says.fileno(), 1)):
            said += more
        return said.decode()

    def rest(self) -> str:
        """Read all it says until it ends."""
        said = b""
        while more := os.read(self._says.fileno(), 65_536):
            said += more
        return said.decode()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._child.pid is not None and self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._child.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it is gone."""
        self._child.join(timeout)
        status = self.returncode
        assert status is not None, "it does not end"
        return status


def _become(said: Any, command: tuple[str, ...], env: dict[str, str], log: str) -> None:
    """Be a process that was started in the tree's folder with a command."""
    os.chdir(ROOT)
    take_streams(os.open(os.devnull, os.O_RDONLY), said.fileno(), appended(log))
    os.environ.clear()
    os.environ.update(env)
    module, *arguments = command
    sys.argv = [module, *arguments]
    end_with(lambda: runpy.run_module(module, run_name="__main__", alter_sys=True))


def appended(path: str) -> int:
    """Open a file that is written to at its end."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def take_streams(*descriptors: int) -> None:
    """Make these the process's three streams."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))


def _stream(number: int) -> Any:
    # Line by line, as a standard error always is.
    return os.fdopen(number, "r" if number == 0 else "w", 1, encoding="utf-8", closefd=False)


def end_with(main: Callable[[], object]) -> None:
    """Run to the end and leave with the status it asks for, as an interpreter does."""
    status: Any = 1
    try:
        main()
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc()
    else:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)
