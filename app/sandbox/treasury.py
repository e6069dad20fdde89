"""Money that comes from outside the sandbox's Lightning world, and moves between own wallets."""

from __future__ import annotations

from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Wallet
from app.sandbox.clock import SandboxClock
from app.sandbox.ledger import Ledger
from app.sandbox.price import PriceWalk
from app.sandbox.uuids import new_uuid
from app.sandbox.writer import Statement

_LN_IN: Final = 1
_LN_OUT: Final = 2
_ONCHAIN_IN: Final = 3


class Treasury:
    """Books deposits and transfers, each as an entry and a book in one transaction."""

    def __init__(self, ledger: Ledger, clock: SandboxClock, price: PriceWalk) -> None:
        self._ledger = ledger
        self._clock = clock
        self._price = price

    async def deposit(self, wallet: Wallet, nanousd: int) -> str:
        """Put money into a wallet, as an on-chain receipt would, and return the entry's id."""
        entry_id, statements = self._book(wallet, _ONCHAIN_IN, nanousd)
        await self._ledger.writer.commit(statements)
        wallet.book_nanousd += nanousd
        return entry_id

    async def move(self, source: Wallet, target: Wallet) -> None:
        """Move a wallet's whole book to another of the same account."""
        nanousd = source.book_nanousd
        if nanousd <= 0:
            return
        _, out = self._book(source, _LN_OUT, -nanousd)
        _, back = self._book(target, _LN_IN, nanousd)
        await self._ledger.writer.commit([*out, *back])
        source.book_nanousd -= nanousd
        target.book_nanousd += nanousd

    def _book(self, wallet: Wallet, type_id: int, nanousd: int) -> tuple[str, list[Statement]]:
        entry_id = new_uuid()
        now_ms = self._clock.now_ms()
        self._price.advance(now_ms)
        values = (entry_id, wallet.id, type_id, nanousd, 0, 1, None)
        times = (self._price.nanousd_per_btc, now_ms, now_ms)
        statements: list[Statement] = [
            (sql.ADD_ENTRY, values + times),
            (sql.MOVE_BOOK, (nanousd, wallet.id)),
        ]
        return entry_id, statements
