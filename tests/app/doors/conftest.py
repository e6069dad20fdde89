"""A shop whose owner has a password, and visitors to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import HandClock
from tests.support.shop import Shop, closed_shop, settings_for
from tests.support.visitor import PASSWORD, Visitor, visiting


@pytest.fixture
def dialect() -> str:
    """What is asked of the database here is plain; the storage has tests of its own."""
    return "sqlite"


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    settings = settings_for(database_url, tmp_path)
    async with closed_shop(settings, clock, password=PASSWORD) as opened:
        yield opened


@pytest.fixture
async def visitor(shop: Shop) -> AsyncIterator[Visitor]:
    async with visiting(shop) as opened:
        yield opened
