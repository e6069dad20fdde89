"""The first set-up: a link from the console, one form, and the owner is signed in."""

from __future__ import annotations

from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.auth import container_of
from app.http.form import Field, Form, read_form, show_form, show_words
from app.http.sign_in import entered, refused
from app.sessions import origin_of
from models.currency import CurrencyList
from models.errors import NotFoundError, RuleError
from services.password_policy import MIN_LENGTH
from services.stores import NewStore

NEW_PASSWORD = Field(
    "password",
    "Password",
    "password",
    "new-password",
    hint=f"At least {MIN_LENGTH} characters; four unrelated words are good.",
)
_ZONES = tuple(sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))


def _form(token: str, given: dict[str, str], known: CurrencyList) -> Form:
    return Form(
        "Set up Flash Payouts",
        f"/setup/{token}",
        "Begin",
        (
            Field("email", "Your e-mail", "email", "username", given.get("email", "")),
            NEW_PASSWORD,
            Field("store", "Store name", value=given.get("store", "")),
            Field(
                "time_zone",
                "Time zone",
                value=given.get("time_zone", "UTC"),
                choices=_ZONES,
                hint="Where the store's days begin.",
            ),
            Field(
                "currency",
                "Currency",
                value=given.get("currency", "USD"),
                choices=tuple(each.code for each in known.items),
                names=tuple(
                    each.code if each.name == each.code else f"{each.code} {each.name}"
                    for each in known.items
                ),
                hint="What worths are shown in. It stays.",
            ),
        ),
        text="Make the first store and become its owner. Next comes its Flash wallet.",
    )


async def show_set_up(request: Request) -> Response:
    """Show the form, if the link works."""
    token = request.path_params["token"]
    try:
        await container_of(request).doors.set_up.check(token)
    except NotFoundError as error:
        return show_words("Set up", error.message, 404)
    known = container_of(request).engine.currencies.known
    return show_form(request, _form(token, {}, known))


async def take_set_up(request: Request) -> Response:
    """Make the first store and its owner, and sign the owner in."""
    container, token = container_of(request), request.path_params["token"]
    given: dict[str, str] = {}
    try:
        given = await read_form(request)
        wanted = NewStore(
            name=given.get("store", ""),
            owner_email=given.get("email", ""),
            currency=container.engine.currencies.check(given.get("currency", "")),
            time_zone=given.get("time_zone", ""),
            password=given.get("password"),
        )
        await container.doors.set_up.finish(token, wanted, container.kind)
        done = await container.doors.sign_in.enter(
            wanted.owner_email, wanted.password or "", None, origin_of(request)
        )
    except NotFoundError as error:
        return show_words("Set up", error.message, 404)
    except RuleError as error:
        return refused(request, _form(token, given, container.engine.currencies.known), error)
    # Without a wallet there is nothing to watch yet.
    return entered(request, done, "/settings" if container.settings.flash is None else "/")


def routes() -> list[BaseRoute]:
    """Return the routes of the first set-up."""
    return [
        Route("/setup/{token}", show_set_up, methods=["GET"]),
        Route("/setup/{token}", take_set_up, methods=["POST"]),
    ]
