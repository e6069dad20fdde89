"""The time of a drill: the machine's, plus what was leapt over while the service was dead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Almanac:
    """One time for service, sandbox, tills and judge."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def now_s(self) -> int:
        return int(self.now().timestamp())

    def leap(self, seconds: float) -> None:
        assert seconds >= 0
        self.ahead_s += seconds
