"""A shop whose owner has a password, and visitors to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import BOTH
from tests.support.clock import HandClock
from tests.support.shop import Shop, closed_shop, settings_for
from tests.support.visitor import PASSWORD, Visitor, visiting

ON_BOTH = ("test_many_guesses", "test_record", "test_a_store_is_never", "test_a_refresh_token")


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """Most of this asks little of the database, and one is enough."""
    return str(getattr(request, "param", "sqlite"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on both databases what leans on them: races, and every kind of statement."""
    names = metafunc.function.__name__, metafunc.module.__name__.rpartition(".")[2]
    if any(name.startswith(ON_BOTH) for name in names) and "dialect" in metafunc.fixturenames:
        metafunc.parametrize("dialect", BOTH, indirect=True)


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    settings = settings_for(database_url, tmp_path)
    async with closed_shop(settings, clock, password=PASSWORD) as opened:
        yield opened


@pytest.fixture
async def visitor(shop: Shop) -> AsyncIterator[Visitor]:
    async with visiting(shop) as opened:
        yield opened
