"""Audits of our own books, with what they found; and the last comparisons with Flash's list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from models.audit_run import Scope
from models.books import Chapter
from models.invariant import Invariant
from models.reconciliation import Span
from models.tables import base  # noqa: F401
from models.tables.columns import UtcDateTime, Word, one_of, whole


class AuditRunRow(SQLModel, table=True):
    """One audit; `chapter` and `after` say where it goes on."""

    __tablename__ = "audit_runs"
    __table_args__ = (
        one_of("scope", Scope),
        one_of("chapter", Chapter),
        *whole("payouts"),
        *whole("found"),
        Index("ix_audit_runs_store", "store_id", "scope", "started_at"),
    )

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id")
    scope: Scope = Field(sa_type=Word(Scope))
    chapter: Chapter = Field(sa_type=Word(Chapter))
    after: str
    payouts: int = Field(sa_type=BigInteger)
    found: int = Field(sa_type=BigInteger)
    started_at: datetime = Field(sa_type=UtcDateTime)
    moved_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)


class AuditFindingRow(SQLModel, table=True):
    """Something that an audit found; the same is kept once, whichever way it was come upon."""

    __tablename__ = "audit_findings"

    store_id: str = Field(foreign_key="stores.id")
    run_id: str = Field(primary_key=True, foreign_key="audit_runs.id")
    invariant: Invariant = Field(primary_key=True, sa_type=Word(Invariant))
    subject: str = Field(primary_key=True)
    detail: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


class ReconciliationRow(SQLModel, table=True):
    """The last comparison of a span with Flash's list and balance."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        one_of("span", Span),
        *whole("matched"),
        *whole("waiting"),
        *whole("differences"),
        *whole("balance_difference_nanousd", least=None),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    span: Span = Field(primary_key=True, sa_type=Word(Span))
    at: datetime = Field(sa_type=UtcDateTime)
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    is_whole: bool
    matched: int = Field(sa_type=BigInteger)
    waiting: int = Field(sa_type=BigInteger)
    differences: int = Field(sa_type=BigInteger)
    balance_difference_nanousd: int | None = Field(sa_type=BigInteger)
    # The first of them as JSON: looking for them anew takes as long as the comparison.
    first_differences: str


class SeenDifferenceRow(SQLModel, table=True):
    """A difference that a person has seen, by what it was exactly, and why it is no matter."""

    __tablename__ = "seen_differences"

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    difference: str = Field(primary_key=True)
    reason: str
    actor_id: str | None
    at: datetime = Field(sa_type=UtcDateTime)
