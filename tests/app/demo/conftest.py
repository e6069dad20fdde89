"""One past for all tests that only look at it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from app.demo.history import Written
from app.demo.terms import Files
from tests.app.demo.past import PAYOUTS, files_in, write


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Written]:
    files = files_in(tmp_path_factory.mktemp("demo"))
    return files, asyncio.run(write(files, payouts=PAYOUTS))


@pytest.fixture
def past(made: tuple[Files, Written]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{made[0].path}?mode=ro", uri=True)) as opened:
        yield opened


@pytest.fixture
def ledger(made: tuple[Files, Written]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{made[0].ledger}?mode=ro", uri=True)) as opened:
        yield opened
