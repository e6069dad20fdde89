"""`make soak`: kill it again and again, and see whether everybody still agrees.

Each round has a database and a ledger of its own: tills draw money over real HTTP while the
service, the sandbox or both are killed and come back on the same files; then everything is
brought to rest and judged. Exit status 1 if anything disagrees, or if so many rounds were
played that every fault must have been drawn, and one was not.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.crash import bad_days
from tests.crash.ground import DATABASES, Ground
from tests.crash.reaper import VICTIMS
from tests.crash.round import Plan, Report, play
from tests.support.postgres import PrivatePostgres

STORM_S = 20.0
_SEEDS = 1_000_000


def main() -> int:
    """Read the command line and play rounds until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="start rounds for so long")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--seed", type=int, help="of the first round; the next ones count up")
    parser.add_argument("--kill", choices=(*VICTIMS, "all"), default="all")
    parser.add_argument("--storm", type=float, default=STORM_S, help="seconds of killing a round")
    given = parser.parse_args()
    return asyncio.run(_soak(given))


async def _soak(given: argparse.Namespace) -> int:
    kinds = DATABASES if given.database == "both" else (given.database,)
    victims = VICTIMS if given.kill == "all" else (given.kill,)
    seed = secrets.randbelow(_SEEDS) if given.seed is None else given.seed
    reports: list[Report] = []
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flash-payouts-")))
        grounds = [await _ground(stack, kind, folder / kind) for kind in kinds]
        while not reports or time.monotonic() - started < given.seconds:
            ground = grounds[len(reports) % len(grounds)]
            plan = Plan(seed + len(reports), victims=victims, seconds=given.storm)
            report = await play(ground, plan)
            reports.append(report)
            _tell(report)
    return _sum_up(reports, time.monotonic() - started)


async def _ground(stack: ExitStack, kind: str, folder: Path) -> Ground:
    postgres = None
    if kind == "postgresql":
        postgres = stack.enter_context(PrivatePostgres(fsync=True))
    return await Ground.prepare(kind, folder, postgres)


def _tell(report: Report) -> None:
    print(report.line(), flush=True)
    for found in report.verdict.open:
        print(f"    open: {found}")
    for found in report.verdict.disagreements:
        print(f"    DISAGREES: {found}")
    if report.verdict.disagreements:
        print(report.logs)


def _sum_up(reports: list[Report], took_s: float) -> int:
    states: Counter[str] = Counter()
    for report in reports:
        states += report.verdict.states
    drawn: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for report in reports:
        drawn += report.faults
        met += report.met
    print("faults drawn, and met: " + ", ".join(f"{n} {drawn[n]}/{met[n]}" for n in sorted(drawn)))
    missing = bad_days.every_name() - set(drawn) if len(reports) >= bad_days.TURNS else set()
    if missing:
        print(f"never drawn: {', '.join(sorted(missing))}")
    disagreements = sum(len(report.verdict.disagreements) for report in reports)
    print(
        f"{len(reports)} rounds in {took_s:.0f} s: {sum(r.kills for r in reports)} kills, "
        f"{sum(len(r.journal.reads) for r in reports)} taps, {states.total()} payouts "
        f"({', '.join(f'{n} {state}' for state, n in states.most_common())}), "
        f"longest unknown {max(r.longest_unknown_s for r in reports):.1f} s, "
        f"{disagreements} disagreements"
    )
    return 1 if disagreements or missing else 0


if __name__ == "__main__":
    sys.exit(main())
