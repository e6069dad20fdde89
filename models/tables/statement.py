"""What Flash's statement says, what we expect of it, and the books that were closed by it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from models.statement import BookState, DebitState, RowState
from models.tables import base  # noqa: F401
from models.tables.columns import Prefixed, UtcDateTime, Word, one_of, whole

_UNCLAIMED = text("state = 'unclaimed'")
_EXTRA = text("state = 'extra'")
_OPEN = text("state = 'open'")


class StatementRowRow(SQLModel, table=True):
    """One row of a wallet's statement; an attempt claims at most one, and a row once."""

    __tablename__ = "statement_rows"
    __table_args__ = (
        one_of("state", RowState),
        *whole("amount_nanousd", least=None),
        *whole("fee_nanousd"),
        Index("ux_statement_rows_attempt", "attempt_id", unique=True),
        Index("ix_statement_rows_seen", "store_id", "flash_wallet_id", "seen_at"),
        Index("ix_statement_rows_at", "store_id", "at"),
        Index(
            "ix_statement_rows_unclaimed",
            "store_id",
            "at",
            sqlite_where=_UNCLAIMED,
            postgresql_where=_UNCLAIMED,
        ),
        Index(
            "ix_statement_rows_extra",
            "store_id",
            "at",
            sqlite_where=_EXTRA,
            postgresql_where=_EXTRA,
        ),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    flash_wallet_id: str
    id: str = Field(primary_key=True, sa_type=Prefixed)
    state: RowState = Field(sa_type=Word(RowState))
    # Below zero for a debit; nothing where Flash gave no number.
    amount_nanousd: int | None = Field(sa_type=BigInteger)
    fee_nanousd: int | None = Field(sa_type=BigInteger)
    is_completed: bool | None
    attempt_id: str | None = Field(foreign_key="attempts.id")
    at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(sa_type=UtcDateTime)


class DebitRow(SQLModel, table=True):
    """What an attempt that was sent is expected to cost, and what it did cost."""

    __tablename__ = "debits"
    __table_args__ = (
        one_of("state", DebitState),
        *whole("expected_nanousd"),
        *whole("msat_per_cent", least=1),
        *whole("amount_nanousd"),
        *whole("fee_nanousd"),
        Index(
            "ix_debits_open",
            "store_id",
            "logged_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    attempt_id: str = Field(primary_key=True, foreign_key="attempts.id")
    store_id: str = Field(foreign_key="stores.id")
    payout_id: str = Field(foreign_key="payouts.id")
    flash_wallet_id: str
    state: DebitState = Field(sa_type=Word(DebitState))
    expected_nanousd: int = Field(sa_type=BigInteger)
    # The price at the send: what turns a fee in nano-dollars into millisats.
    msat_per_cent: int = Field(sa_type=BigInteger)
    row_id: str | None
    amount_nanousd: int | None = Field(sa_type=BigInteger)
    fee_nanousd: int | None = Field(sa_type=BigInteger)
    logged_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(sa_type=UtcDateTime)


class ClosedBookRow(SQLModel, table=True):
    """One comparison of balance and rows; together they are the balance's history."""

    __tablename__ = "closed_books"
    __table_args__ = (
        one_of("state", BookState),
        *whole("balance_nanousd", least=None),
        *whole("sent_nanousd"),
        *whole("fees_nanousd"),
        *whole("received_nanousd"),
        *whole("difference_nanousd", least=None),
        *whole("rows"),
        *whole("unknown"),
        Index("ix_closed_books_store_at", "store_id", "at"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    flash_wallet_id: str
    state: BookState = Field(sa_type=Word(BookState))
    base_id: str | None
    balance_nanousd: int = Field(sa_type=BigInteger)
    sent_nanousd: int = Field(sa_type=BigInteger)
    fees_nanousd: int = Field(sa_type=BigInteger)
    received_nanousd: int = Field(sa_type=BigInteger)
    difference_nanousd: int = Field(sa_type=BigInteger)
    rows: int = Field(sa_type=BigInteger)
    unknown: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)


class ProposalRow(SQLModel, table=True):
    """That an unknown payout did not leave; a person, or AUTO_RELEASE, decides by it."""

    __tablename__ = "proposals"
    __table_args__ = (Index("ix_proposals_store", "store_id", "agreed_twice_at"),)

    payout_id: str = Field(primary_key=True, foreign_key="payouts.id")
    store_id: str = Field(foreign_key="stores.id")
    attempt_id: str = Field(foreign_key="attempts.id")
    agreed_first_at: datetime = Field(sa_type=UtcDateTime)
    agreed_twice_at: datetime | None = Field(sa_type=UtcDateTime)
    book_id: str
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
