"""Pull payments: budgets with a sealed claim token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from models.money import MAX_MINOR, MAX_SATS
from models.pull_payment import PullPaymentState
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, Word, one_of, whole


class PullPaymentRow(SQLModel, table=True):
    """A budget; `reserved` and `paid` mirror the ledger and may never exceed it."""

    __tablename__ = "pull_payments"
    __table_args__ = (
        one_of("state", PullPaymentState),
        *whole("budget", least=1, most=MAX_MINOR),
        *whole("reserved", most=MAX_MINOR),
        *whole("paid", most=MAX_MINOR),
        *whole("min_sats", least=1, most=MAX_SATS),
        *whole("max_sats", least=1, most=MAX_SATS),
        CheckConstraint("reserved + paid <= budget", name="within_budget"),
        Index("ix_pull_payments_store_created", "store_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    name: str
    currency: str
    budget: int = Field(sa_type=BigInteger)
    reserved: int = Field(sa_type=BigInteger)
    paid: int = Field(sa_type=BigInteger)
    min_sats: int = Field(sa_type=BigInteger)
    max_sats: int | None = Field(sa_type=BigInteger)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(sa_type=UtcDateTime)
    auto_approve: bool
    state: PullPaymentState = Field(sa_type=Word(PullPaymentState))
    claim_token_hash: str = Field(unique=True)
    claim_token_sealed: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
