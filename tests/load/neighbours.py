"""How much of the machine somebody else used meanwhile, and what one process cost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_IDLE = slice(3, 5)  # idle and iowait of /proc/stat


def cpu_s(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def exact_cpu_s(pid: int) -> float:
    """Return the same to the nanosecond, of the threads that a process has now."""
    total_ns = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            total_ns += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # it ended meanwhile
            continue
    return total_ns / 1e9


def memory_mib(pid: int) -> float:
    """Return the memory of a process that is in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Foreign:
    """Measures what processes that are not ours used, in percent of one core."""

    def __init__(self) -> None:
        self.percent = 0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._busy, self._ours = _busy_s(), _ours_s()
        return self

    def __exit__(self, *_: object) -> None:
        elapsed = time.monotonic() - self._started
        others = (_busy_s() - self._busy) - (_ours_s() - self._ours)
        self.percent = max(0, round(100 * others / elapsed)) if elapsed else 0


def _busy_s() -> float:
    values = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(values) - sum(values[_IDLE])) / _TICKS_PER_S


def _ours_s() -> float:
    """Sum the time of this process and of everything it started, also what has ended since."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = _stat(int(entry.name))
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        spent[int(entry.name)] = sum(int(word) for word in fields[11:15])
    return sum(spent[pid] for pid in spent if _is_ours(pid, parents)) / _TICKS_PER_S


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = parents.get(pid, 0)
    return False


def _stat(pid: int) -> list[str]:
    """Return the fields of a process's line from its state on; its name may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
