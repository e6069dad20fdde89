"""How the wallet's money is printed: dollars and whole cents."""

from __future__ import annotations

from models.money import NANOUSD_PER_CENT, ceil_div

MINUS = "\u2212"


def dollars(nanousd: int, *, up: bool = False) -> str:
    """Print as `$1,234.56`: what one has is rounded down, what one owes up."""
    cents = ceil_div(nanousd, NANOUSD_PER_CENT) if up else nanousd // NANOUSD_PER_CENT
    sign, cents = (MINUS if cents < 0 else ""), abs(cents)
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def exact(nanousd: int) -> str:
    """Print with every decimal there is, down to a hundredth of a cent and below."""
    sign, (whole, rest) = (MINUS if nanousd < 0 else ""), divmod(abs(nanousd), 10**9)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{decimals}"
