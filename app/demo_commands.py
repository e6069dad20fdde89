"""What `demo` and `run-demo` do; the command line reads options and prints."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from app.demo.child import Pace
from app.demo.running import run_demo
from app.demo.terms import Files
from app.settings import load_settings

if TYPE_CHECKING:
    from app.demo.history import Written

_CLEAR_LINE = "\r\033[K"


async def write(payouts: int, days: int, seed: int) -> Written:
    """Write a history in bulk, telling on a terminal how far it is."""
    from app.demo.history import write_history

    files = Files.chosen(load_settings())
    shows = sys.stderr.isatty()

    def progress(done: int) -> None:
        if shows:
            sys.stderr.write(f"\r{done:,} of {payouts:,} payouts")
            sys.stderr.flush()

    written = await write_history(files, payouts=payouts, days=days, seed=seed, progress=progress)
    if shows:
        sys.stderr.write(_CLEAR_LINE)
    return written


def leave() -> NoReturn:
    """End the process: all is closed, and taking the interpreter apart would take longer."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def run(payouts: int, mean_gap_ms: int) -> None:
    """Serve the demo until a signal ends it."""
    await run_demo(payouts, Pace(mean_gap_ms=mean_gap_ms))
