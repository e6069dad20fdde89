"""A sandbox on free ports for each test, and those who act in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.sandbox.server import Sandbox, open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import TOKEN, Hand, Merchant
from tests.support.patience import PATIENCE_S


@pytest.fixture
def settings(tmp_path: Path) -> SandboxSettings:
    """No limits, payments at once, and a lock that is not waited for long."""
    return SandboxSettings(
        ledger=tmp_path / "ledger.db",
        token=TOKEN,
        pace=False,
        lock_wait_ms=50,
    )


@pytest.fixture
async def sandbox(settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    async with open_sandbox(settings) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # Nothing here speaks TLS; without this each client would load all certificates.
    async with httpx.AsyncClient(timeout=PATIENCE_S, verify=False) as client:
        yield client


@pytest.fixture
def hand(sandbox: Sandbox, http: httpx.AsyncClient) -> Hand:
    return Hand(http, sandbox.control_url)


@pytest.fixture
def merchant(sandbox: Sandbox, http: httpx.AsyncClient) -> Merchant:
    return Merchant(http, sandbox)
