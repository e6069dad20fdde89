"""What recipients of LNURL-pay want shown after a payment, sealed."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.tables import base  # noqa: F401


class SuccessActionRow(SQLModel, table=True):
    """The action that came with an attempt's invoice."""

    __tablename__ = "success_actions"
    __table_args__ = (Index("ix_success_actions_payout", "payout_id"),)

    attempt_id: str = Field(primary_key=True, foreign_key="attempts.id")
    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    action_sealed: bytes
