"""How far a database has come: what a copy of it that is restored later has not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, whole


class EpochRow(SQLModel, table=True):
    """One row: a number that rises before anything goes on the wire."""

    __tablename__ = "epochs"
    __table_args__ = (*whole("number"),)

    id: int = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    moved_at: datetime = Field(sa_type=UtcDateTime)
