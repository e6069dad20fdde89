"""What is asked for a new payout, and how the answers are read."""

from __future__ import annotations

from collections.abc import Sequence

from components.form_dialog import Field, Values
from models.errors import GatewayError, InvalidField, InvoiceError, ServiceError
from models.money import BTC_CURRENCY, SATS_CURRENCY, parse_minor
from models.payout_request import PayoutRequest
from models.store import Store

NO_PULL_PAYMENT = ""
_AMOUNT_HINT = "Leave it empty for an invoice that names its amount."
_TO_HINT = "A Lightning invoice, LNURL, Lightning Address or Flash username."
_EXAMPLES = {SATS_CURRENCY: "25000", BTC_CURRENCY: "0.00025"}
_PLACES = {"pull_payment_id": "pull_payment", "budget": "amount"}


def fields_of(store: Store, pulls: Sequence[tuple[str, str]], values: Values) -> tuple[Field, ...]:
    """Return what is asked, with what was answered before."""
    currencies = dict.fromkeys((SATS_CURRENCY, BTC_CURRENCY, "USD", store.currency))
    budgets = ((NO_PULL_PAYMENT, "None, from the wallet"), *pulls)
    return (
        Field(
            "destination",
            "Pay to",
            "textarea",
            hint=_TO_HINT,
            value=values.get("destination", ""),
            placeholder="lnbc… or name@example.com",
            scans=True,
        ),
        Field(
            "amount",
            "Amount",
            hint=_AMOUNT_HINT,
            value=values.get("amount", ""),
            placeholder="as the invoice says",
            is_wide=False,
        ),
        Field(
            "currency",
            "Currency",
            "select",
            value=values.get("currency", SATS_CURRENCY),
            options=tuple((code, "sats" if code == SATS_CURRENCY else code) for code in currencies),
            is_wide=False,
        ),
        Field(
            "memo",
            "Memo",
            value=values.get("memo", ""),
            placeholder="Wages of May",
            hint="For your own records.",
        ),
        Field(
            "pull_payment",
            "Pull payment",
            "select",
            value=values.get("pull_payment", NO_PULL_PAYMENT),
            options=budgets,
            hint="Its budget pays, and its rule says whether a person must approve.",
        ),
    )


def request_from(values: Values) -> PayoutRequest:
    """Read the answers.

    Raises:
        InvalidField: The answer that cannot be read.
    """
    destination = values.get("destination", "")
    if not destination:
        raise InvalidField("destination", "paste whom to pay")
    text, currency = values.get("amount", ""), values.get("currency", SATS_CURRENCY)
    amount = parse_minor(text, currency) if text else None
    if text and not amount:
        example = _EXAMPLES.get(currency, "250.00")
        raise InvalidField("amount", f"give an amount such as {example}")
    return PayoutRequest(
        destination=destination,
        amount=amount,
        currency=None if amount is None else currency,
        pull_payment_id=values.get("pull_payment") or None,
        memo=values.get("memo") or None,
    )


def refusals(error: ServiceError) -> dict[str, str]:
    """Return what to say at which field; what belongs to none has no name."""
    if isinstance(error, InvalidField):
        return {_PLACES.get(error.field, error.field): error.message}
    if isinstance(error, InvoiceError | GatewayError):
        return {"destination": error.message}
    if getattr(error, "limit", None) is not None:
        return {"amount": error.message}
    return {"": error.message}
