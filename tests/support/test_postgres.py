"""The private PostgreSQL starts, keeps databases apart, and never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.postgres import PrivatePostgres, postgres_available, require_or_skip

pytestmark = pytest.mark.postgresql

ROOT = Path(__file__).resolve().parents[2]
# A process that starts a server, says where it is, and then does nothing until it is ended.
PARENT = """
import sys, time
from tests.support.patience import PATIENCE_S
from tests.support.postgres import PrivatePostgres
server = PrivatePostgres()
server.start()
print(server.url, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    require_or_skip("PostgreSQL")
    with PrivatePostgres() as started:
        yield started


def ask(url: str, statement: str) -> str:
    with psycopg.connect(url, connect_timeout=int(PATIENCE_S)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def wait_until(claim: Callable[[], bool], *, seconds: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def server_pid(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])


def test_it_answers_at_its_address(server: PrivatePostgres) -> None:
    assert ask(server.url, "SELECT 40 + 2") == "42"


def test_two_databases_are_separate(server: PrivatePostgres) -> None:
    first = server.create_database("first")
    second = server.create_database("second")

    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE payouts (id text)")

    assert ask(first, "SELECT count(*) FROM pg_tables WHERE tablename = 'payouts'") == "1"
    assert ask(second, "SELECT count(*) FROM pg_tables WHERE tablename = 'payouts'") == "0"


def test_a_database_can_be_a_copy_of_another(server: PrivatePostgres) -> None:
    with psycopg.connect(server.create_database("model")) as connection:
        connection.execute("CREATE TABLE payouts AS SELECT 7 AS amount_msat")

    copy = server.create_database("copy", template="model")

    assert ask(copy, "SELECT amount_msat FROM payouts") == "7"


def test_a_dropped_database_is_gone_though_somebody_is_connected(server: PrivatePostgres) -> None:
    url = server.create_database("short_lived")
    with psycopg.connect(url):
        server.drop_database("short_lived")

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_nothing_is_forced_to_the_disk_unless_asked(server: PrivatePostgres) -> None:
    assert ask(server.url, "SHOW fsync") == "off"

    with PrivatePostgres(fsync=True) as durable:
        assert ask(durable.url, "SHOW fsync") == "on"
        assert ask(durable.url, "SHOW synchronous_commit") == "on"


def test_a_stopped_server_leaves_nothing_behind() -> None:
    require_or_skip("PostgreSQL")
    server = PrivatePostgres()
    server.start()
    folder = Path(ask(server.url, "SHOW data_directory"))
    pid = server_pid(folder)

    server.stop()
    server.stop()

    assert not is_running(pid)
    assert not folder.parent.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent_however_that_ends(how: signal.Signals) -> None:
    require_or_skip("PostgreSQL")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        folder = Path(ask(url, "SHOW data_directory"))
        pid = server_pid(folder)

        os.killpg(parent.pid, how)  # the whole group, as a shell or a time limit does

    assert wait_until(lambda: not is_running(pid))
    assert wait_until(lambda: not folder.parent.exists())


def test_a_server_that_cannot_start_says_why() -> None:
    require_or_skip("PostgreSQL")
    server = PrivatePostgres()
    server._settings |= {"max_connections": "0"}

    with pytest.raises(RuntimeError, match="max_connections"):
        server.start()


def test_what_is_missing_is_skipped_by_name_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="Chromium is not installed here"):
        require_or_skip("Chromium", available=False)


def test_what_is_missing_is_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="Chromium is missing"):
        require_or_skip("Chromium", available=False)


def test_what_is_here_is_neither_skipped_nor_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    require_or_skip("Chromium", available=True)
    if postgres_available():
        require_or_skip("PostgreSQL")
