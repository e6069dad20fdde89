"""What is asked for a card, and how the answers are read."""

from __future__ import annotations

from app.pages.visit import Visit
from components.form_dialog import Field, Values
from models.card import Card
from models.errors import InvalidField, ServiceError
from models.pull_payment import PullPaymentPhase
from services.boltcards import NewCard
from services.card_crypto import parse_card_key, parse_uid

BY_HAND = "by_hand"
FUNDS = 200
_KEYS = (("link", "From here, by the programmer app"), (BY_HAND, "It has keys: I give them"))
Options = tuple[tuple[str, str], ...]


async def fund_options(visit: Visit) -> Options:
    """Return the pull payments that a card may draw on, newest first."""
    views = await visit.container.pull_payments.views(visit.store.id, FUNDS)
    return tuple(
        (view.pull_payment.id, view.pull_payment.name)
        for view in views
        if view.phase is not PullPaymentPhase.ARCHIVED
    )


def new_fields(options: Options) -> tuple[Field, ...]:
    """Return what is asked for a new one."""
    first = options[0][0] if options else ""
    none = () if options else (("", "There is none yet: make a pull payment first"),)
    return (
        Field("alias", "Name", placeholder="Anna", hint="Whose it is, as the dashboard shows it."),
        Field("pull_payment_id", "Draws on", "select", value=first, options=options or none),
        Field("keys", "Its keys", "choice", value="link", options=_KEYS),
        Field(
            "uid",
            "Number (UID)",
            placeholder="14 hexadecimal digits",
            hint="Left empty, its first tap shows it.",
            when=BY_HAND,
        ),
        Field("k1", "Key 1", placeholder="32 hexadecimal digits", is_wide=False, when=BY_HAND),
        Field("k2", "Key 2", placeholder="32 hexadecimal digits", is_wide=False, when=BY_HAND),
    )


def edit_fields(card: Card, options: Options) -> tuple[Field, ...]:
    """Return what may be changed, as it is now."""
    return (
        Field("alias", "Name", value=card.alias),
        Field(
            "pull_payment_id",
            "Draws on",
            "select",
            value=card.pull_payment_id,
            options=options,
        ),
    )


def new_from(values: Values) -> NewCard:
    """Read the answers for a new one.

    Raises:
        InvalidField: The answer that cannot be read.
    """
    alias, fund = values.get("alias", ""), values.get("pull_payment_id", "")
    if values.get("keys") != BY_HAND:
        return NewCard(alias, fund)
    uid = values.get("uid", "").replace(":", "").replace(" ", "")
    for name in ("k1", "k2"):
        if not values.get(name):
            raise InvalidField(name, "a card that has keys needs this one")
    return NewCard(
        alias,
        fund,
        uid=parse_uid(uid) if uid else None,
        k1=parse_card_key("k1", values["k1"]),
        k2=parse_card_key("k2", values["k2"]),
    )


def refusals(error: ServiceError) -> dict[str, str]:
    """Return what to say at which field; what belongs to none has no name."""
    return {error.field: error.message} if isinstance(error, InvalidField) else {"": error.message}
