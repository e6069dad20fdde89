"""Flash users of the sandbox: each has a USD and a USDT wallet whose book is in nano-dollars."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal

from app.sandbox import ledger_sql as sql
from app.sandbox.ledger import Ledger
from app.sandbox.writer import Statement

Currency = Literal["USD", "USDT"]

MAX_ACCOUNTS: Final = 100_000
_USERNAME: Final = re.compile(r"[a-z0-9_]{3,50}")
_NAMESPACE: Final = uuid.UUID("6d1d2f2e-5a0b-4b57-9f5c-1f0a5a7d0c11")


@dataclass(slots=True, eq=False)
class Wallet:
    """A wallet's settled book, and what payments under way hold of it."""

    id: str
    currency: Currency
    account_id: str
    book_nanousd: int = 0
    held_nanousd: int = 0

    @property
    def balance_nanousd(self) -> int:
        """Return what can be spent; a little below zero is possible."""
        return self.book_nanousd - self.held_nanousd


@dataclass(slots=True, eq=False)
class Account:
    """One Flash user; the user and the account share their id here."""

    id: str
    username: str
    display_currency: str
    usd: Wallet
    usdt: Wallet
    created_ms: int
    wallets: dict[str, Wallet] = field(init=False)

    def __post_init__(self) -> None:
        self.wallets = {self.usd.id: self.usd, self.usdt.id: self.usdt}


class Accounts:
    """All accounts, found by id, by name or by one of their wallets."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._by_id: dict[str, Account] = {}
        self._by_username: dict[str, Account] = {}
        self._by_wallet: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def first(self, limit: int) -> list[Account]:
        """Return the oldest accounts."""
        return list(islice(self._by_id.values(), limit))

    def load(self, ledger: Ledger) -> None:
        """Read accounts and books from the ledger."""
        for row in ledger.rows(sql.ALL_ACCOUNTS):
            self._keep(
                Account(
                    id=row["id"],
                    username=row["username"],
                    display_currency=row["display_currency"],
                    usd=Wallet(row["usd_wallet_id"], "USD", row["id"]),
                    usdt=Wallet(row["usdt_wallet_id"], "USDT", row["id"]),
                    created_ms=row["created_ms"],
                )
            )
        for row in ledger.rows(sql.ALL_BOOKS):
            self.wallet(row["wallet_id"]).book_nanousd = row["book_nanousd"]

    def create(
        self, username: str, display_currency: str, now_ms: int
    ) -> tuple[Account, list[Statement]]:
        """Add an account; the ids follow from seed and name, so that a fresh start repeats them.

        Raises:
            ValueError: The name is taken or none, or there are too many accounts.
        """
        if _USERNAME.fullmatch(username) is None:
            raise ValueError("a name is 3 to 50 small letters, digits and underscores")
        if username in self._by_username:
            raise ValueError(f"the name {username} is taken")
        if len(self._by_id) >= MAX_ACCOUNTS:
            raise ValueError("the sandbox has too many accounts")
        account_id = self._id("account", username)
        account = Account(
            id=account_id,
            username=username,
            display_currency=display_currency,
            usd=Wallet(self._id("USD", username), "USD", account_id),
            usdt=Wallet(self._id("USDT", username), "USDT", account_id),
            created_ms=now_ms,
        )
        self._keep(account)
        row = (
            account.id,
            username,
            display_currency,
            account.usd.id,
            account.usdt.id,
            now_ms,
        )
        books: list[Statement] = [(sql.ADD_BOOK, (wallet_id,)) for wallet_id in account.wallets]
        return account, [(sql.ADD_ACCOUNT, row), *books]

    def get(self, account_id: str) -> Account | None:
        """Return an account by its id."""
        return self._by_id.get(account_id)

    def named(self, username: str) -> Account | None:
        """Return the account of a user name."""
        return self._by_username.get(username)

    def owner(self, wallet_id: str) -> Account | None:
        """Return the account a wallet belongs to."""
        return self._by_wallet.get(wallet_id)

    def wallet(self, wallet_id: str) -> Wallet:
        """Return a wallet by its id.

        Raises:
            KeyError: There is no such wallet.
        """
        return self._by_wallet[wallet_id].wallets[wallet_id]

    def _keep(self, account: Account) -> None:
        self._by_id[account.id] = account
        self._by_username[account.username] = account
        for wallet_id in account.wallets:
            self._by_wallet[wallet_id] = account

    def _id(self, kind: str, username: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._seed}:{kind}:{username}"))
