"""Who is here: the installation, its stores, their people and keys, and what was done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from models.store import ActorKind, DatabaseKind, Role
from models.tables import base  # noqa: F401  # the naming convention comes first
from models.tables.columns import UtcDateTime, Word, one_of, whole


class InstallationRow(SQLModel, table=True):
    """One row: what this database is for. A demo never meets real money."""

    __tablename__ = "installation"
    __table_args__ = (one_of("kind", DatabaseKind),)

    id: int = Field(primary_key=True)
    kind: DatabaseKind = Field(sa_type=Word(DatabaseKind))
    created_at: datetime = Field(sa_type=UtcDateTime)


class StoreRow(SQLModel, table=True):
    """A tenant; everything else belongs to one."""

    __tablename__ = "stores"
    __table_args__ = (
        *whole("audit_count"),
        Index(
            "ux_stores_first",
            "is_first",
            unique=True,
            sqlite_where=text("is_first"),
            postgresql_where=text("is_first"),
        ),
    )

    id: str = Field(primary_key=True)
    name: str
    currency: str
    time_zone: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    # The store that the operator's environment connects to Flash.
    is_first: bool
    # Numbers the audit rows; raising it also keeps their writers in line.
    audit_count: int = Field(sa_type=BigInteger)
    # Where the keys of this store's own cards come from (deterministic derivation).
    issuer_key_sealed: bytes


class UserRow(SQLModel, table=True):
    """A person who can sign in; what they may do stands in memberships."""

    __tablename__ = "users"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    password_hash: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)


class MembershipRow(SQLModel, table=True):
    """A person's role in a store."""

    __tablename__ = "memberships"
    __table_args__ = (one_of("role", Role),)

    user_id: str = Field(primary_key=True, foreign_key="users.id")
    store_id: str = Field(primary_key=True, foreign_key="stores.id", index=True)
    role: Role = Field(sa_type=Word(Role))
    created_at: datetime = Field(sa_type=UtcDateTime)


class ApiKeyRow(SQLModel, table=True):
    """A key of one store; only the SHA-256 of its secret is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (one_of("role", Role),)

    id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="stores.id", index=True)
    name: str
    role: Role = Field(sa_type=Word(Role))
    secret_hash: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(sa_type=UtcDateTime)
    made_by: str | None
    # Words with blanks between; null: all that the role allows.
    scopes: str | None


class DataKeyRow(SQLModel, table=True):
    """A store's own sealing key, itself sealed by the master key (envelope)."""

    __tablename__ = "data_keys"
    __table_args__ = (*whole("version", least=1, most=1_000_000),)

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    version: int = Field(primary_key=True, sa_type=BigInteger)
    sealed_key: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)


class AuditRow(SQLModel, table=True):
    """What a person, a key or a setting did; numbered per store, chained later."""

    __tablename__ = "audit"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        Index("ix_audit_store_at", "store_id", "at"),
        *whole("number", least=1),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)
    actor_kind: ActorKind = Field(sa_type=Word(ActorKind))
    actor_id: str | None
    action: str
    subject_id: str | None
    before: str | None
    after: str | None
    address: str | None
    request_id: str | None
    hash: str | None
    session_id: str | None
    agent: str | None


class IdempotencyRow(SQLModel, table=True):
    """An answer given to a POST, repeated when the same key and body come again."""

    __tablename__ = "idempotency"
    __table_args__ = (
        Index("ix_idempotency_created_at", "created_at"),
        *whole("status", least=0, most=599),
    )

    store_id: str = Field(primary_key=True, foreign_key="stores.id")
    route: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_hash: str
    status: int = Field(sa_type=BigInteger)
    answer: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
