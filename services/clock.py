"""The one place that asks the machine for the time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in aware UTC."""

    def utc_now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)
