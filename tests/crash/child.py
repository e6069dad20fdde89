"""Runs a module as a process of the drill: `python -m tests.crash.child MODULE AHEAD_S [ARG...]`.

It dies with its parent, however that ends. Its wall clock may run ahead, so that hours can pass
while a service is dead; the sandbox has a clock of its own to move.
"""

from __future__ import annotations

import ctypes
import runpy
import signal
import sys
from datetime import UTC, datetime, timedelta

from services.clock import SystemClock

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Prepare the process and become the module."""
    module, ahead_s, *arguments = sys.argv[1:]
    die_with_parent()
    if float(ahead_s):
        run_ahead(timedelta(seconds=float(ahead_s)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def die_with_parent() -> None:
    """Ask Linux for a SIGKILL when the parent ends; elsewhere the parent's clean-up has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run_ahead(by: timedelta) -> None:
    """Move the one clock that the service asks."""

    def utc_now(_self: SystemClock) -> datetime:
        return datetime.now(UTC) + by

    SystemClock.utc_now = utc_now  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
