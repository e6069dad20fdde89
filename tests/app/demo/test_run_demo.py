"""`make run` as its users meet it: a process, a folder, a port, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.errors import SettingError
from tests.support import caller
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_ports
from tests.support.sandbox import ROOT

LOOK_S = 0.05
HALF_A_MINUTE_S = 30.0
SOON_S = 15.0  # with a connection open, it would otherwise not end at all
TOKEN = "a-real-token-that-must-not-be-used"


class Demo:
    """One `run-demo` in a folder."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        self.folder = folder
        self.port = port
        self._said = folder / "said.log"
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FLASH_PAYOUTS_")
        }
        own = {"FLASH_PAYOUTS_DATA_DIR": str(folder), "FLASH_PAYOUTS_PORT": str(port)}
        options = ("--payouts", "300", "--mean-gap-ms", "300")
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "run-demo", *options],
                cwd=ROOT,
                env=environment | own | more,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def until(self, what: Any) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert self._process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(LOOK_S)

    def is_ready(self) -> bool:
        return f"ready http://127.0.0.1:{self.port}\n" in self.said

    def end(self, how: signal.Signals) -> tuple[int, float]:
        asked = time.monotonic()
        self._process.send_signal(how)
        code = self._process.wait(PATIENCE_S)
        return code, time.monotonic() - asked

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def cpu_s(self) -> float:
        """Return how long it and its children have computed."""
        stats = [Path(f"/proc/{each}/stat") for each in (self._process.pid, *self._children())]
        times = [stat.read_text().rpartition(")")[2].split()[11:13] for stat in stats]
        return sum(int(ticks) for each in times for ticks in each) / os.sysconf("SC_CLK_TCK")

    def _children(self) -> list[str]:
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return task.read_text().split()

    def kill_sandbox(self) -> bool:
        """End its child as a power cut would; False if there is none."""
        for child in self._children():
            if "app.sandbox.tethered" in Path(f"/proc/{child}/cmdline").read_text():
                os.kill(int(child), signal.SIGKILL)
                return True
        return False

    def completed(self, since_us: int = 0) -> int:
        with closing(sqlite3.connect(self.folder / "demo.db")) as opened:
            ((count,),) = opened.execute(
                "SELECT count(*) FROM payouts WHERE state = 'completed' AND created_at > ?",
                (since_us,),
            ).fetchall()
        return int(count)

    def stores(self) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "demo.db")) as opened:
            return opened.execute("SELECT id, name FROM stores").fetchall()


@contextmanager
def demo(folder: Path, port: int, **more: str) -> Iterator[Demo]:
    running = Demo(folder, port, **more)
    try:
        yield running
    finally:
        running.kill()


def sandbox_answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port + 1}/healthz", timeout=2).is_success
    except httpx.HTTPError:
        return False


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Observed:
    """What was seen of two runs in one folder."""

    first_said: str
    cpu_s: float
    code: int
    ended_s: float
    page: int
    stranger: int
    counts: tuple[int, int, int]
    stores: tuple[list[Any], list[Any]]
    sandbox_fell: bool
    outlived_kill: bool
    secrets_on_disk: bool


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    folder, port = tmp_path_factory.mktemp("run-demo"), free_ports(3)[0]
    url, since_us = f"http://127.0.0.1:{port}", now_us()
    with demo(folder, port, FLASH_PAYOUTS_FLASH_TOKEN=TOKEN, FLASH_PAYOUTS_HOST="0.0.0.0") as first:
        first.until(first.is_ready)
        first.until(lambda: first.completed(since_us) > 0)
        cpu_s = first.cpu_s()
        page = caller.get(f"{url}/readyz").status_code
        stranger = caller.get(f"{url}/readyz", headers={"Host": "demo.example"}).status_code
        with socket.create_connection(("127.0.0.1", port)):
            code, ended_s = first.end(signal.SIGINT)
        stores, count, first_said = first.stores(), first.completed(), first.said
    since_us = now_us()
    with demo(folder, port) as second:
        second.until(second.is_ready)
        again = second.completed()
        second.until(lambda: second.completed(since_us) > 0)
        fell = second.kill_sandbox()
        fallen_us = now_us()
        second.until(lambda: second.completed(fallen_us) > 0)
        stores_again, counts = second.stores(), (count, again, second.completed())
    deadline = time.monotonic() + PATIENCE_S
    while (outlived := sandbox_answers(port)) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    files = [path for path in folder.iterdir() if path.suffix == ".db"]
    leaked = any(TOKEN.encode() in path.read_bytes() for path in files)
    return Observed(
        first_said=first_said,
        cpu_s=cpu_s,
        code=code,
        ended_s=ended_s,
        page=page,
        stranger=stranger,
        counts=counts,
        stores=(stores, stores_again),
        sandbox_fell=fell,
        outlived_kill=outlived,
        secrets_on_disk=leaked,
    )


def test_an_empty_folder_becomes_a_moving_demo_within_half_a_minute(observed: Observed) -> None:
    # Of its own work: how long others keep it waiting is the machine's affair.
    assert observed.cpu_s < HALF_A_MINUTE_S
    assert observed.page == httpx.codes.OK


def test_it_says_that_it_is_ready_and_what_to_do_next(observed: Observed) -> None:
    ready = next(line for line in observed.first_said.splitlines() if line.startswith("ready "))

    assert ready.startswith("ready http://127.0.0.1:")
    assert "Ctrl-C" in observed.first_said


def test_flash_settings_of_the_environment_are_ignored_with_one_line(observed: Observed) -> None:
    told = [line for line in observed.first_said.splitlines() if "does not heed" in line]

    assert len(told) == 1
    assert "FLASH_PAYOUTS_FLASH_TOKEN" in told[0]
    assert "FLASH_PAYOUTS_HOST" in told[0]
    assert TOKEN not in observed.first_said
    assert not observed.secrets_on_disk


def test_it_answers_only_names_that_mean_this_machine(observed: Observed) -> None:
    assert observed.stranger == httpx.codes.MISDIRECTED_REQUEST


def test_ctrl_c_ends_it_soon_and_without_a_traceback(observed: Observed) -> None:
    assert observed.code == 0
    assert observed.ended_s < SOON_S
    assert "Traceback" not in observed.first_said


def test_a_second_start_goes_on_where_the_first_stopped(observed: Observed) -> None:
    stopped, started, later = observed.counts
    before, after = observed.stores

    assert before == after
    assert len(after) == 1
    assert stopped <= started < later


def test_a_sandbox_that_falls_is_started_again_and_the_town_goes_on(observed: Observed) -> None:
    # The fixture has waited for a payout that was completed after the fall.
    assert observed.sandbox_fell


def test_the_sandbox_does_not_outlive_a_demo_that_was_killed(observed: Observed) -> None:
    assert not observed.outlived_kill


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_taken_port_is_one_line_and_exit_2(tmp_path: Path, taken: int) -> None:
    port, *_ = free_ports(3)
    with closing(socket.create_server(("127.0.0.1", port + taken))):
        ended = subprocess.run(
            [sys.executable, "-m", "app", "run-demo"],
            cwd=ROOT,
            env=os.environ
            | {"FLASH_PAYOUTS_DATA_DIR": str(tmp_path), "FLASH_PAYOUTS_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port + taken}" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_without_room_above_it_is_refused() -> None:
    from app.demo.terms import demo_port
    from app.settings import Settings

    with pytest.raises(SettingError, match="PORT"):
        demo_port(Settings(_env_file=None, port=65_534))
