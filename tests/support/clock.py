"""Clocks that go where a test wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def utc_now(self) -> datetime:
        """Return the moment it stands at."""
        return self._now

    def advance(self, **parts: float) -> None:
        """Move on by so many days, hours, minutes or seconds."""
        self._now += timedelta(**parts)

    def set(self, now: datetime) -> None:
        """Go to a moment."""
        self._now = now
