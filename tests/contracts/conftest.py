"""A sandbox at the machine's own time: here the service runs in a process with a real clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.sandbox import FlashAccount, Hand, SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    ledger = tmp_path_factory.mktemp("sandbox") / "ledger.db"
    with SandboxProcess(ledger, "--pace-off") as started:
        yield started


@pytest.fixture
async def hand(sandbox: SandboxProcess) -> AsyncIterator[Hand]:
    async with Hand.on(sandbox) as opened:
        await opened.settle_down()
        yield opened


@pytest.fixture
async def account(hand: Hand) -> FlashAccount:
    return await hand.open_account(cents=10_000_000)
