"""After kill -9 of the service, of the sandbox, and of both at once, everybody still agrees.

The short form of `make soak`, which says more about what is done here.
"""

from __future__ import annotations

import pytest

from tests.crash.ground import Ground
from tests.crash.round import Plan, play

STRIKES = ("service", "pause_sandbox", "both", "sandbox")


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="package")
async def test_both_books_agree_and_nobody_was_paid_twice(ground: Ground) -> None:
    plan = Plan(seed=2026, strikes=STRIKES, leaps=1.0, hours=False)

    report = await play(ground, plan)

    print(report.line())
    assert not report.verdict.disagreements, "\n".join([*report.verdict.disagreements, report.logs])
    assert report.kills >= 4
    assert report.verdict.states["completed"] > 0
