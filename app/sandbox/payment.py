"""One payment of the sandbox's core, and the script that says how it will end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from app.sandbox.accounts import Wallet
from app.sandbox.idempotency import SendKey
from app.sandbox.invoices import HomeInvoice

Ending = Literal["settle", "fail", "hold"]
State = Literal["inflight", "landing", "settled", "failed"]
PayeeKind = Literal["home", "foreign"]


class CannotPay(Exception):
    """The core refuses a payment before any money is held; its reason is a stable word."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ShortBalance(CannotPay):
    """The wallet does not hold enough."""

    def __init__(self, balance_nanousd: int) -> None:
        self.balance_nanousd = balance_nanousd
        super().__init__("insufficient_balance")


@dataclass(frozen=True, slots=True)
class Script:
    """How a payment ends and how its row looks; stored with it, so that a restart keeps to it."""

    ending: Ending = "settle"
    due_ms: int | None = None
    row_delay_ms: int = 0
    drift_sats: int = 0
    has_fee: bool = True

    def text(self) -> str:
        """Return it as the ledger keeps it."""
        return orjson.dumps(self).decode()

    @classmethod
    def read(cls, text: str) -> Script:
        """Read it back from the ledger."""
        return cls(**orjson.loads(text))


@dataclass(slots=True, eq=False)
class Payment:
    """A payment that reached the core; `wallet` is absent when a stranger pays a home invoice."""

    id: int
    wallet: Wallet | None
    operation: str
    payee_kind: PayeeKind
    invoice: HomeInvoice | None
    payment_hash: str
    amount_msat: int
    debit_nanousd: int
    fee_nanousd: int
    nanousd_per_btc: int
    script: Script
    started_ms: int
    key: SendKey | None = None
    state: State = "inflight"
    landed: asyncio.Future[State] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def cost_nanousd(self) -> int:
        """Return what leaves the wallet: amount and fee."""
        return self.debit_nanousd + self.fee_nanousd

    def row(self) -> tuple[Any, ...]:
        """Return its row of the ledger's `payments`."""
        return (
            self.id,
            None if self.wallet is None else self.wallet.id,
            self.operation,
            self.payee_kind,
            None if self.invoice is None else self.invoice.wallet_id,
            self.payment_hash,
            self.amount_msat,
            self.debit_nanousd,
            self.fee_nanousd,
            self.nanousd_per_btc,
            self.script.text(),
            self.started_ms,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the town and other listeners are told when a payment has ended."""

    payment_id: int
    payment_hash: str
    state: State
    payee_kind: PayeeKind
    wallet_id: str | None
    payee_wallet_id: str | None
    amount_msat: int
    at_ms: int
