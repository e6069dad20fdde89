"""A private PostgreSQL for one test run, made from the server binaries that are installed.

It lives in a temporary folder, listens on one loopback port, and ends with the process that
started it, however that ends: `postgres_keeper.py` sees to it.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg
import pytest
from psycopg import sql

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

DEBIAN_SERVERS = Path("/usr/lib/postgresql")
KEEPER = Path(__file__).with_name("postgres_keeper.py")
START_TRIES = 3  # a port is free when chosen, and may be taken a moment later
UNPRIVILEGED_USERS = ("postgres", "nobody")  # the server refuses to run as root

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# What is thrown away at the end of the run does not have to survive a power cut before it.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def server_binaries() -> Path | None:
    """Return the folder with `initdb` and `postgres`: on PATH, or the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path and (Path(on_path).resolve().parent / "postgres").exists():
        return Path(on_path).resolve().parent
    found = [path.parent for path in DEBIAN_SERVERS.glob("*/bin/initdb")]
    return max(found, key=_version, default=None)


def _version(binaries: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", binaries.parent.name))


def server_user() -> str | None:
    """Return the user the server runs as: this one, or for root an unprivileged one."""
    known = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}
    if os.geteuid() != 0:
        return known.get(os.geteuid())
    return next((user for user in UNPRIVILEGED_USERS if user in known.values()), None)


def postgres_available() -> bool:
    """Tell whether a private server can be started here."""
    return server_binaries() is not None and server_user() is not None


def require_or_skip(name: str = "PostgreSQL", *, available: bool | None = None) -> None:
    """Go on if `name` is here; otherwise fail the test in CI and skip it by name elsewhere.

    Without `available` the question is whether a private PostgreSQL can be started.
    """
    if postgres_available() if available is None else available:
        return
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"{name} is missing, and CI has to have it", pytrace=False)
    pytest.skip(f"{name} is not installed here")


class PrivatePostgres:
    """A cluster for one process; `fsync=True` makes it durable, for what measures that."""

    def __init__(self, *, fsync: bool = False) -> None:
        self._settings = SETTINGS | ({} if fsync else NOT_DURABLE)
        self._folder: Path | None = None
        self._keeper: subprocess.Popen[str] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the cluster's first database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the address of one database."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Make the cluster and wait until it answers."""
        binaries, user = server_binaries(), server_user()
        if binaries is None or user is None:
            raise RuntimeError("no PostgreSQL server binaries, or no user to run them as")
        reason = ""
        for _ in range(START_TRIES):
            self._port = free_port()
            self._folder = _private_folder(user)
            self._keeper = self._start_keeper(binaries, user)
            if self._answers():
                return
            reason = self.stop()
            if "Address already in use" not in reason:
                break
        raise RuntimeError(f"PostgreSQL did not start: {reason}")

    def _start_keeper(self, binaries: Path, user: str) -> subprocess.Popen[str]:
        settings = self._settings | {"port": str(self._port)}
        flags = [f"--{name}={value}" for name, value in settings.items()]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", KEEPER, str(self._folder), user, str(binaries), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C or a kill of the whole group must not end the keeper
        )

    def _answers(self) -> bool:
        assert self._keeper is not None
        deadline = time.monotonic() + PATIENCE_S
        while self._keeper.poll() is None and time.monotonic() < deadline:
            try:
                with psycopg.connect(self.url, connect_timeout=2) as connection:
                    row = connection.execute("SHOW data_directory").fetchone()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return row == (f"{self._folder}/data",)  # and not a stranger on the same port
        return False

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database as a copy of `template`, to which nobody is connected; its address."""
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end the connections it still has."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> str:
        """Stop the server and remove its folder; return what it said if it ended by itself."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return ""
        said, _ = keeper.communicate(timeout=PATIENCE_S)
        return said


def _private_folder(user: str) -> Path:
    """Make a folder that only `user` can enter, in a place that `user` can reach."""
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix="flash-payouts-pg-"))
    folder = Path(tempfile.mkdtemp(prefix="flash-payouts-pg-", dir="/tmp"))
    shutil.chown(folder, user)
    return folder
