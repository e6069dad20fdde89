"""Short texts that instances on one PostgreSQL call to each other, past all transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from models.errors import UnavailableError

CHANNEL = "flash_payouts"
# PostgreSQL takes less than 8000 bytes.
TEXT_LIMIT = 7_000
ANSWER_S = 5.0
_LISTEN = f"LISTEN {CHANNEL}".encode()
_NOTIFY = "SELECT pg_notify(%s, told) FROM unnest(%s::text[]) AS told"
_ALIVE = "SELECT 1"


class Line:
    """One connection on which is called or listened, and never written."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def listen(self) -> None:
        """Hear from now on what is called."""
        async with asyncio.timeout(ANSWER_S):
            await self._connection.execute(_LISTEN)

    async def hear(self, patience_s: float) -> list[str]:
        """Return what was called since the last time, waiting for the first.

        After a long silence it makes sure that somebody is there, and returns nothing.
        """
        found = self._connection.notifies(timeout=patience_s, stop_after=1)
        texts = [notice.payload async for notice in found]
        if not texts:
            async with asyncio.timeout(ANSWER_S):
                await self._connection.execute(_ALIVE)
        return texts

    async def call(self, texts: Sequence[str]) -> None:
        """Call to all who listen, this instance too."""
        async with asyncio.timeout(ANSWER_S):
            await self._connection.execute(_NOTIFY, [CHANNEL, list(texts)])


@asynccontextmanager
async def opened_line(url: str) -> AsyncIterator[Line]:
    """Open a connection for notices, and close it at the end.

    Raises:
        UnavailableError: It cannot be opened, or was lost.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            yield Line(connection)
    except (psycopg.Error, OSError, TimeoutError) as error:
        msg = "The line to the other instances was lost."
        raise UnavailableError(msg) from error
