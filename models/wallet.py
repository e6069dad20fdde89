"""A wallet that pays: its gate, its stop, its lease and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Why a gate is shut: the database is a copy from before something was sent.
RECOVERY = "recovery"


class Gate(StrEnum):
    """Whether new sends may start; look-ups go on either way."""

    OPEN = "open"
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One wallet of a store; `fence` rises with every change of the worker that spends it."""

    id: str
    store_id: str
    flash_wallet_id: str | None
    currency: str | None
    gate: Gate
    gate_reason: str | None
    gate_changed_at: datetime | None
    stopped_at: datetime | None
    short_since: datetime | None
    balance_nanousd: int | None
    balance_at: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    fence: int
    created_at: datetime
