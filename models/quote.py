"""What a fiat amount was quoted at: how many millisats, by which rate, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Long enough for a person to read and approve, short enough that the market has not moved far.
QUOTE_LOCK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote of one payout; a later one replaces it once its lock is over."""

    store_id: str
    payout_id: str
    number: int
    amount_msat: int
    rate_numerator: int
    rate_denominator: int
    rate_source: str
    rate_at: datetime
    quoted_at: datetime
    locked_until: datetime
