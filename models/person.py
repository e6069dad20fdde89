"""People: who has which role in a store, and the links that let them in once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.store import Role


class LinkPurpose(StrEnum):
    """What a link that works once is for."""

    SET_UP = "set_up"
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class Link:
    """A link without its token."""

    id: str
    purpose: LinkPurpose
    store_id: str | None
    email: str | None
    role: Role | None
    made_by: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it still works."""
        return self.used_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role in a store."""

    user_id: str
    email: str
    role: Role
    since: datetime
    has_password: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in: the hash of the password, and whether a code is asked for too."""

    id: str
    email: str
    password_hash: str | None = field(repr=False)
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """An authenticator app's secret, sealed, and the newest step a code was taken of."""

    user_id: str
    secret_sealed: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None
    last_step: int


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a sign-in failed, and until when no further try is looked at."""

    fails: int
    last_at: datetime
    blocked_until: datetime
