"""A wire between a service and its sandbox that holds a send, so that the moment is certain."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from enum import StrEnum
from typing import Self

from tests.support.patience import PATIENCE_S
from tests.support.streams import ended

_SEND = b"lnInvoicePaymentSend"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class Hold(StrEnum):
    """Where a send is held: on its way there, or its answer on its way back."""

    REQUEST = "request"
    ANSWER = "answer"


class Wire:
    """Forwards HTTP, and holds the next send if asked."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._hold: Hold | None = None
        self._held = asyncio.Event()
        self._let_go = asyncio.Event()
        self._answered = asyncio.Event()
        self._is_cut = False
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def hold_next(self, where: Hold) -> None:
        """Hold the next send; the ones after it pass."""
        self._hold, self._is_cut = where, False
        self._held, self._let_go = asyncio.Event(), asyncio.Event()
        self._answered = asyncio.Event()

    async def held(self) -> None:
        """Wait until a send is held."""
        async with asyncio.timeout(PATIENCE_S):
            await self._held.wait()

    def let_go(self) -> None:
        """Deliver what is held, whether or not its sender still lives."""
        self._let_go.set()

    async def answered(self) -> None:
        """Wait until the sandbox has answered the send that is or was held."""
        async with asyncio.timeout(PATIENCE_S):
            await self._answered.wait()

    def cut(self) -> None:
        """Lose what is held."""
        self._is_cut = True
        self._let_go.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            # A caller or callee that dies is what all this is about.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._forward(reader, writer)
        finally:
            await ended(writer)
            self._calls.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = None, None
        try:
            while request := await _message(reader):
                hold = self._hold if _SEND in request else None
                if hold is not None:
                    self._hold = None
                if hold is Hold.REQUEST and await self._wait():
                    return
                if back is None or there is None:
                    back, there = await asyncio.open_connection("127.0.0.1", self._to)
                there.write(request)
                answer = await _message(back)
                if hold is not None:
                    self._answered.set()
                if not answer:
                    return
                if hold is Hold.ANSWER and await self._wait():
                    return
                writer.write(answer)
        finally:
            if there is not None:
                await ended(there)

    async def _wait(self) -> bool:
        """Wait for the end of the hold, and tell whether what was held is lost."""
        is_over, lost = self._let_go, lambda: self._is_cut
        self._held.set()
        await is_over.wait()
        return lost()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message with its body; nothing comes when the other side has closed."""
    try:
        head = await reader.readuntil(_HEAD_END)
    except asyncio.IncompleteReadError:
        return b""
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return head + body
