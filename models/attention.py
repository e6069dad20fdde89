"""What waits for a person in a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

STUCK_AFTER = timedelta(minutes=10)
FAILED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Attention:
    """How many payouts wait for whom; the tab's title counts the first three."""

    to_approve: int
    to_review: int
    stuck: int
    failed: int

    @property
    def urgent(self) -> int:
        """Return how many a person should look at now."""
        return self.to_approve + self.to_review + self.stuck
