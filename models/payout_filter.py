"""Which payouts somebody asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from models.states import STATUS, PayoutState, PayoutStatus


@dataclass(frozen=True, slots=True)
class PayoutFilter:
    """Lists mean OR, fields mean AND; `starts_at` is inclusive, `ends_at` exclusive."""

    statuses: tuple[PayoutStatus, ...] = ()
    states: tuple[PayoutState, ...] = ()
    card: str | None = None
    pull_payment_id: str | None = None
    min_sats: int | None = None
    max_sats: int | None = None
    q: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def needs_rows(self) -> bool:
        """Tell whether rollups cannot answer for this filter."""
        return bool(
            self.states
            or self.pull_payment_id is not None
            or self.min_sats is not None
            or self.max_sats is not None
            or self.q is not None
        )

    def takes(self, status: PayoutStatus, state: PayoutState) -> bool:
        """Tell whether a payout that fitted still does, now that it is in another state."""
        is_status = not self.statuses or status in self.statuses
        return is_status and (not self.states or state in self.states)

    def between(self, starts_at: datetime | None, ends_at: datetime | None) -> PayoutFilter:
        """Return the same filter for another stretch of time."""
        return replace(self, starts_at=starts_at, ends_at=ends_at)

    def narrowed(self) -> PayoutFilter:
        """Return a filter that finds the same, and names the statuses of its exact states.

        Indexes know the status only. Where states and statuses exclude each other, both stay.
        """
        if not self.states:
            return self
        implied = {STATUS[state] for state in self.states}
        found = tuple(status for status in self.statuses or PayoutStatus if status in implied)
        return replace(self, statuses=found) if found else self
