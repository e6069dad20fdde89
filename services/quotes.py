"""Converts between what is asked for, what is sent and what leaves a budget, at a live rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.errors import UnavailableError
from models.money import MSAT_PER_SAT, SATS_CURRENCY, Rate, to_sat_ceil
from models.payout import Payout
from models.payout_request import PayoutPreview
from models.quote import Quote
from services.rates import Rates


@dataclass(frozen=True, slots=True)
class Amount:
    """What is sent, and what leaves the budget in minor units of its currency.

    `is_fiat` says that the asked amount was fiat, so that the sats follow from the rate.
    """

    amount_msat: int
    units: int
    currency: str
    rate: Rate | None
    is_fiat: bool


def convert(
    rates: Rates,
    now: datetime,
    *,
    into: str,
    amount_msat: int | None = None,
    units: int | None = None,
    currency: str = SATS_CURRENCY,
) -> Amount:
    """Convert an amount in millisats, or in minor units of a currency, into a budget's units.

    What is sent is rounded down to whole sats, what a budget gives is rounded up.

    Raises:
        UnavailableError: There is no rate to convert with.
    """
    rate: Rate | None = None
    is_fiat = amount_msat is None and currency != SATS_CURRENCY
    if amount_msat is None:
        assert units is not None
        amount_msat = units * MSAT_PER_SAT
        if is_fiat:
            rate = usable(rates, currency, now)
            amount_msat = rate.msat_floor(units) // MSAT_PER_SAT * MSAT_PER_SAT
        if into == currency:
            return Amount(amount_msat, units, currency, rate, is_fiat)
    if into == SATS_CURRENCY:
        return Amount(amount_msat, int(to_sat_ceil(amount_msat)), into, rate, is_fiat)
    rate = usable(rates, into, now)
    return Amount(amount_msat, max(rate.minor_ceil(amount_msat), 1), into, rate, is_fiat)


def usable(rates: Rates, currency: str, now: datetime) -> Rate:
    """Return a rate that may convert now.

    Raises:
        UnavailableError: There is none, with the reason.
    """
    verdict = rates.verdict(currency, now)
    if verdict.rate is None:
        raise UnavailableError(f"Nothing is converted to {currency} now: {verdict.reason}.")
    return verdict.rate


def held(quoted: PayoutPreview | None, now: datetime) -> Amount | None:
    """Return the amount of a quote that somebody agreed to, as long as it holds."""
    if quoted is None or quoted.locked_until is None or now >= quoted.locked_until:
        return None
    return Amount(quoted.amount_msat, quoted.units, quoted.currency, quoted.rate, is_fiat=True)


def new_quote(
    payout: Payout, amount: Amount, now: datetime, locked_until: datetime, number: int = 1
) -> Quote:
    """Return the quote of a converted amount, locked until a moment."""
    assert amount.rate is not None
    return Quote(
        store_id=payout.store_id,
        payout_id=payout.id,
        number=number,
        amount_msat=amount.amount_msat,
        rate_numerator=amount.rate.numerator,
        rate_denominator=amount.rate.denominator,
        rate_source=amount.rate.source,
        rate_at=amount.rate.at,
        quoted_at=now,
        locked_until=locked_until,
    )
