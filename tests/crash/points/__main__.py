"""`python -m tests.crash.points`: every story, ended at every point, on both databases.

Exit status 1 if a payee was not paid once, or was paid what was called unpaid.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import structlog

from tests.crash.ground import DATABASES
from tests.crash.points.lives import Lives
from tests.crash.points.proof import Proof
from tests.crash.points.stories import STORIES, Story
from tests.support.clock import HandClock
from tests.support.databases import PostgresPool, migrate_sqlite_template, sqlite_copy
from tests.support.postgres import PrivatePostgres
from tests.support.sandbox import Hand, SandboxProcess

_MONEY_CENTS = 10_000_000
Lend = Callable[[Path], AbstractContextManager[str]]


def main() -> int:
    """Read the command line and prove what it names."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.points", description=__doc__)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--story", action="append", choices=[story.name for story in STORIES])
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(_prove(given))


async def _prove(given: argparse.Namespace) -> int:
    points, findings = 0, 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flash-payouts-")))
        sandbox = stack.enter_context(SandboxProcess(folder / "ledger.db", "--pace-off"))
        for kind in DATABASES if given.database == "both" else (given.database,):
            lend = _lender(stack, kind, folder)
            for story in STORIES:
                if given.story and story.name not in given.story:
                    continue
                place = folder / f"{kind} {story.name}"
                place.mkdir()
                with lend(place) as url:
                    proof = await _prove_one(url, place, sandbox, story)
                print(f"{kind:10} {proof.line()}", flush=True)
                for found in proof.findings:
                    print(f"    {found}")
                points += len(proof.outcomes) - 1
                findings += len(proof.findings)
    print(f"{points} points, {findings} findings")
    return 1 if findings else 0


def _lender(stack: ExitStack, kind: str, folder: Path) -> Lend:
    """Return what lends migrated databases of a kind, each to one story."""
    if kind == "postgresql":
        pool = PostgresPool(stack.enter_context(PrivatePostgres()))
        return lambda _place: pool.lend()
    return partial(sqlite_copy, migrate_sqlite_template(folder))


async def _prove_one(url: str, place: Path, sandbox: SandboxProcess, story: Story) -> Proof:
    async with Hand.on(sandbox) as hand:
        await hand.settle_down()
        account = await hand.open_account(_MONEY_CENTS)
        proof = Proof(Lives(url, place, hand, account, HandClock(await hand.now())), story)
        await proof.run()
    return proof


if __name__ == "__main__":
    sys.exit(main())
