"""The sandbox as a process of its own: how it starts, and what kill -9 leaves behind."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport

from tests.app.sandbox.actors import SEND, SESSION, TOKEN, foreign
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
CALLERS = 8


@asynccontextmanager
async def process(ledger: Path, *options: str) -> AsyncIterator[tuple[Any, str, str]]:
    """Start the sandbox and yield it with both of its addresses; it is killed at the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "app.sandbox", "--ledger", str(ledger), "--token", TOKEN, *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert started.stdout is not None
        line = (await started.stdout.readline()).decode().split()
        assert line[:2] == ["sandbox", "ready"]
        yield started, line[2], line[3]
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_it_says_when_both_ports_answer_and_ends_on_a_signal(tmp_path: Path) -> None:
    async with process(tmp_path / "ledger.db") as (started, api_url, ws_url):
        async with Client(transport=AIOHTTPTransport(url=api_url, headers=SESSION)) as session:
            me = await session.execute(gql("{ me { username } }"))
        started.terminate()
        code = await started.wait()

    assert me == {"me": {"username": "merchant"}}
    assert api_url.startswith("http://127.0.0.1:")
    assert ws_url.startswith("ws://127.0.0.1:")
    assert code == 0


class Tills:
    """Callers that send invoices until the server is gone, and remember what they were told."""

    def __init__(self, api_url: str, wallet: str) -> None:
        self._api_url = api_url
        self._wallet = wallet
        self.sent: set[str] = set()
        self.told: dict[str, str] = {}
        self.enough = asyncio.Event()

    async def run(self, number: int) -> None:
        async with httpx.AsyncClient(headers=SESSION, timeout=PATIENCE_S, verify=False) as http:
            while True:
                invoice = foreign(1_000)
                given = {"walletId": self._wallet, "paymentRequest": invoice.pr}
                self.sent.add(invoice.hash)
                try:
                    body = {"query": SEND, "variables": {"input": given}}
                    answer = (await http.post(self._api_url, json=body)).json()
                except httpx.TransportError:
                    return
                self.told[invoice.hash] = answer["data"]["lnInvoicePaymentSend"]["status"]
                if len(self.told) >= 60 + number:
                    self.enough.set()


async def traffic_until_killed(ledger: Path, *options: str) -> Tills:
    async with process(ledger, *options) as (started, api_url, _):
        async with httpx.AsyncClient(timeout=PATIENCE_S, verify=False) as http:
            control_url = api_url.replace("/graphql", "/_control")
            state = (await http.get(f"{control_url}/state")).json()
        tills = Tills(api_url, state["default_account"]["wallet"])
        async with asyncio.TaskGroup() as tasks:
            for number in range(CALLERS):
                tasks.create_task(tills.run(number))
            await tills.enough.wait()
            started.send_signal(signal.SIGKILL)
    return tills


def rows_of(ledger: Path) -> dict[str, list[str]]:
    states: dict[str, list[str]] = {}
    with closing(sqlite3.connect(ledger)) as judge:
        for payment_hash, state in judge.execute("SELECT payment_hash, state FROM ledger"):
            states.setdefault(payment_hash, []).append(state)
    return states


@pytest.mark.parametrize(
    "options",
    [("--pace-off",), ("--latency-ms", "1", "30", "--row-delay-ms", "0")],
    ids=["at once", "with latency"],
)
async def test_kill_9_amid_traffic_leaves_what_callers_were_told(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    ledger = tmp_path / "ledger.db"
    tills = await traffic_until_killed(ledger, *options)

    states = rows_of(ledger)

    assert all(status == "SUCCESS" for status in tills.told.values())
    assert all(states[payment_hash] == ["settled"] for payment_hash in tills.told)
    assert set(states) <= tills.sent
    assert len(tills.sent - set(tills.told)) <= CALLERS


async def test_after_kill_9_what_was_under_way_is_ended_and_the_books_balance(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.db"
    await traffic_until_killed(ledger, "--latency-ms", "1", "30")

    async with process(ledger) as (_, api_url, _):
        control_url = api_url.replace("/graphql", "/_control")
        async with httpx.AsyncClient(timeout=PATIENCE_S, verify=False) as http:
            await http.post(f"{control_url}/clock", json={"advance_s": 60})
            audit = (await http.get(f"{control_url}/audit")).json()

    assert audit["is_clean"], audit
    assert {state for states in rows_of(ledger).values() for state in states} == {"settled"}


async def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    async with process(tmp_path / "ledger.db") as (_, api_url, _):
        port = httpx.URL(api_url).port
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "app.sandbox", "--ledger", str(tmp_path / "other.db"), "--port", str(port)),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()

    assert second.returncode == 1
    assert said.decode().startswith("the sandbox cannot start: ")
    assert said.count(b"\n") == 1
