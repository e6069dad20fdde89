"""Stores, the people and keys that act for them, and who did what."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DatabaseKind(StrEnum):
    """What a database is for; a demo refuses real money and the reverse."""

    DEMO = "demo"
    REAL = "real"


class Role(StrEnum):
    """What somebody may do in a store."""

    OWNER = "owner"
    MANAGER = "manager"
    APPROVER = "approver"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    DEVELOPER = "developer"


class ActorKind(StrEnum):
    """Who acted."""

    PERSON = "person"
    API_KEY = "api_key"
    SYSTEM = "system"
    PAYEE = "payee"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for something, as the audit and the payout's events remember it."""

    kind: ActorKind
    id: str | None = None
    address: str | None = None
    request_id: str | None = None
    # Of a person: which sign-in, and what the browser or program says that it is.
    session_id: str | None = None
    agent: str | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
PAYEE = Actor(ActorKind.PAYEE)


@dataclass(frozen=True, slots=True)
class Store:
    """A tenant: its money is counted in `currency`, its days follow `time_zone`."""

    id: str
    name: str
    currency: str
    time_zone: str
    created_at: datetime
    is_first: bool


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of one store, without its secret."""

    id: str
    store_id: str
    name: str
    role: Role
    secret_hash: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    # Whoever made it: what it asks for, they cannot approve.
    made_by: str | None = None
    # To what it is narrowed within its role; nothing: to no less than the role.
    scopes: str | None = None
