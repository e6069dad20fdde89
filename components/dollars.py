"""How the wallet's money is printed: dollars and whole cents."""

from __future__ import annotations

from models.money import NANOUSD_PER_CENT, ceil_div

MINUS = "\u2212"


def dollars(nanousd: int, *, up: bool = False) -> str:
    """Print as `$1,234.56`: what one has is rounded down, what one owes up."""
    cents = ceil_div(nanousd, NANOUSD_PER_CENT) if up else nanousd // NANOUSD_PER_CENT
    sign, cents = (MINUS if cents < 0 else ""), abs(cents)
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"
