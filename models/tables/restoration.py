"""Stores whose database turned out to be an old copy, and how far each has come since."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime


class RestorationRow(SQLModel, table=True):
    """The last restoration of a store; it is over once `ended_at` is set."""

    __tablename__ = "restorations"

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    copied_at: datetime = Field(sa_type=UtcDateTime)
    began_at: datetime = Field(sa_type=UtcDateTime)
    flash_wallet_id: str | None
    read_at: datetime | None = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
