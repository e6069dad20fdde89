"""What was done by whom, and what is asked of the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.store import ActorKind


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; `before` and `after` are JSON texts that never hold secrets."""

    number: int
    at: datetime
    actor_kind: ActorKind
    actor_id: str | None
    action: str
    subject_id: str | None
    before: str | None
    after: str | None
    address: str | None
    request_id: str | None
    session_id: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which acts are wanted; what is left out does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    actor_id: str | None = None
    action: str | None = None
    subject_id: str | None = None
    actor_kind: ActorKind | None = None
    # Occurs in the act, its subject, the address, the session, or what was before and after.
    text: str | None = None
