"""Whatever happens, in whatever order, nobody is paid twice and no book contradicts another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Machine
from tests.support.databases import PostgresPool, sqlite_copy

# How many, and of how many steps; `make model` runs it for as long as it is told.
EXAMPLES = {"sqlite": (20, 25), "postgresql": (2, 15)}


@pytest.fixture
def lend(dialect: str, request: pytest.FixtureRequest) -> Any:
    if dialect == "sqlite":
        return partial(sqlite_copy, request.getfixturevalue("sqlite_template"))
    pool: PostgresPool = request.getfixturevalue("postgres_pool")

    def lend(_folder: Path) -> Any:
        return pool.lend()

    return lend


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_happens_nobody_is_paid_twice(dialect: str, lend: Any) -> None:
    examples, steps = EXAMPLES[dialect]
    machine = type("Machine", (Machine,), {"lend": staticmethod(lend)})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
