"""When the statement is read and the books are compared: often while something is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from models.errors import GatewayError, UnavailableError
from models.flash import WalletInfo
from models.instants import Clock
from models.statement import ClosedBook
from services.closed_books import ClosedBooks
from services.database import Database
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace
from services.recovery_review import RecoveryReview
from services.statements import Look, Statements
from services.storage import statement_row as statement_rows

_log = structlog.get_logger(__name__)

POLL_S = 5.0
WHILE_OPEN = timedelta(seconds=30)
AT_REST = timedelta(minutes=10)
BOOKS_WHILE_UNKNOWN = timedelta(minutes=5)
AFTER_FAILURE = timedelta(minutes=1)


class Bookkeeper:
    """Looks after the statement and the books of one wallet."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        client: FlashClient,
        pace: Pace,
        statements: Statements,
        books: ClosedBooks,
        review: RecoveryReview,
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._pace = pace
        self._statements = statements
        self._books = books
        self._review = review
        self.was_whole = False
        self._next_look = clock.utc_now() + WHILE_OPEN
        self._next_books = clock.utc_now() + WHILE_OPEN

    async def run(self, store_id: str, info: Callable[[], WalletInfo | None]) -> None:
        """Look whenever it is due, for as long as the wallet's worker runs."""
        while True:
            await asyncio.sleep(POLL_S)
            now, known = self._clock.utc_now(), info()
            if known is None or now < self._next_look:
                continue
            try:
                await self._look_when_due(store_id, known, now)
            except (GatewayError, UnavailableError) as error:
                _log.info("books.not_read", detail=error.message)
                self._next_look = now + AFTER_FAILURE
            except Exception:  # noqa: BLE001  # what the books say must not stop the sends
                _log.exception("books.failed")
                self._next_look = now + AT_REST

    async def look(self, store_id: str, info: WalletInfo) -> Look:
        """Read the statement now.

        Raises:
            GatewayError: Flash gave no usable answer.
        """
        asked_at = self._clock.utc_now()
        look = await self._statements.look(store_id, info.flash_wallet_id)
        if look.is_whole:
            await self._review.take_list(store_id, info.flash_wallet_id, asked_at)
        return look

    async def compare(self, store_id: str) -> ClosedBook | None:
        """Read balance, statement and balance again, and compare them if nothing moved.

        Raises:
            GatewayError: Flash gave no usable answer.
        """
        before = await self._fetch_wallet()
        look = await self.look(store_id, before)
        self.was_whole = look.is_whole
        after = await self._fetch_wallet()
        if not look.is_whole or before != after or after.balance_nanousd is None:
            return None
        return await self._books.compare(store_id, after.flash_wallet_id, after.balance_nanousd)

    async def _look_when_due(self, store_id: str, info: WalletInfo, now: datetime) -> None:
        if now < self._next_books:
            await self.look(store_id, info)
        else:
            await self.compare(store_id)
        open_debits = await self._database.read(
            statement_rows.expected_debits, store_id, info.flash_wallet_id
        )
        is_wanted = open_debits or await self._review.waits(store_id)
        self._next_look = now + (WHILE_OPEN if is_wanted else AT_REST)
        if now >= self._next_books:
            self._next_books = now + (BOOKS_WHILE_UNKNOWN if open_debits else AT_REST)

    async def _fetch_wallet(self) -> WalletInfo:
        await self._pace.take(Need.LOOK_UP)
        return await self._client.fetch_wallet()
