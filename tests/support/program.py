"""`flash-payouts` as a process: commands quickly from a warm start, servers as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.patience import PATIENCE_S
from tests.support.warm import Forked, end_with, nursery, take_streams

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "FLASH_PAYOUTS_"
# Nothing of a test asks the real Flash for anything.
NO_FLASH = {
    "FLASH_API_URL": "http://127.0.0.1:1/graphql",
    "FLASH_WS_URL": "ws://127.0.0.1:1/graphql",
}
LOOK_S = 0.02


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


@dataclass
class Program:
    """The command line in a folder of its own, with settings that only a test gives."""

    folder: Path
    settings: dict[str, str]

    def run(self, *words: str, stdin: str = "", **settings: str) -> Ended:
        """Run a command to its end."""
        out, err = self.folder / "stdout", self.folder / "stderr"
        (self.folder / "stdin").write_text(stdin)
        env = self._env(settings)
        child = nursery().Process(target=_command, args=(str(self.folder), words, env), daemon=True)
        child.start()
        child.join(PATIENCE_S)
        assert child.exitcode is not None, f"{words} does not end"
        return Ended(child.exitcode, out.read_text(errors="replace"), err.read_text())

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Server]:
        """Serve on a free port until the block is left."""
        settings = {"PORT": "0"} | settings
        log = self.folder / "serve.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                cwd=self.folder,
                env=self._env(settings),
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
            try:
                yield Server(process, log)
            finally:
                process.terminate()
                process.communicate(timeout=PATIENCE_S)

    @contextmanager
    def warm(self) -> Iterator[str]:
        """Serve from a warm start, where the start itself is not what is tested; the address."""
        settings = {"PORT": "0", "DATA_DIR": str(self.folder / "data")}
        server = Forked("app", "serve", env=self._env(settings))
        try:
            yield server.line().split()[1]
        finally:
            server.terminate()
            server.wait(PATIENCE_S)

    def _env(self, settings: dict[str, str]) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        given = NO_FLASH | self.settings | settings
        ours = {PREFIX + name: text for name, text in given.items()}
        return kept | ours | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}


@dataclass
class Server:
    """A running server and what it logs."""

    process: subprocess.Popen[str]
    log: Path

    def ready(self) -> str:
        """Wait for the line that says it is ready, and return its address."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line[:1] == ["ready"], self.log.read_text()
        return line[1]

    def ends(self) -> int:
        """Wait until it ends by itself; returns its status."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        status = self.process.poll()
        assert status is not None, "it does not end"
        return status


def _command(folder: str, words: tuple[str, ...], env: dict[str, str]) -> None:
    """Become the command: its folder, its words, its environment, its three streams."""
    os.chdir(folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    out, err = (os.open(name, flags, 0o600) for name in ("stdout", "stderr"))
    take_streams(os.open("stdin", os.O_RDONLY), out, err)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["flash-payouts", *words]
    from app.cli import main

    end_with(main)
