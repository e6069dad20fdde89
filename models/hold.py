"""A dated or manual stop on one payout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.store import ActorKind


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
