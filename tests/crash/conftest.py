"""Stages to die on, one for each database and kept for all the tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.drill import Drill, drilled
from tests.crash.ground import DATABASES, Ground
from tests.support.postgres import PrivatePostgres, require_or_skip


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=DATABASES)
async def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """A database with a store, made once for each kind."""
    kind: str = request.param
    folder: Path = tmp_path_factory.mktemp("ground") / kind
    with ExitStack() as stack:
        postgres = None
        if kind == "postgresql":
            require_or_skip("PostgreSQL")
            postgres = stack.enter_context(PrivatePostgres(fsync=True))
        yield await Ground.prepare(kind, folder, postgres)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def shared_drill(ground: Ground) -> AsyncIterator[Drill]:
    async with drilled(ground) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="package")
async def drill(shared_drill: Drill) -> AsyncIterator[Drill]:
    """A stage for tests that leave nothing open on it."""
    try:
        yield shared_drill
    finally:
        await shared_drill.clean_up()


@pytest_asyncio.fixture(loop_scope="package")
async def doubtful_drill(ground: Ground) -> AsyncIterator[Drill]:
    """A stage of its own, for a test that leaves a doubt: enough of those shut the gate."""
    async with drilled(ground) as opened:
        yield opened
