"""Which mutation pays an invoice from a wallet, and in which unit it wants the amount."""

from __future__ import annotations

from decimal import Decimal

from models.flash import Mutation
from models.money import NANOUSD_PER_CENT, Rate, ceil_div, to_sat_ceil

BITCOIN = "BTC"
_DECIMALS = 7  # of a cent, down to the nano-dollar


def choose_mutation(wallet_currency: str, *, is_amountless: bool) -> Mutation:
    """Return how an invoice is paid: the one with an amount takes every wallet, and a key."""
    if not is_amountless:
        return Mutation.INVOICE
    return Mutation.NO_AMOUNT_BTC if wallet_currency == BITCOIN else Mutation.NO_AMOUNT_USD


def order_amount(mutation: Mutation, amount_msat: int, rate: Rate | None) -> str | None:
    """Return the amount a mutation has to be told; a dollar wallet's is rounded up.

    The rate is of the dollar, in cents for a sat; without one a dollar amount cannot be told.
    """
    match mutation:
        case Mutation.INVOICE:
            return None
        case Mutation.NO_AMOUNT_BTC:
            return str(to_sat_ceil(amount_msat))
        case Mutation.NO_AMOUNT_USD:
            assert rate is not None, "a dollar amount follows from a rate"
            nanousd = rate.minor_ceil(amount_msat * NANOUSD_PER_CENT)
            return f"{Decimal(nanousd).scaleb(-_DECIMALS):f}"


def msat_per_cent(rate: Rate) -> int:
    """Return the price the other way round: how many millisats a cent buys, at least one."""
    return max(int(rate.msat_floor(1)), 1)


def fee_msat(fee_nanousd: int, msat_per_cent: int) -> int:
    """Return a fee in millisats at the price of its send, rounded up."""
    return ceil_div(fee_nanousd * msat_per_cent, NANOUSD_PER_CENT)
