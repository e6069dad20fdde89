"""Sign-ins that last: a browser's session, or the family of a program's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class SessionKind(StrEnum):
    """Who holds it."""

    BROWSER = "browser"
    TOKENS = "tokens"


class SessionEnd(StrEnum):
    """Why it is over before its time."""

    SIGNED_OUT = "signed_out"
    ENDED = "ended"
    PASSWORD = "password"  # noqa: S105  # a word, not a secret
    REMOVED = "removed"
    REUSED = "reused"


# How long one may lie unused, and how long it lasts at most.
IDLE_LIFE = {
    SessionKind.BROWSER: timedelta(hours=8),
    SessionKind.TOKENS: timedelta(days=7),
}
WHOLE_LIFE = {
    SessionKind.BROWSER: timedelta(days=7),
    SessionKind.TOKENS: timedelta(days=30),
}
# For so long after the password was given, dangerous acts do not ask for it again.
FRESH = timedelta(minutes=10)
# How often its last use is written down; each use would be a write for each request.
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session without its token; `store_id` is the store that is acted in."""

    id: str
    kind: SessionKind
    user_id: str
    store_id: str
    rotation: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    fresh_until: datetime
    address: str | None
    agent: str | None
    ended_at: datetime | None
    end_reason: SessionEnd | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it may still be used."""
        return (
            self.ended_at is None
            and now < self.expires_at
            and now < self.seen_at + IDLE_LIFE[self.kind]
        )

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the password was given a short while ago."""
        return now < self.fresh_until

    def may_be_touched(self, now: datetime) -> bool:
        """Tell whether its last use is old enough to be written down anew."""
        return now - self.seen_at >= TOUCH_EVERY
