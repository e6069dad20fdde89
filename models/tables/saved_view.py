"""Filters that people keep under a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from models.saved_view import VIEWS_LIMIT
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, whole


class SavedViewRow(SQLModel, table=True):
    """One filter of one person in one store; the demo's visitor is nobody's row in `users`."""

    __tablename__ = "saved_views"
    __table_args__ = (
        *whole("slot", least=1, most=VIEWS_LIMIT),
        # A person has so many slots, so no race can fill more of them.
        Index("ux_saved_views_slot", "store_id", "owner_id", "slot", unique=True),
        Index("ux_saved_views_name", "store_id", "owner_id", "name_key", unique=True),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    owner_id: str
    slot: int = Field(sa_type=BigInteger)
    name: str
    # The name without case, by which two are told apart.
    name_key: str
    # The values of the address, as a query string.
    query: str
    created_at: datetime = Field(sa_type=UtcDateTime)
