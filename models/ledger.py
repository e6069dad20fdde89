"""The double-entry book: where every unit of every payout stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FUNDING = "funding"
RESERVED = "reserved"
IN_TRANSIT = "in_transit"
PAID = "paid"
FEES = "fees"
CLAWBACK = "clawback"


def budget_account(pull_payment_id: str | None) -> str:
    """Return the account a payout draws on: its pull payment's budget, or the store's funds."""
    return FUNDING if pull_payment_id is None else f"budget:{pull_payment_id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a ledger transaction; the legs of a transaction sum to zero per unit."""

    store_id: str
    transaction_id: str
    leg: int
    account: str
    unit: str
    amount: int
    payout_id: str | None
    at: datetime
