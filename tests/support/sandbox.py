"""The sandbox in a process of its own, and the hand on its strings."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx

from models.flash import FlashConnection
from models.instants import from_us
from tests.support.patience import PATIENCE_S
from tests.support.warm import Forked

ROOT = Path(__file__).resolve().parents[2]
# A sat is then a tenth of a cent: amounts are easy to read, and no test depends on the walk.
USD_PER_BTC = 100_000


class SandboxProcess:
    """One sandbox on free ports, until it is stopped or killed."""

    def __init__(self, ledger: Path, *options: str) -> None:
        self.ledger = ledger
        self._options = options
        self._process: Forked | None = None
        self.api_url = ""
        self.ws_url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def control_url(self) -> str:
        """Return where its strings are."""
        return self.api_url.removesuffix("/graphql") + "/_control"

    @property
    def port(self) -> int:
        """Return the port of its HTTP side."""
        return int(self.api_url.rpartition(":")[2].partition("/")[0])

    @property
    def ws_port(self) -> int:
        """Return the port of its sockets."""
        return int(self.ws_url.rpartition(":")[2].partition("/")[0])

    def start(self, *more: str) -> None:
        """Start it and wait for the line that says it is ready."""
        command = ("app.sandbox", "--ledger", str(self.ledger), *self._options, *more)
        self._process = Forked(*command, env=os.environ)
        line = self._process.line().split()
        assert line[:2] == ["sandbox", "ready"], line
        self.api_url, self.ws_url = line[2], line[3]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(lambda process: process.terminate())

    def _end(self, how: Any) -> None:
        process, self._process = self._process, None
        if process is not None:
            how(process)
            process.wait(PATIENCE_S)


@dataclass(frozen=True)
class FlashAccount:
    """A Flash account with money and a session token."""

    username: str
    token: str
    wallet: str


@dataclass(frozen=True)
class Minted:
    """An invoice that somebody made, with the preimage that proves its payment."""

    pr: str
    hash: str
    preimage: str


class Hand:
    """Pulls the sandbox's strings."""

    def __init__(self, http: httpx.AsyncClient, sandbox: SandboxProcess) -> None:
        self._http = http
        self.sandbox = sandbox

    @classmethod
    @asynccontextmanager
    async def on(cls, sandbox: SandboxProcess) -> AsyncIterator[Hand]:
        """Open a connection to the strings of a sandbox."""
        # Nothing here speaks TLS; without this each client would load all certificates.
        async with httpx.AsyncClient(timeout=PATIENCE_S, verify=False) as http:
            yield cls(http, sandbox)

    async def get(self, path: str, **params: Any) -> Any:
        """Ask for something."""
        answer = await self._http.get(f"{self.sandbox.control_url}/{path}", params=params)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        """Have something done."""
        answer = await self._http.post(f"{self.sandbox.control_url}/{path}", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def settle_down(self) -> None:
        """Disarm all faults and put the price where tests expect it."""
        await self._http.delete(f"{self.sandbox.control_url}/faults")
        await self.post("price", usd_per_btc=USD_PER_BTC)

    async def open_account(self, cents: int) -> FlashAccount:
        """Make an account nobody else uses, and put money into it."""
        made = await self.post("accounts", username=f"shop{secrets.token_hex(5)}")
        if cents:
            await self.post("fund", wallet=made["wallet"], cents=cents)
        return FlashAccount(made["username"], made["token"], made["wallet"])

    async def api_key(self, account: FlashAccount, **more: Any) -> str:
        """Make an API key of an account."""
        return str((await self.post("keys", username=account.username, **more))["api_key"])

    def connection(self, account: FlashAccount) -> FlashConnection:
        """Return how a shop with this account reaches Flash."""
        return FlashConnection(self.sandbox.api_url, self.sandbox.ws_url, account.token)

    async def ask_flash(self, account: FlashAccount, query: str, **variables: Any) -> Any:
        """Speak to Flash as the account's owner, past the service that is tested."""
        headers = {"Authorization": f"Bearer {account.token}"}
        body = {"query": query, "variables": variables}
        answer = await self._http.post(self.sandbox.api_url, json=body, headers=headers)
        return answer.json()

    async def now(self) -> datetime:
        """Return the sandbox's time."""
        return from_us((await self.post("clock", advance_s=0))["now_ms"] * 1000)

    async def home_invoice(self, sats: int = 1_000, **more: Any) -> Minted:
        """Have somebody with a Flash wallet make an invoice."""
        body = {"payee": f"guest{secrets.token_hex(5)}", "amount_msat": sats * 1000} | more
        made = await self.post("invoices", **body)
        return Minted(made["pr"], made["hash"], made["preimage"])

    async def foreign_invoice(self, sats: int = 1_000, **more: Any) -> Minted:
        """Have somebody with a wallet elsewhere make an invoice."""
        made = await self.post("foreign-invoices", **{"amount_msat": sats * 1000} | more)
        return Minted(made["pr"], made["hash"], made["preimage"])

    async def fault(self, kind: str, **script: Any) -> Any:
        """Have something go wrong."""
        return await self.post("faults", kind=kind, **script)

    async def has_struck(self) -> None:
        """Wait until every armed fault has struck: what it spoils is on the wire."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.get("faults"))["items"]:
                await asyncio.sleep(0.01)

    async def payments(self, payment_hash: str) -> list[Any]:
        """Return what the ledger knows of one payment hash."""
        return list((await self.get(f"payments/{payment_hash}"))["items"])

    async def times_paid(self, payment_hash: str) -> int:
        """Return how often an invoice was really paid."""
        return sum(row["state"] == "settled" for row in await self.payments(payment_hash))

    async def advance(self, seconds: int) -> None:
        """Move the sandbox's time on, and publish the price so that it is not an old one."""
        await self.post("clock", advance_s=seconds)
        await self.post("price", usd_per_btc=USD_PER_BTC)
