"""The double-entry book and the rollups that screens read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from models.money import MAX_MSAT
from models.payout import PayoutKind
from models.rollup import Grain
from models.states import PayoutStatus
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, Word, one_of, whole


class LedgerRow(SQLModel, table=True):
    """One leg; the legs of a transaction sum to zero per unit, and are never changed."""

    __tablename__ = "ledger"
    __table_args__ = (
        *whole("leg", most=100),
        *whole("amount", least=None),
        # With the amount, so that an account is added up from the index alone.
        Index("ix_ledger_account", "store_id", "account", "unit", "amount"),
        Index("ix_ledger_payout", "payout_id"),
    )

    store_id: str = Field(foreign_key="stores.id")
    transaction_id: str = Field(primary_key=True)
    leg: int = Field(primary_key=True, sa_type=BigInteger)
    account: str
    unit: str
    amount: int = Field(sa_type=BigInteger)
    payout_id: str | None
    at: datetime = Field(sa_type=UtcDateTime)


class RollupRow(SQLModel, table=True):
    """Counts and sums of payouts created in a quarter hour, and again in a UTC day.

    Shards keep writers apart.
    """

    __tablename__ = "rollups"
    __table_args__ = (
        one_of("grain", Grain),
        one_of("status", PayoutStatus),
        one_of("kind", PayoutKind),
        # A shard may go below zero: a payout can enter by one shard and leave by another.
        *whole("count", least=None),
        *whole("amount_sats", least=None),
        *whole("value_cents", least=None),
        *whole("shard", most=1000),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    grain: Grain = Field(primary_key=True, sa_type=Word(Grain))
    bucket: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    status: PayoutStatus = Field(primary_key=True, sa_type=Word(PayoutStatus))
    kind: PayoutKind = Field(primary_key=True, sa_type=Word(PayoutKind))
    shard: int = Field(primary_key=True, sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger)
    amount_sats: int = Field(sa_type=BigInteger)
    value_cents: int = Field(sa_type=BigInteger)


class CardRollupRow(SQLModel, table=True):
    """The same for one card."""

    __tablename__ = "card_rollups"
    __table_args__ = (
        one_of("grain", Grain),
        one_of("status", PayoutStatus),
        *whole("count", least=None),
        *whole("amount_sats", least=None),
        *whole("value_cents", least=None),
        *whole("shard", most=1000),
        Index("ix_card_rollups_store_bucket", "store_id", "grain", "status", "bucket"),
    )

    store_id: str = Field(foreign_key="stores.id")
    card_id: str = Field(primary_key=True, foreign_key="cards.id")
    grain: Grain = Field(primary_key=True, sa_type=Word(Grain))
    bucket: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    status: PayoutStatus = Field(primary_key=True, sa_type=Word(PayoutStatus))
    shard: int = Field(primary_key=True, sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger)
    amount_sats: int = Field(sa_type=BigInteger)
    value_cents: int = Field(sa_type=BigInteger)


class FeeRollupRow(SQLModel, table=True):
    """Known fees of completed payouts, by the quarter hour and UTC day of their creation.

    Apart from the rollups: a fee is often learnt long after a payout was counted, or never.
    """

    __tablename__ = "fee_rollups"
    __table_args__ = (
        one_of("grain", Grain),
        *whole("fee_msat", least=None),
        *whole("known", least=None),
        *whole("shard", most=1000),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    grain: Grain = Field(primary_key=True, sa_type=Word(Grain))
    bucket: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    shard: int = Field(primary_key=True, sa_type=BigInteger)
    fee_msat: int = Field(sa_type=BigInteger)
    known: int = Field(sa_type=BigInteger)


class CardFeeRollupRow(SQLModel, table=True):
    """The same for one card."""

    __tablename__ = "card_fee_rollups"
    __table_args__ = (
        one_of("grain", Grain),
        *whole("fee_msat", least=None),
        *whole("known", least=None),
        *whole("shard", most=1000),
    )

    store_id: str = Field(foreign_key="stores.id")
    card_id: str = Field(primary_key=True, foreign_key="cards.id")
    grain: Grain = Field(primary_key=True, sa_type=Word(Grain))
    bucket: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    shard: int = Field(primary_key=True, sa_type=BigInteger)
    fee_msat: int = Field(sa_type=BigInteger)
    known: int = Field(sa_type=BigInteger)


assert MAX_MSAT < 2**63
