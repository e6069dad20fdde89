"""Ports for servers that are told theirs before they start, or keep it from life to life.

Nobody holds such a port until its server does. So they lie below those that the system gives to
outgoing connections, each worker of a test run has a range of its own, and takes them in turn.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
from secrets import randbelow

FIRST, RANGE, WORKERS = 16_000, 2_000, 8
_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or WORKERS - 1)
_turns = itertools.count(randbelow(RANGE))  # another run on this machine begins elsewhere


def free_ports(count: int) -> list[int]:
    """Return ports that nobody has, one right after another."""
    while True:
        turns = [next(_turns) % RANGE for _ in range(count)]
        ports = [FIRST + _worker % WORKERS * RANGE + turn for turn in turns]
        if turns[-1] - turns[0] == count - 1 and all(map(_is_free, ports)):
            return ports


def free_port() -> int:
    """Return a port that nobody has."""
    (port,) = free_ports(1)
    return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
