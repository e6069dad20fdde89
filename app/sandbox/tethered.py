"""`python -m app.sandbox.tethered`: a sandbox that lives no longer than whoever started it.

Its settings come as one line of JSON on standard input, so that no credential shows among the
processes; when standard input ends, however its other end ended, so does the sandbox.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import structlog

from app.sandbox.server import run

_GRACE_S: Final = 2.0
_PATHS: Final = ("ledger",)
_PAIRS: Final = ("latency_ms",)


def main() -> None:
    """Read the settings and run until standard input ends."""
    given: dict[str, Any] = json.loads(sys.stdin.buffer.readline() or b"{}")
    given |= {name: Path(given[name]) for name in _PATHS if name in given}
    given |= {name: tuple(given[name]) for name in _PAIRS if name in given}
    # Standard output is for the line that says the sandbox is ready.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    threading.Thread(target=_end_with_input, name="tether", daemon=True).start()
    run(**given)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
