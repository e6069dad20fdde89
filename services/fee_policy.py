"""How dear a payment may be: what a probe estimates above this refuses it before any send."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation

from models.money import NANOUSD_PER_CENT

MOST_PERCENT = 3
# Flash rounds estimates to whole cents, which is much beside a very small amount.
LEAST_CAP_NANOUSD = 5 * NANOUSD_PER_CENT


def fee_cap_nanousd(amount_nanousd: int) -> int:
    """Return the most that a payment may cost beside its amount."""
    return max(amount_nanousd * MOST_PERCENT // 100, LEAST_CAP_NANOUSD)


def is_too_dear(fee_cents: str | None, amount_nanousd: int) -> bool:
    """Tell whether an estimate is over the cap; one that cannot be read is no reason to refuse."""
    if fee_cents is None:
        return False
    try:
        fee = Decimal(fee_cents) * NANOUSD_PER_CENT
    except InvalidOperation:
        return False
    if not fee.is_finite():
        return False
    return int(fee.to_integral_value(ROUND_CEILING)) > fee_cap_nanousd(amount_nanousd)
