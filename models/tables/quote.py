"""Quotes of fiat amounts: what a payout was converted at, each time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, whole


class QuoteRow(SQLModel, table=True):
    """One quote of a fiat amount; rows are added, never changed."""

    __tablename__ = "quotes"
    __table_args__ = (
        *whole("number", least=1, most=1000),
        *whole("amount_msat", least=1),
        *whole("rate_numerator", least=1),
        *whole("rate_denominator", least=1),
    )

    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(primary_key=True, foreign_key="payouts.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    amount_msat: int = Field(sa_type=BigInteger)
    rate_numerator: int = Field(sa_type=BigInteger)
    rate_denominator: int = Field(sa_type=BigInteger)
    rate_source: str
    rate_at: datetime = Field(sa_type=UtcDateTime)
    quoted_at: datetime = Field(sa_type=UtcDateTime)
    locked_until: datetime = Field(sa_type=UtcDateTime)
