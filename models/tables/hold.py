"""Holds: stops on single payouts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.store import ActorKind
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, Word, one_of


class HoldRow(SQLModel, table=True):
    """A stop on one payout; at most one of a payout is open."""

    __tablename__ = "holds"
    __table_args__ = (
        one_of("placed_by_kind", ActorKind),
        Index(
            "ux_holds_open",
            "payout_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_holds_payout", "payout_id"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    reason: str
    release_at: datetime | None = Field(sa_type=UtcDateTime)
    placed_at: datetime = Field(sa_type=UtcDateTime)
    placed_by_kind: ActorKind = Field(sa_type=Word(ActorKind))
    placed_by: str | None
    released_at: datetime | None = Field(sa_type=UtcDateTime)
    released_by: str | None
