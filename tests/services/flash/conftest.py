"""The wire to Flash by itself, without any service behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.flash.client import FlashClient
from tests.support.sandbox import FlashAccount, Hand


@pytest.fixture
async def client(hand: Hand, account: FlashAccount) -> AsyncIterator[FlashClient]:
    opened = FlashClient(hand.connection(account))
    await opened.open()
    yield opened
    await opened.close()
