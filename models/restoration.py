"""What is known of a database that was restored from a copy, one store at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Restoration:
    """How far a store has come since its database turned out to be an old copy.

    What was sent after `copied_at` the copy does not know; `flash_wallet_id` is the wallet that
    sent it. `read_at` is set once Flash's list since then was read whole.
    """

    store_id: str
    copied_at: datetime
    began_at: datetime
    flash_wallet_id: str | None
    read_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None
