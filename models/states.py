"""A payout's life as data: states, the allowed transitions, and what each does to the money.

Nobody decides here; the guards stand with whoever calls (reference: the law in the README).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PayoutState(StrEnum):
    """Where a payout is, exactly."""

    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    PROCESSING = "processing"
    IN_FLIGHT = "in_flight"
    NEEDS_REVIEW = "needs_review"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"


class PayoutStatus(StrEnum):
    """The five words people see."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Place(StrEnum):
    """The ledger account that holds a payout's money while it is in a state."""

    BUDGET = "budget"
    RESERVED = "reserved"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    CLAWBACK = "clawback"


_S = PayoutState

STATUS: dict[PayoutState, PayoutStatus] = {
    _S.PENDING: PayoutStatus.PENDING,
    _S.AWAITING_APPROVAL: PayoutStatus.PENDING,
    _S.APPROVED: PayoutStatus.PENDING,
    _S.PROCESSING: PayoutStatus.PROCESSING,
    _S.IN_FLIGHT: PayoutStatus.PROCESSING,
    _S.NEEDS_REVIEW: PayoutStatus.PROCESSING,
    _S.COMPLETED: PayoutStatus.COMPLETED,
    _S.REVERSED: PayoutStatus.COMPLETED,
    _S.FAILED: PayoutStatus.FAILED,
    _S.REJECTED: PayoutStatus.CANCELLED,
    _S.CANCELLED: PayoutStatus.CANCELLED,
    _S.EXPIRED: PayoutStatus.CANCELLED,
}

PLACE: dict[PayoutState, Place] = {
    _S.PENDING: Place.RESERVED,
    _S.AWAITING_APPROVAL: Place.RESERVED,
    _S.APPROVED: Place.RESERVED,
    _S.PROCESSING: Place.IN_TRANSIT,
    _S.IN_FLIGHT: Place.IN_TRANSIT,
    _S.NEEDS_REVIEW: Place.IN_TRANSIT,
    _S.COMPLETED: Place.PAID,
    _S.REVERSED: Place.CLAWBACK,
    _S.FAILED: Place.BUDGET,
    _S.REJECTED: Place.BUDGET,
    _S.CANCELLED: Place.BUDGET,
    _S.EXPIRED: Place.BUDGET,
}

FINAL = frozenset(
    {_S.COMPLETED, _S.FAILED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED, _S.REVERSED},
)
RELEASED = frozenset({_S.FAILED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED})
# States in which a request may be on the wire, or may have been.
ON_THE_WIRE = frozenset({_S.PROCESSING, _S.IN_FLIGHT, _S.NEEDS_REVIEW})


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step; `stamp` names the time column it sets, if any."""

    number: int
    source: PayoutState
    target: PayoutState
    stamp: str | None = None


def _steps(
    number: int, sources: tuple[PayoutState, ...], target: PayoutState, stamp: str | None = None
) -> tuple[Transition, ...]:
    return tuple(Transition(number, source, target, stamp) for source in sources)


_WAITING = (_S.PENDING, _S.AWAITING_APPROVAL, _S.APPROVED)

TRANSITIONS: tuple[Transition, ...] = (
    *_steps(2, (_S.PENDING,), _S.AWAITING_APPROVAL, "eligible_at"),
    *_steps(3, (_S.PENDING, _S.AWAITING_APPROVAL), _S.APPROVED, "approved_at"),
    *_steps(4, (_S.AWAITING_APPROVAL,), _S.REJECTED, "closed_at"),
    *_steps(5, (_S.APPROVED,), _S.AWAITING_APPROVAL),
    *_steps(6, _WAITING, _S.CANCELLED, "closed_at"),
    *_steps(7, _WAITING, _S.EXPIRED, "closed_at"),
    *_steps(8, (_S.APPROVED,), _S.PROCESSING, "submitted_at"),
    *_steps(9, (_S.PROCESSING,), _S.COMPLETED, "completed_at"),
    *_steps(10, (_S.PROCESSING,), _S.FAILED, "closed_at"),
    *_steps(10, (_S.PROCESSING,), _S.APPROVED),
    *_steps(11, (_S.PROCESSING,), _S.IN_FLIGHT),
    *_steps(12, (_S.IN_FLIGHT,), _S.COMPLETED, "completed_at"),
    *_steps(13, (_S.IN_FLIGHT,), _S.PROCESSING),
    *_steps(14, (_S.IN_FLIGHT,), _S.FAILED, "closed_at"),
    *_steps(14, (_S.IN_FLIGHT,), _S.APPROVED),
    *_steps(15, (_S.IN_FLIGHT,), _S.NEEDS_REVIEW, "review_at"),
    *_steps(16, (_S.NEEDS_REVIEW,), _S.COMPLETED, "completed_at"),
    *_steps(16, (_S.NEEDS_REVIEW,), _S.FAILED, "closed_at"),
    *_steps(17, (_S.FAILED,), _S.APPROVED, "approved_at"),
    *_steps(18, (_S.COMPLETED,), _S.REVERSED, "closed_at"),
    # A refusal before any send: the invoice is dead, paid by somebody else, or too dear.
    *_steps(20, (_S.APPROVED,), _S.FAILED, "closed_at"),
)

ALLOWED: dict[tuple[PayoutState, PayoutState], Transition] = {
    (step.source, step.target): step for step in TRANSITIONS
}


def states_of(status: PayoutStatus) -> tuple[PayoutState, ...]:
    """Return the exact states behind one of the five words."""
    return tuple(state for state, word in STATUS.items() if word is status)
