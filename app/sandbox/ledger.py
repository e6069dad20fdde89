"""The durable ledger of what really left: one SQLite file, written by one thread, read by all.

Everything a restarted sandbox must know is in it. Readers see only what is committed.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from app.sandbox import ledger_sql as sql
from app.sandbox.writer import LedgerWriter

Row = dict[str, Any]


class LedgerInUse(Exception):
    """The ledger file belongs to another sandbox."""


class Ledger:
    """Opens the file, answers questions about it, and hands out its one writer."""

    def __init__(self, reader: sqlite3.Connection, writer: LedgerWriter, lock: IO[str]) -> None:
        self._reader = reader
        self._lock = lock
        self.writer = writer

    @classmethod
    def open(cls, path: Path, writer: Callable[[Path], LedgerWriter] = LedgerWriter) -> Self:
        """Open or create the ledger file; must be called inside the event loop.

        Raises:
            LedgerInUse: Another sandbox has it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("w")
        try:
            # Two sandboxes on one ledger would give out the same numbers twice.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LedgerInUse(f"{path} belongs to a sandbox that is running") from None
        reader = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        reader.execute("PRAGMA journal_mode=WAL")
        reader.executescript(sql.SCHEMA + sql.GUARDS)
        reader.execute("PRAGMA query_only=1")
        reader.row_factory = sqlite3.Row
        return cls(reader, writer(path), lock)

    async def close(self) -> None:
        """Write what is waiting and let go of the file."""
        await self.writer.close()
        self._reader.close()
        self._lock.close()

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Return all rows of a query."""
        return [dict(row) for row in self._reader.execute(query, parameters)]

    def row(self, query: str, *parameters: object) -> Row | None:
        """Return the first row of a query, if there is one."""
        found = self._reader.execute(query, parameters).fetchone()
        return None if found is None else dict(found)

    def meta(self) -> dict[str, str]:
        """Return the named settings that the file keeps."""
        return {row["name"]: row["value"] for row in self.rows(sql.ALL_META)}

    def facts(self, payment_hash: str) -> tuple[bool, bool]:
        """Tell of a hash whether it is a home invoice's, and whether it has been settled."""
        found = self._reader.execute(sql.HASH_FACTS, (payment_hash,)).fetchone()
        return bool(found[0]), bool(found[1])

    def is_settled(self, payment_hash: str) -> bool:
        """Tell whether a payment with this hash has been settled and committed."""
        return self._reader.execute(sql.IS_SETTLED, (payment_hash,)).fetchone() is not None

    def result(self, wallet_id: str, name: str) -> tuple[str, str, int] | None:
        """Return fingerprint, status and time of a stored send."""
        found = self._reader.execute(sql.ONE_RESULT, (wallet_id, name)).fetchone()
        return None if found is None else tuple(found)

    def last_payment_id(self) -> int:
        """Return the number of the newest payment."""
        return int(self._reader.execute(sql.LAST_PAYMENT).fetchone()[0])

    def audit(self) -> dict[str, list[Row]]:
        """Return what does not add up: nothing, if the sandbox and its callers behave."""
        return {"paid_twice": self.rows(sql.PAID_TWICE), "unbalanced": self.rows(sql.UNBALANCED)}
