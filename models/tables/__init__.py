"""SQLModel tables: columns and constraints, no rules; their rows never leave storage."""

from sqlmodel import SQLModel

from models.tables import (
    audit_run,
    card,
    connection,
    epoch,
    hold,
    ledger,
    payout,
    person,
    pull_payment,
    quote,
    restoration,
    saved_view,
    statement,
    store,
    success_action,
    wallet,
)

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "audit_run",
    "card",
    "connection",
    "epoch",
    "hold",
    "ledger",
    "payout",
    "person",
    "pull_payment",
    "quote",
    "restoration",
    "saved_view",
    "statement",
    "store",
    "success_action",
    "wallet",
]
