"""What is asked for a pull payment, and how the answers are read."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from components.form_dialog import Field, Values
from models.errors import InvalidField, ServiceError
from models.money import SATS_CURRENCY, format_minor, parse_minor
from models.pull_payment import PullPayment
from models.store import Store
from services.pull_payments import NewPullPayment, PullPaymentChange

_APPROVAL = (("yes", "Paid at once"), ("no", "Approved by a person first"))
_APPROVAL_HINT = "Claims that are paid at once leave as soon as somebody scans the code."
_LEAST = "Least for one claim, sats"
_MOST = "Most for one claim, sats"
_ENDS_HINT = "Left empty, it does not end by itself."


def new_fields(store: Store) -> tuple[Field, ...]:
    """Return what is asked for a new one."""
    currencies = dict.fromkeys((SATS_CURRENCY, "USD", store.currency))
    zone = f"In the store's time, {store.time_zone}."
    return (
        Field("name", "Name", placeholder="Tips for Anna", hint="Recipients see it too."),
        Field("amount", "Budget", placeholder="1000000", is_wide=False),
        Field(
            "currency",
            "Currency",
            "select",
            value=SATS_CURRENCY,
            options=tuple((code, "sats" if code == SATS_CURRENCY else code) for code in currencies),
            is_wide=False,
        ),
        Field("min_sats", _LEAST, placeholder="1", is_wide=False),
        Field("max_sats", _MOST, placeholder="what is left", is_wide=False),
        Field("starts_at", "Begins", "datetime-local", hint=f"Left empty: now. {zone}"),
        Field("expires_at", "Ends", "datetime-local", hint=_ENDS_HINT),
        Field("auto_approve", "Claims are", "choice", _APPROVAL_HINT, "no", options=_APPROVAL),
    )


def edit_fields(pull: PullPayment, store: Store) -> tuple[Field, ...]:
    """Return what may be changed, as it is now."""
    zone = ZoneInfo(store.time_zone)
    ends = "" if pull.expires_at is None else f"{pull.expires_at.astimezone(zone):%Y-%m-%dT%H:%M}"
    unit = "sats" if pull.currency == SATS_CURRENCY else pull.currency
    taken = format_minor(pull.paid + pull.reserved, pull.currency)
    return (
        Field("name", "Name", value=pull.name),
        Field(
            "amount",
            f"Budget, {unit}",
            value=format_minor(pull.budget, pull.currency),
            hint=f"At least what is paid and reserved: {taken}.",
        ),
        Field("min_sats", _LEAST, value=str(pull.min_sats), is_wide=False),
        Field(
            "max_sats",
            _MOST,
            value="" if pull.max_sats is None else str(pull.max_sats),
            placeholder="what is left",
            is_wide=False,
        ),
        Field("expires_at", "Ends", "datetime-local", _ENDS_HINT if not ends else "", ends),
        Field(
            "auto_approve",
            "Claims are",
            "choice",
            value="yes" if pull.auto_approve else "no",
            options=_APPROVAL,
        ),
    )


def new_from(values: Values, store: Store) -> NewPullPayment:
    """Read the answers for a new one.

    Raises:
        InvalidField: The answer that cannot be read.
    """
    currency = values.get("currency", SATS_CURRENCY)
    return NewPullPayment(
        name=values.get("name", ""),
        currency=currency,
        amount=_amount(values, currency),
        auto_approve=values.get("auto_approve") == "yes",
        min_sats=_sats(values, "min_sats"),
        max_sats=_sats(values, "max_sats"),
        starts_at=_moment(values, "starts_at", store),
        expires_at=_moment(values, "expires_at", store),
    )


def change_from(values: Values, pull: PullPayment, store: Store) -> PullPaymentChange:
    """Read the answers of an edit.

    Raises:
        InvalidField: The answer that cannot be read.
    """
    ends = _moment(values, "expires_at", store)
    if ends is None and pull.expires_at is not None:
        raise InvalidField("expires_at", "an end can be moved, not taken away")
    most = _sats(values, "max_sats")
    if most is None and pull.max_sats is not None:
        raise InvalidField("max_sats", "a limit can be moved, not taken away")
    return PullPaymentChange(
        name=values.get("name", ""),
        amount=_amount(values, pull.currency),
        min_sats=_sats(values, "min_sats"),
        max_sats=most,
        expires_at=ends,
        auto_approve=values.get("auto_approve") == "yes",
    )


def refusals(error: ServiceError) -> dict[str, str]:
    """Return what to say at which field; what belongs to none has no name."""
    if isinstance(error, InvalidField):
        return {error.field: error.message}
    return {"": error.message}


def _amount(values: Values, currency: str) -> int:
    text = values.get("amount", "")
    if not text:
        raise InvalidField("amount", "say how much may be drawn in all")
    found = parse_minor(text, currency)
    if found is None:
        example = "25000" if currency == SATS_CURRENCY else "250.00"
        raise InvalidField("amount", f"give an amount such as {example}")
    return found


def _sats(values: Values, name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    found = parse_minor(text, SATS_CURRENCY)
    if found is None:
        raise InvalidField(name, "give a whole number of sats")
    return found


def _moment(values: Values, name: str, store: Store) -> datetime | None:
    text = values.get(name, "")
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidField(name, "give a day and a time") from None
    return local.replace(tzinfo=ZoneInfo(store.time_zone))
