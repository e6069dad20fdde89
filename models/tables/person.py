"""What people sign in with, and what lasts of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from models.person import LinkPurpose
from models.session import SessionEnd, SessionKind
from models.store import Role
from models.tables.columns import UtcDateTime, Word, one_of, whole


class SessionRow(SQLModel, table=True):
    """A browser's session or a family of tokens; only the SHA-256 of its secret is kept."""

    __tablename__ = "sessions"
    __table_args__ = (
        one_of("kind", SessionKind),
        one_of("end_reason", SessionEnd),
        Index("ix_sessions_user_created", "user_id", "created_at"),
        Index("ix_sessions_expires_at", "expires_at"),
        *whole("rotation"),
    )

    id: str = Field(primary_key=True)
    kind: SessionKind = Field(sa_type=Word(SessionKind))
    user_id: str = Field(foreign_key="users.id")
    # The store that is acted in; a person may have a role in several.
    store_id: str = Field(foreign_key="stores.id", index=True)
    token_hash: str = Field(unique=True)
    # How often the refresh token was replaced; an older one coming back ends the family.
    rotation: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    # Until then the password need not be given again.
    fresh_until: datetime = Field(sa_type=UtcDateTime)
    address: str | None
    agent: str | None
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    end_reason: SessionEnd | None = Field(sa_type=Word(SessionEnd))


class SignInTryRow(SQLModel, table=True):
    """How often a sign-in failed, by a keyed hash of the account: one that exists or not."""

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index("ix_sign_in_tries_last_at", "last_at"), *whole("fails"))

    account: str = Field(primary_key=True)
    fails: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=UtcDateTime)
    blocked_until: datetime = Field(sa_type=UtcDateTime)


class SecondFactorRow(SQLModel, table=True):
    """The secret of a person's authenticator app, sealed."""

    __tablename__ = "second_factors"
    __table_args__ = (*whole("last_step"),)

    user_id: str = Field(primary_key=True, foreign_key="users.id")
    secret_sealed: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    # Asked for from then on: the first code proved that the app has the secret.
    confirmed_at: datetime | None = Field(sa_type=UtcDateTime)
    # The newest time step a code was taken of; that step and older ones are refused.
    last_step: int = Field(sa_type=BigInteger)


class RecoveryCodeRow(SQLModel, table=True):
    """A code for when the authenticator is lost; only its keyed hash is kept, it works once."""

    __tablename__ = "recovery_codes"

    code_hash: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)


class LinkRow(SQLModel, table=True):
    """A link that works once: the first set-up, or an invitation; only its hash is kept."""

    __tablename__ = "links"
    __table_args__ = (
        one_of("purpose", LinkPurpose),
        one_of("role", Role),
        Index("ix_links_store_created", "store_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    purpose: LinkPurpose = Field(sa_type=Word(LinkPurpose))
    token_hash: str = Field(unique=True)
    # A set-up link is older than the first store.
    store_id: str | None = Field(foreign_key="stores.id")
    email: str | None
    role: Role | None = Field(sa_type=Word(Role))
    made_by: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)
