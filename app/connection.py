"""How long one connection may take to say what it wants, and how much it may say before that.

The web server has a limit only for the pause between two requests: a connection that sends its
header letter by letter, or nothing at all, would stay for ever, and its parser would keep it all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.request import HEADER_LIMIT

# Counted from the first moment of a connection, or from what follows an answered request.
HEADER_TIME_S = 10.0
# The application answers a slow body itself before; this ends what it does not read.
MESSAGE_TIME_S = 30.0
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large"


class TimedProtocol(HttpToolsProtocol):
    """One connection, which is cut when a request does not come to its end in time."""

    header_time_s = HEADER_TIME_S
    message_time_s = MESSAGE_TIME_S

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._clock: asyncio.TimerHandle | None = None
        self._is_in_header = True
        self._header_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        self._wind(self.header_time_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no more."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is too much of a header."""
        if self._clock is None and (self.cycle is None or self.cycle.response_complete):
            self._begin()
        if self._is_in_header:
            self._header_size += len(data)
        super().data_received(data)
        if self._is_in_header and self._header_size > HEADER_LIMIT:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Count anew for a request that follows another in the same breath."""
        super().on_message_begin()
        if not self._is_in_header:
            self._begin()

    def on_headers_complete(self) -> None:
        """Give the rest of the request its own time."""
        self._is_in_header = False
        self._wind(self.message_time_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop counting: what happens now is up to the application."""
        self._stop()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the socket's own limits."""
        self._stop()
        super().handle_websocket_upgrade()

    def _begin(self) -> None:
        self._is_in_header, self._header_size = True, 0
        self._wind(self.header_time_s)

    def _wind(self, time_s: float) -> None:
        self._stop()
        self._clock = self.loop.call_later(time_s, self._end)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _end(self) -> None:
        self._clock = None
        if self.transport.is_closing():
            return
        if self._is_in_header and self._header_size:
            self._refuse(_TOO_SLOW)
        else:
            # Nothing was said yet, or an answer is on its way that nobody may be reading.
            self.transport.abort()

    def _refuse(self, status: bytes) -> None:
        self._stop()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
