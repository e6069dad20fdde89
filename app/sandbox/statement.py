"""The rows of a wallet's statement, as far back as Flash lists them."""

from __future__ import annotations

from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.clock import SandboxClock
from app.sandbox.ledger import Ledger, Row

PAGE: Final = 100
MAX_EXPORT: Final = 1_000_000


class Statements:
    """Reads committed entries that are visible by now."""

    def __init__(self, ledger: Ledger, clock: SandboxClock) -> None:
        self._ledger = ledger
        self._clock = clock

    def newest(self, wallet_id: str, limit: int = PAGE) -> list[Row]:
        """Return a wallet's newest rows, the newest first."""
        return self._ledger.rows(sql.NEWEST_ENTRIES, wallet_id, self._clock.now_ms(), limit)

    def oldest(self, wallet_id: str, limit: int) -> list[Row]:
        """Return a wallet's oldest rows, the oldest first."""
        return self._ledger.rows(sql.OLDEST_ENTRIES, wallet_id, self._clock.now_ms(), limit)

    def everything(self, wallet_id: str) -> list[Row]:
        """Return all rows of a wallet for an export, the newest first."""
        return self.newest(wallet_id, MAX_EXPORT)

    def one(self, entry_id: str) -> Row | None:
        """Return one row by its id; whose it is does not matter, as on Flash."""
        row = self._ledger.row(sql.ONE_ENTRY, entry_id)
        return row if row is not None and row["visible_ms"] <= self._clock.now_ms() else None
