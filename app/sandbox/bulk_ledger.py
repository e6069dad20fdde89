"""A new ledger file with a past in it, written in one go before any sandbox opens it.

The rows are those of `history.py`; what differs is that nobody waits for them, so there is no
journal, and the indexes are made at the end. A file that was cut off is worth nothing.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Account, Accounts, Wallet
from app.sandbox.history import PastPayment, past_rows
from app.sandbox.settings import SandboxSettings
from app.sandbox.uuids import new_uuid
from app.sandbox.world import DEFAULT_USERNAME
from app.sandbox.writer import Statement

_ONCHAIN_IN: Final = 3
_CACHE_KIB: Final = 128 * 1024
_PRAGMAS: Final = (
    "locking_mode=EXCLUSIVE",
    "journal_mode=OFF",
    "synchronous=OFF",
    "threads=4",
    f"cache_size=-{_CACHE_KIB}",
)


class BulkLedger:
    """Writes the past of the merchant's wallet, payment after payment."""

    def __init__(self, path: Path, since_ms: int) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(sql.SCHEMA + sql.GUARDS)
        self._connection.execute("BEGIN EXCLUSIVE")
        self._indexes = self._drop_indexes()
        self._accounts = Accounts(SandboxSettings(ledger=path).seed)
        self._since_ms = since_ms
        self._last_id = 0
        self.node_key = secrets.token_bytes(32)
        self.wallet: Wallet = self.open_account(DEFAULT_USERNAME).usdt
        self.write([(sql.SET_META, ("node_key", self.node_key.hex()))])

    def open_account(self, username: str) -> Account:
        """Make somebody a Flash user."""
        account, statements = self._accounts.create(username, "USD", self._since_ms)
        self.write(statements)
        return account

    def fill(self, nanousd: int, nanousd_per_btc: int, at_ms: int) -> None:
        """Put money into the wallet, as an on-chain receipt did."""
        entry = (new_uuid(), self.wallet.id, _ONCHAIN_IN, nanousd, 0, 1, None)
        self.write([(sql.ADD_ENTRY, (*entry, nanousd_per_btc, at_ms, at_ms))])
        self.wallet.book_nanousd += nanousd

    def book(self, past: Sequence[PastPayment]) -> None:
        """Write payments in their order and take what they cost from the wallet."""
        statements: list[Statement] = []
        for payment in past:
            self._last_id += 1
            statements += past_rows(self._last_id, self.wallet.id, payment)
            if payment.state == "settled":
                self.wallet.book_nanousd -= payment.debit_nanousd + payment.fee_nanousd
        self.write(statements)

    def write(self, statements: Sequence[Statement]) -> None:
        """Write rows, those of one kind together."""
        alike: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
        for statement, values in statements:
            alike[statement].append(values)
        for statement, rows in alike.items():
            self._connection.executemany(statement, rows)

    def finish(self) -> None:
        """Write the book and the indexes, and have the file on the disk."""
        self.write([(sql.MOVE_BOOK, (self.wallet.book_nanousd, self.wallet.id))])
        for statement in self._indexes:
            self._connection.execute(statement)
        self._connection.execute("COMMIT")
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the file; what was not finished is lost."""
        self._connection.close()

    def _drop_indexes(self) -> list[str]:
        """Drop what was made by CREATE INDEX and return how to make it again."""
        found = self._connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in found:
            self._connection.execute(f'DROP INDEX "{name}"')
        return [statement for _, statement in found]
