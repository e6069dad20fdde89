"""What an amount must keep within before it becomes a payout."""

from __future__ import annotations

from datetime import datetime

from models.errors import InvalidField, LimitReached
from models.money import MAX_MINOR, MAX_MSAT, MAX_SATS, to_sat_ceil
from models.pull_payment import PullPayment
from services.quotes import Amount


def check_bounds(pull_payment: PullPayment | None, amount: Amount, now: datetime) -> None:
    """Refuse an amount that cannot be sent, or that its pull payment does not let through.

    Raises:
        InvalidField: The amount, or the pull payment, cannot be.
        LimitReached: The amount is outside the bounds, or over what is left.
    """
    if not 1 <= amount.amount_msat <= MAX_MSAT or not 1 <= amount.units <= MAX_MINOR:
        raise InvalidField("amount", "This amount cannot be sent.")
    if pull_payment is None:
        return
    if not pull_payment.is_open(now):
        raise InvalidField("pull_payment_id", "This pull payment is closed.")
    check_amount(pull_payment, amount)
    if amount.units > pull_payment.remaining:
        raise LimitReached("budget", "There is not enough left for this amount.")


def check_amount(pull_payment: PullPayment, amount: Amount) -> None:
    """Refuse an amount outside a pull payment's bounds.

    Raises:
        LimitReached: It is.
    """
    sats = to_sat_ceil(amount.amount_msat)
    if not pull_payment.min_sats <= sats <= (pull_payment.max_sats or MAX_SATS):
        raise LimitReached("amount", "The amount is outside the bounds of this pull payment.")
