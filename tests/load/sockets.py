"""A websocket client that only collects: when bytes came, and later what they said.

A hundred of them share one process, so nothing is unpacked while the clock runs.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
import zlib
from collections import deque
from collections.abc import Iterator

from tests.load.wire import HOST

OPEN_S = 15.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_TAIL = b"\x00\x00\xff\xff"


class Socket(asyncio.Protocol):
    """One open websocket, with per-message compression if the server likes it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._chunks: deque[tuple[int, bytes]] = deque()
        self._at_ns = 0
        self._rest = b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._parts: list[bytes] = []
        self._is_packed = False
        self.received_bytes = 0

    @classmethod
    async def open(cls, port: int, path: str, cookie: str = "") -> Socket:
        """Shake hands as a browser does."""
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(cls, HOST, port)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {HOST}:{port}",
            f"Origin: http://{HOST}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        ]
        lines += [f"Cookie: {cookie}"] if cookie else []
        assert socket._transport is not None
        socket._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await asyncio.wait_for(socket._head, OPEN_S)
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._head.done():
            self._head.set_exception(exc or ConnectionResetError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        if self._head.done():
            self.received_bytes += len(data)
            self._chunks.append((time.time_ns(), data))
            return
        self._rest += data
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self._head.set_exception(ConnectionRefusedError(head.decode(errors="replace")))
            return
        self._rest = b""
        self._head.set_result(None)
        if rest:
            self.data_received(rest)

    def texts(self) -> Iterator[tuple[int, str]]:
        """Return what came since the last call, each with the moment its last byte was here."""
        while True:
            while (text := self._next_frame()) is not None:
                if text:
                    yield self._at_ns, text
            if not self._chunks:
                return
            self._at_ns, data = self._chunks.popleft()
            self._rest += data

    def send(self, text: str) -> None:
        """Send a text."""
        self._write(_TEXT, text.encode())

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _next_frame(self) -> str | None:
        """Take one frame; an empty text stands for one that says nothing by itself."""
        rest = self._rest
        if len(rest) < 2:
            return None
        code, length, start = rest[0] & 15, rest[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(rest[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(rest[2:10]), 10
        if len(rest) < start + length:
            return None
        payload, self._rest = rest[start : start + length], rest[start + length :]
        if code == _PING:
            self._write(_PONG, payload)
        if code in {_PING, _PONG, _CLOSE}:
            return ""
        if code:
            self._is_packed = bool(rest[0] & 64)
        self._parts.append(payload)
        return self._whole() if rest[0] & 128 else ""

    def _whole(self) -> str:
        body, self._parts = b"".join(self._parts), []
        return (self._inflate.decompress(body + _TAIL) if self._is_packed else body).decode()

    def _write(self, code: int, payload: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return  # the page was closed from the other side
        mask = secrets.token_bytes(4)
        size = len(payload)
        head = bytes([128 | code, 128 | size]) if size < 126 else bytes([128 | code, 254])
        head += b"" if size < 126 else size.to_bytes(2)
        masked = bytes(byte ^ mask[place & 3] for place, byte in enumerate(payload))
        self._transport.write(head + mask + masked)
