"""`python -m app.sandbox`: a sandbox in the foreground."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import structlog

from app.sandbox.server import run


def main() -> None:
    """Read the command line and run until stopped."""
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description=__doc__)
    parser.add_argument("--ledger", type=Path, required=True, help="the ledger file")
    parser.add_argument("--port", type=int, default=0, help="HTTP and /_control; 0 is any")
    parser.add_argument("--ws-port", type=int, default=0, help="websocket; 0 is any")
    parser.add_argument("--profile", choices=("2026-08", "2025-08"), default="2026-08")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace-off", action="store_true", help="no limits, payments at once")
    parser.add_argument("--token", help="the merchant's session token")
    parser.add_argument("--api-key", help="the merchant's API key")
    parser.add_argument("--opening-cents", type=int, default=1_000_000)
    parser.add_argument("--latency-ms", type=int, nargs=2, default=(20, 60), metavar="MS")
    parser.add_argument("--row-delay-ms", type=int, default=1_000)
    parser.add_argument("--price-period-ms", type=int, default=30_000)
    parser.add_argument("--ping-period-ms", type=int, default=12_000)
    given = vars(parser.parse_args())
    given["pace"] = not given.pop("pace_off")
    given["latency_ms"] = tuple(given["latency_ms"])
    # Standard output is for the line that says the sandbox is ready.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    run(**given)


if __name__ == "__main__":
    main()
