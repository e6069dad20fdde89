"""Cards, the key sets they were programmed with, taps, and the links that give keys out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.card import CardState, TapState
from models.card_link import LinkAction
from models.tables import base  # noqa: F401
from models.tables.columns import Prefixed, UtcDateTime, Word, one_of, whole

# NT4H2421Gx: the read counter has 24 bits and does not roll over.
MAX_COUNTER = 0xFFFFFF


class CardRow(SQLModel, table=True):
    """A Boltcard; the UID is sealed, `uid_hash` (keyed) finds it, unknown until the first tap."""

    __tablename__ = "cards"
    __table_args__ = (
        one_of("state", CardState),
        UniqueConstraint("store_id", "alias_key"),
        Index("ix_cards_store_created", "store_id", "created_at", "id"),
        Index("ix_cards_store_last_used", "store_id", "last_used_at"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    pull_payment_id: str = Field(foreign_key="pull_payments.id", index=True)
    alias: str
    alias_key: str = Field(sa_type=Prefixed)
    state: CardState = Field(sa_type=Word(CardState))
    uid_hash: str | None = Field(unique=True)
    uid_sealed: bytes | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(sa_type=UtcDateTime)


class KeySetRow(SQLModel, table=True):
    """Keys once given to a card: kept for ever, one of them current."""

    __tablename__ = "key_sets"
    __table_args__ = (
        UniqueConstraint("card_id", "version"),
        Index(
            "ux_key_sets_current",
            "card_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
        *whole("version", most=2**32 - 1),
        *whole("last_counter", most=MAX_COUNTER),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    card_id: str = Field(foreign_key="cards.id")
    version: int = Field(sa_type=BigInteger)
    is_current: bool
    k1_hash: str = Field(index=True)
    keys_sealed: bytes
    last_counter: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    handed_at: datetime | None = Field(sa_type=UtcDateTime)
    wiped_at: datetime | None = Field(sa_type=UtcDateTime)
    first_tap_at: datetime | None = Field(sa_type=UtcDateTime)
    last_tap_at: datetime | None = Field(sa_type=UtcDateTime)


class TapRow(SQLModel, table=True):
    """One accepted read; its k1 is kept as a hash and can be used once."""

    __tablename__ = "taps"
    __table_args__ = (
        one_of("state", TapState),
        UniqueConstraint("key_set_id", "counter"),
        Index("ix_taps_card_at", "card_id", "at"),
        *whole("counter", least=0, most=MAX_COUNTER),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    card_id: str = Field(foreign_key="cards.id")
    key_set_id: str = Field(foreign_key="key_sets.id")
    pull_payment_id: str = Field(foreign_key="pull_payments.id")
    counter: int = Field(sa_type=BigInteger)
    state: TapState = Field(sa_type=Word(TapState))
    k1_hash: str = Field(unique=True)
    payout_id: str | None
    hint: str | None
    at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class CardLinkRow(SQLModel, table=True):
    """A link that gives a card's keys out once; its token is kept as a hash."""

    __tablename__ = "card_links"
    __table_args__ = (
        one_of("action", LinkAction),
        Index("ix_card_links_card", "card_id", "created_at"),
        *whole("tries", most=1000),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    card_id: str = Field(foreign_key="cards.id")
    action: LinkAction = Field(sa_type=Word(LinkAction))
    token_hash: str = Field(unique=True)
    tries: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)
    key_set_id: str | None = Field(foreign_key="key_sets.id")
    uid_hash: str | None
