"""What a person may do to one payout as it stands, whoever that person is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.hold import Hold


class PayoutAct(StrEnum):
    """One thing to do to a payout."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    RESOLVE = "resolve"
    NOT_PAID = "not_paid"
    """Take what the books propose: that it did not leave."""


@dataclass(frozen=True, slots=True)
class PossibleActs:
    """The acts a payout's state leaves, the hold it is under, and why it cannot be retried."""

    acts: frozenset[PayoutAct] = frozenset()
    hold: Hold | None = None
    no_retry: str | None = None
