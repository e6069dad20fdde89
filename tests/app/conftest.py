"""A shop that is served over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.api import Api, api_of
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> AsyncIterator[Api]:
    async with api_of(shop) as opened:
        yield opened
