"""Connections that dawdle, drip or say too much are cut, and the others do not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest

from app.connection import TimedProtocol
from app.request import HEADER_LIMIT
from app.server import build_api, wrapped
from tests.support.clock import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.serving import serving
from tests.support.shop import Shop, closed_shop, settings_for
from tests.support.visitor import EMAIL, PASSWORD

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
DRIP_S = 0.02


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@asynccontextmanager
async def door(
    base_url: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(base_url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def said_until_the_end(reader: asyncio.StreamReader) -> bytes:
    said = b""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while more := await reader.read(65_536):
                said += more
        except ConnectionError:
            pass
    return said


@pytest.fixture
async def hurried(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server that waits for a second."""
    monkeypatch.setattr(TimedProtocol, "header_time_s", 1.0)
    monkeypatch.setattr(TimedProtocol, "message_time_s", 1.0)
    async with serving(wrapped(build_api(shop.container), shop.container), shop.container) as url:
        yield url


async def dripped(base_url: str, first: bytes, drop: bytes) -> bytes:
    """Send something, then drop after drop; returns what was answered until the cut."""
    async with door(base_url) as (reader, writer):
        writer.write(first)

        async def drip() -> None:
            while True:
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(DRIP_S)

        dripping = asyncio.create_task(drip())
        try:
            return await said_until_the_end(reader)
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)


async def test_a_header_that_does_not_end_is_cut_off(hurried: str) -> None:
    began = monotonic()
    seen = await asyncio.gather(
        dripped(hurried, HEAD, b"X-More: 1\r\n"),
        dripped(hurried, b"GE", b""),
        dripped(hurried, b"", b""),
        dripped(hurried, HEAD + b"\r\n", b"\r\n"),
    )

    assert monotonic() - began < PATIENCE_S
    assert seen[0].startswith(b"HTTP/1.1 408 ")
    assert seen[1].startswith(b"HTTP/1.1 408 ")
    assert seen[2] == b""
    # Empty lines after an answer hold a connection no longer than anything else.
    assert seen[3].startswith(b"HTTP/1.1 200 ")


async def test_a_body_that_does_not_end_is_cut_off_even_if_nobody_reads_it(hurried: str) -> None:
    big = b"Transfer-Encoding: chunked\r\n\r\n"
    unread = POST.replace(b"/v1/auth/token", b"/healthz") + big
    seen = await asyncio.gather(
        dripped(hurried, POST + b"Content-Length: 5000\r\n\r\n{", b" "),
        dripped(hurried, POST + big, b"1\r\n \r\n"),
        dripped(hurried, unread, b"1\r\n \r\n"),
    )

    assert seen[0] == seen[1] == b""
    assert seen[2].startswith(b"HTTP/1.1 40")


async def test_a_header_without_end_takes_no_more_memory_than_its_limit(hurried: str) -> None:
    async with door(hurried) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        writer.write(b"x" * (HEADER_LIMIT + 1))
        assert (await said_until_the_end(reader)).startswith(b"HTTP/1.1 431 ")
    async with httpx.AsyncClient(base_url=hurried, timeout=PATIENCE_S) as http:
        whole = await http.get("/healthz", headers={"X-Long": "x" * (HEADER_LIMIT + 1)})
        long = await http.get("/" + "x" * (HEADER_LIMIT + 1))
        assert (whole.status_code, long.status_code) == (431, 414)


async def test_who_asks_one_thing_after_another_is_not_cut(hurried: str) -> None:
    async with door(hurried) as (reader, writer):
        for _ in range(6):
            writer.write(HEAD + b"\r\n")
            assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.2)
        # Several in one breath, cut within the second header.
        writer.write((HEAD + b"\r\n") * 2 + HEAD[:10])
        await reader.readuntil(b"ok\n")
        await reader.readuntil(b"ok\n")
        writer.write(HEAD[10:] + b"\r\n")
        assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "counted"),
    [
        ((), "198.51.100.7", "127.0.0.1"),
        (("127.0.0.1",), "198.51.100.7", "198.51.100.7"),
        (("127.0.0.1",), "10.9.9.9, 198.51.100.7", "198.51.100.7"),
        (("127.0.0.1",), "not an address", None),
        (("10.0.0.1",), "198.51.100.7", "127.0.0.1"),
    ],
)
async def test_only_a_named_proxy_says_where_a_visitor_comes_from(
    sqlite_url: str,
    tmp_path: Path,
    clock: HandClock,
    trusted: tuple[str, ...],
    forwarded: str,
    counted: str | None,
) -> None:
    settings = settings_for(sqlite_url, tmp_path, trusted_proxies=trusted)
    async with closed_shop(settings, clock, password=PASSWORD) as shop:
        app = wrapped(build_api(shop.container), shop.container)
        async with (
            serving(app, shop.container) as url,
            httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http,
        ):
            sent = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
            fields = {"email": EMAIL, "password": PASSWORD}
            assert (await http.post("/login", data=fields, headers=sent)).status_code == 303
        members = await shop.container.doors.people.members(shop.store.id)
        (session,) = await shop.container.doors.sessions.live_of(members[0].user_id)

    assert session.address == counted
