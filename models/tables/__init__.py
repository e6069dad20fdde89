"""SQLModel tables: columns and constraints, no rules; their rows never leave storage."""

from sqlmodel import SQLModel

from models.tables import card, ledger, payout, pull_payment, store, wallet

METADATA = SQLModel.metadata

__all__ = ["METADATA", "card", "ledger", "payout", "pull_payment", "store", "wallet"]
