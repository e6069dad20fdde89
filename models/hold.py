"""A dated or manual stop on one payout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.store import ActorKind

# Reasons of holds that a restored copy begins with; a person reads them beside the payout.
LOST = (
    "Restored from a copy: this may have been paid since. A day later it is released by itself, "
    "if nothing in Flash's list could be it and the balance agrees with the list."
)
HELD_BEFORE = (
    "Restored from a copy, and it was held before: this may have been paid since. Look before you "
    "release it."
)
SENT_BEFORE = "Restored from a copy: what came of it is looked up, but it is not sent again."
MATCHED = (
    "Restored from a copy: a debit in Flash's list could be this payout. Cancel it if it was paid; "
    "release it only if it was not."
)
OF_A_COPY = (LOST, HELD_BEFORE, SENT_BEFORE, MATCHED)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a payout must not be sent for now; without `release_at` a person has to release it."""

    id: str
    store_id: str
    payout_id: str
    reason: str
    release_at: datetime | None
    placed_at: datetime
    placed_by_kind: ActorKind
    placed_by: str | None
    released_at: datetime | None
    released_by: str | None
