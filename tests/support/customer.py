"""Somebody who knows nothing of the service but its documents: commands, HTTP, LNURL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.cards import VirtualCard
from tests.support.patience import PATIENCE_S
from tests.support.program import Program, Server
from tests.support.sandbox import FlashAccount, Hand

LOOK_S = 0.05


@dataclass
class Installation:
    """A store and a key, made by commands."""

    program: Program
    store_id: str
    key: str

    @contextmanager
    def serving(self, hand: Hand, account: FlashAccount) -> Iterator[tuple[Server, str]]:
        """Serve it, connected to the sandbox; yields the server and its address."""
        settings = {
            "FLASH_API_URL": hand.sandbox.api_url,
            "FLASH_WS_URL": hand.sandbox.ws_url,
            "FLASH_TOKEN": account.token,
            "FLASH_REQUESTS_PER_MINUTE": "100000",
            "LOG_FORMAT": "json",
        }
        with self.program.serving(**settings) as server:
            yield server, server.ready()


def install(program: Program) -> Installation:
    """Make a store and an owner's key with two commands."""
    made = program.run("init", "--store", "Corner Café", "--owner", "owner@example.com")
    store_id = json.loads(made.out)["store_id"]
    words = ("api-key", "create", "--store", store_id, "--name", "test", "--role", "owner")
    return Installation(program, store_id, program.run(*words).out.strip())


class Customer:
    """Calls the API with a key, and the LNURL routes without one."""

    def __init__(self, http: httpx.AsyncClient, address: str, key: str) -> None:
        self.http = http
        self.address = address
        self._headers = {"Authorization": f"Bearer {key}"}

    async def api(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Call the API and return its JSON."""
        url = f"{self.address}/v1/{path}"
        answer = await self.http.request(method, url, json=body, headers=self._headers, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def is_connected(self) -> None:
        """Wait until the wallet is connected."""
        await self._until(lambda: self.api("GET", "wallet"), lambda wallet: wallet["connected"])

    async def payout_of(self, payment_hash: str, state: str) -> Any:
        """Wait until the payout of an invoice is in a state."""
        page = await self._until(
            lambda: self.api("GET", "payouts", params={"q": payment_hash}),
            lambda page: any(item["state"] == state for item in page["items"]),
        )
        return page["items"][0]

    async def tap(self, card: VirtualCard) -> tuple[dict[str, str], Any]:
        """Hold a card to a till; returns what was sent and what came back."""
        p, c = card.read()
        sent = {"p": p, "c": c}
        return sent, (await self.http.get(f"{self.address}/boltcard", params=sent)).json()

    async def _until(self, ask: Any, is_so: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so(found := await ask()):
            assert time.monotonic() < deadline, found
            await asyncio.sleep(LOOK_S)
        return found
