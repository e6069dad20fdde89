"""The parent of a private PostgreSQL: run as `postgres_keeper.py FOLDER USER BINARIES [FLAG...]`.

It makes the cluster, starts the server, and waits. When its standard input is closed, its own
parent is gone (a kill -9 too) or it gets SIGTERM, it stops the server and removes the folder.
If the server ends by itself it prints the server's log. Uses the standard library alone.
"""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

POLL_S = 0.2
LOG_TAIL = 4000  # characters
INITDB = (
    *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"),
    *("--no-sync", "--no-instructions"),
)
# Fast, then immediate, then at once: how long each way to stop is given.
STOPS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 5.0))


def main(folder: Path, user: str, binaries: Path, flags: list[str]) -> int:
    """Keep one server until nobody wants it any more."""
    wanted = still_wanted()
    log = folder / "server.log"
    try:
        with log.open("ab") as out:
            made = start(user, out, binaries / "initdb", *INITDB, "-D", folder / "data").wait()
            if made == 0:
                server = start(user, out, binaries / "postgres", "-D", folder / "data", *flags)
                if keep(server, wanted):
                    return 0
        sys.stdout.write(log.read_text(errors="replace")[-LOG_TAIL:])
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def still_wanted() -> Callable[[], bool]:
    """Return a question that waits a moment and tells whether the server is still needed."""
    parent = os.getppid()
    asked_to_end = False

    def end(*_: object) -> None:
        nonlocal asked_to_end
        asked_to_end = True

    signal.signal(signal.SIGTERM, end)

    def wanted() -> bool:
        closed, _, _ = select.select([sys.stdin], [], [], POLL_S)
        return not (closed or asked_to_end or os.getppid() != parent)

    return wanted


def start(user: str, out: BinaryIO, *command: str | Path) -> subprocess.Popen[bytes]:
    """Start one of the server's programs, as `user` when this process may choose."""
    entry = pwd.getpwnam(user)
    is_root = os.geteuid() == 0
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        cwd="/",
        user=entry.pw_uid if is_root else None,
        group=entry.pw_gid if is_root else None,
        extra_groups=[] if is_root else None,
    )


def keep(server: subprocess.Popen[bytes], wanted: Callable[[], bool]) -> bool:
    """Wait for either end; return True if the server ran until it was not wanted."""
    while wanted():
        if server.poll() is not None:
            return False
    for signal_number, patience_s in STOPS:
        server.send_signal(signal_number)
        try:
            server.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
        break
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
