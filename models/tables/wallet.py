"""Wallets, and the alerts that wait to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from models.tables import base  # noqa: F401
from models.tables.columns import BigKey, UtcDateTime, Word, one_of, whole
from models.wallet import Gate


class WalletRow(SQLModel, table=True):
    """One wallet that pays; whoever holds the lease at the highest fence spends it."""

    __tablename__ = "wallets"
    __table_args__ = (
        one_of("gate", Gate),
        *whole("fence"),
        *whole("balance_nanousd", least=None),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id", unique=True)
    flash_wallet_id: str | None
    currency: str | None
    gate: Gate = Field(sa_type=Word(Gate))
    gate_reason: str | None
    gate_changed_at: datetime | None = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(sa_type=UtcDateTime)
    short_since: datetime | None = Field(sa_type=UtcDateTime)
    balance_nanousd: int | None = Field(sa_type=BigInteger)
    balance_at: datetime | None = Field(sa_type=UtcDateTime)
    lease_owner: str | None
    lease_until: datetime | None = Field(sa_type=UtcDateTime)
    fence: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)


class BalanceRow(SQLModel, table=True):
    """What a wallet held when Flash was asked; kept where it changed, for a month or so."""

    __tablename__ = "balances"
    __table_args__ = (*whole("balance_nanousd", least=None),)

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    flash_wallet_id: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    balance_nanousd: int = Field(sa_type=BigInteger)


class OutboxRow(SQLModel, table=True):
    """Something to tell, committed with what it tells of; told at least once."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "id",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
        Index("ix_outbox_topic", "store_id", "topic", "id"),
        *whole("tries", most=1000),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    store_id: str = Field(foreign_key="stores.id")
    topic: str
    subject_id: str
    payload: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    tries: int = Field(sa_type=BigInteger)
    told_at: datetime | None = Field(sa_type=UtcDateTime)
