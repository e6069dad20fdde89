"""A shop to measure: a real server, a sandbox of Flash and a database, all processes of their own.

Everything lives in one temporary folder and on loopback, and ends with the block.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from services.database import sqlite_path
from tests.load.wire import Line, lines_to, written

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "bench-token"
READY_S = 60.0
PREFIX = "FLASH_PAYOUTS_"
PACE_OFF = ("--pace-off", "--latency-ms", "0", "0", "--row-delay-ms", "0")


@dataclass(slots=True)
class Shop:
    """What a till, and whoever measures it, has to know."""

    database: str
    url: str
    folder: Path
    port: int = 0
    pid: int = 0
    sandbox_port: int = 0
    start_s: float = 0.0
    store_id: str = ""
    key: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    async def call(self, line: Line, method: str, path: str, body: Any = None) -> Any:
        """Call the API and return what it says; anything but 200 and 201 is a failure."""
        once = secrets.token_hex(8) if method == "POST" else None
        answer = await line.ask(written(method, path, key=self.key, body=body, once=once))
        assert answer.status in {200, 201}, (answer.status, answer.body[:500])
        return answer.json()


def environment_of(database_url: str, folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a shop's commands; nothing of the developer's own leaks in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "PORT": "0",
        "FLASH_REQUESTS_PER_MINUTE": "1000000",
        **settings,
    }
    named = {PREFIX + name: value for name, value in given.items()}
    return clean | named | {"PYTHONPATH": str(ROOT)}


def command(shop: Shop, *words: str) -> str:
    """Run one of the product's commands and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env=shop.environment,
        cwd=shop.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def read_rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    """Ask the database beneath a shop."""
    if shop.database == "sqlite":
        with closing(sqlite3.connect(sqlite_path(shop.url))) as connection:
            return list(connection.execute(query))
    with psycopg.connect(shop.url) as server:
        return server.execute(query.encode()).fetchall()


def write_rows(shop: Shop, queries: Iterable[str]) -> None:
    """Change the database beneath a shop that nobody serves."""
    if shop.database == "sqlite":
        with closing(sqlite3.connect(sqlite_path(shop.url))) as connection, connection:
            for query in queries:
                connection.execute(query)
        return
    with psycopg.connect(shop.url) as server:
        for query in queries:
            server.execute(query.encode())


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def found_store(shop: Shop) -> None:
    """Migrate, make the store and a key, as an operator would."""
    if shop.database == "postgresql":
        command(shop, "migrate")
    made = json.loads(command(shop, "init", "--store", "Bench", "--owner", "bench@example.com"))
    shop.store_id = made["store_id"]
    shop.key = command(
        shop, "api-key", "create", "--store", shop.store_id, "--name", "bench", "--role", "owner"
    )


@asynccontextmanager
async def opened(
    database: str, url: str, folder: Path, *, pays: bool = True
) -> AsyncIterator[Shop]:
    """Start a sandbox and a server on a database; without `pays` there is no Flash at all."""
    shop = Shop(database, url, folder)
    shop.environment = environment_of(url, folder)
    await asyncio.to_thread(found_store, shop)
    if not pays:
        async with serving(shop):
            yield shop
        return
    words = ("app.sandbox", "--ledger", str(folder / "ledger.db"), "--token", TOKEN, *PACE_OFF)
    async with process(
        (*words, "--opening-cents", "100000000000"), shop.environment, folder, "sandbox"
    ) as (_, ready):
        shop.sandbox_port = port_of(ready[2])
        flash = {"FLASH_API_URL": ready[2], "FLASH_WS_URL": ready[3], "FLASH_TOKEN": TOKEN}
        shop.environment = environment_of(url, folder, **flash)
        async with serving(shop):
            await _until_connected(shop)
            yield shop


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[None]:
    """Run the server of a shop that has a store; how long it took to be ready is kept."""
    started = time.perf_counter()
    async with process(("tests.load.served",), shop.environment, shop.folder, "serve") as (
        server,
        ready,
    ):
        shop.start_s = time.perf_counter() - started
        shop.pid, shop.port = server.pid, port_of(ready[1])
        yield


@asynccontextmanager
async def process(
    module: tuple[str, ...], environment: dict[str, str], folder: Path, name: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """Start a module of ours, wait for its line with `ready`, and end it with the block."""
    with (folder / f"{name}.log").open("ab") as log:
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *module),
            env=environment,
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert started.stdout is not None
        said = await asyncio.wait_for(started.stdout.readline(), READY_S)
        assert b"ready" in said, (folder / f"{name}.log").read_text()[-2000:]
        yield started, said.decode().split()
    finally:
        await _end(started)


async def _end(started: asyncio.subprocess.Process) -> None:
    if started.returncode is None:
        started.terminate()
    try:
        await asyncio.wait_for(started.communicate(), 15)
    except TimeoutError:
        started.kill()
        await started.communicate()


async def _until_connected(shop: Shop) -> None:
    """Wait until the worker holds its lease and knows its wallet."""
    deadline = time.monotonic() + READY_S
    async with lines_to(shop.port, 1) as (line,):
        while time.monotonic() < deadline:
            wallet = await shop.call(line, "GET", "/v1/wallet")
            if wallet.get("connected"):
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the worker did not connect to the sandbox")
