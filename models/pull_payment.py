"""A pull payment: a budget that recipients draw from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.money import SATS_CURRENCY


class PullPaymentState(StrEnum):
    """Whether claims are taken at all; dates and budget decide the rest."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class PullPaymentPhase(StrEnum):
    """What people see: whether claims are taken now, and if not, why."""

    OPEN = "open"
    NOT_BEGUN = "not_begun"
    ENDED = "ended"
    EMPTY = "empty"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class PullPayment:
    """A budget in minor units of `currency`; `reserved` and `paid` already left it."""

    id: str
    store_id: str
    name: str
    currency: str
    budget: int
    reserved: int
    paid: int
    min_sats: int
    max_sats: int | None
    starts_at: datetime
    expires_at: datetime | None
    auto_approve: bool
    state: PullPaymentState
    claim_token_hash: str
    claim_token_sealed: bytes = field(repr=False)
    created_at: datetime

    @property
    def remaining(self) -> int:
        """Return what is still free, in minor units of its currency."""
        return self.budget - self.reserved - self.paid

    def is_open(self, now: datetime) -> bool:
        """Tell whether claims are taken at this moment."""
        return (
            self.state is PullPaymentState.ACTIVE
            and self.starts_at <= now
            and (self.expires_at is None or now < self.expires_at)
        )

    def phase(self, now: datetime) -> PullPaymentPhase:
        """Return whether claims are taken at this moment, and if not, why."""
        if self.state is PullPaymentState.ARCHIVED:
            return PullPaymentPhase.ARCHIVED
        if now < self.starts_at:
            return PullPaymentPhase.NOT_BEGUN
        if self.expires_at is not None and self.expires_at <= now:
            return PullPaymentPhase.ENDED
        least = self.min_sats if self.currency == SATS_CURRENCY else 1
        return PullPaymentPhase.EMPTY if self.remaining < least else PullPaymentPhase.OPEN


@dataclass(frozen=True, slots=True)
class PullPaymentView:
    """A pull payment, and how many claims on it wait for a person or for the wallet."""

    pull_payment: PullPayment
    phase: PullPaymentPhase
    waiting: int
