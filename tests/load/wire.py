"""A client as thin as it can be: one keep-alive connection, one question at a time.

It has to be cheap, because it shares the machine with the server it measures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.load.table import Sample

HOST = "127.0.0.1"
# What the server of a bench has beside the product's routes.
CONSTANT = "/constant"
MARKS = "/marks"
BARE_PAGE = "/bare"
BARE_SCRIPT = "/bare.js"
BARE_SOCKET = "/bare-socket"
BLANK_PAGE = "/blank"
ANSWER_LIMIT_S = 30.0
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


class Line(asyncio.Protocol):
    """One connection to the server, opened anew where that has ended an idle one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        start = head.find(_LENGTH)
        length = 0 if start < 0 else int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0])
        end = head_end + 4 + length
        if len(self._buffer) < end or self._waiting is None:
            return
        body, self._buffer = self._buffer[head_end + 4 : end], self._buffer[end:]
        self._waiting.set_result((int(head[9:12]), body))

    async def open(self) -> None:
        """Connect."""
        self._buffer = b""
        await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._port)

    async def ask(self, request: bytes) -> Answer:
        """Send a request that is already written and wait for its answer."""
        if self._transport is None or self._transport.is_closing():
            await self.open()
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self._transport.write(request)
        status, body = await asyncio.wait_for(self._waiting, ANSWER_LIMIT_S)
        return Answer(status, body, time.perf_counter() - started)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def written(
    method: str, path: str, *, key: str | None = None, body: Any = None, once: str | None = None
) -> bytes:
    """Return a whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Accept: application/json"]
    payload = b"" if body is None else json.dumps(body).encode()
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if once is not None:
        lines.append(f"Idempotency-Key: {once}")
    if payload:
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + payload


@asynccontextmanager
async def lines_to(port: int, count: int) -> AsyncIterator[list[Line]]:
    """Open connections and close them at the end."""
    lines = [Line(port) for _ in range(count)]
    try:
        for line in lines:
            await line.open()
        yield lines
    finally:
        for line in lines:
            line.close()


async def at_once(lines: list[Line], requests: list[bytes]) -> list[Answer]:
    """Ask one thing on each connection, all in the same turn of the loop."""
    return await asyncio.gather(*map(Line.ask, lines, requests))


async def together(tasks: list[Coroutine[Any, Any, None]]) -> float:
    """Run tasks side by side to their end and return how long that took."""
    started = time.perf_counter()
    await asyncio.gather(*tasks)
    return time.perf_counter() - started


async def repeat(port: int, clients: int, count: int, request: Callable[[int], bytes]) -> Sample:
    """Ask `count` times in all, each client as soon as it has its answer; all must be 200."""
    sample, numbers = Sample(), iter(range(count))

    async def client(line: Line) -> None:
        for number in numbers:
            answer = await line.ask(request(number))
            assert answer.status == 200, answer.body[:300]
            sample.seconds.append(answer.seconds)

    async with lines_to(port, clients) as lines:
        sample.elapsed_s = await together([client(line) for line in lines])
    return sample
