"""The machine for minutes, with seeds of chance: `python -m tests.stateful --seconds 600`.

At the end it tells which steps of a payout's life were taken; a long run fails if one never was.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import get_state_machine_test

from models.states import TRANSITIONS, PayoutState
from tests.stateful.machine import STEPS, TAKEN, Machine
from tests.support.databases import PostgresPool, migrate_sqlite_template, sqlite_copy
from tests.support.postgres import PrivatePostgres

Lend = Callable[[Path], AbstractContextManager[str]]
# In so long a run every step must have been taken; in a short one chance may leave some out.
LONG_S = 600
# What nobody can do yet, or does in one go: the row of the table, and why it is not taken.
NOT_TAKEN = {
    5: "nobody takes an approval back yet",
    18: "Lightning cannot be reversed",
}
_PASSED_OVER = {
    (PayoutState.PENDING, PayoutState.CANCELLED): "nothing rests in pending yet",
    (PayoutState.PENDING, PayoutState.EXPIRED): "nothing rests in pending yet",
    (PayoutState.IN_FLIGHT, PayoutState.APPROVED): "a new attempt begins by a person's retry",
}


def explore(lend: Lend, number: int, examples: int, steps: int) -> None:
    """Run so many examples that follow from one seed."""
    machine = type("Machine", (Machine,), {"lend": staticmethod(lend)})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    test: Any = get_state_machine_test(machine, settings=chosen)  # type: ignore[no-untyped-call]
    seed(number)(test)()


@contextmanager
def lender(dialect: str, folder: Path) -> Iterator[Lend]:
    """Lend migrated databases of one kind."""
    if dialect == "sqlite":
        yield partial(sqlite_copy, migrate_sqlite_template(folder))
        return
    with PrivatePostgres() as server:
        pool = PostgresPool(server)
        yield lambda _folder: pool.lend()


def tell_steps() -> list[str]:
    """Print how often each step was taken; return those that never were and should have been."""
    missing = []
    for step in TRANSITIONS:
        taken = TAKEN[step.source, step.target]
        why = NOT_TAKEN.get(step.number) or _PASSED_OVER.get((step.source, step.target), "")
        line = f"{step.number:3} {step.source:18} {step.target:18} {taken:8} {why}"
        print(line.rstrip())
        if not taken and not why:
            missing.append(line)
    return missing


def main() -> int:
    """Run until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.stateful", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None, help="run the examples of one seed")
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--dialect", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    until, seeds = time.monotonic() + given.seconds, 0
    with (
        tempfile.TemporaryDirectory() as folder,
        lender(given.dialect, Path(folder)) as lend,
    ):
        while True:
            number = secrets.randbits(32) if given.seed is None else given.seed
            print(f"seed {number}", flush=True)
            explore(lend, number, given.examples, given.steps)
            seeds += 1
            if given.seed is not None or time.monotonic() >= until:
                break
    print(f"{seeds} seeds, {STEPS['examples']} examples, {STEPS['steps']} steps")
    missing = tell_steps()
    for line in missing:
        print(f"never taken: {line}")
    return 1 if missing and given.seconds >= LONG_S else 0


if __name__ == "__main__":
    sys.exit(main())
