"""Taking an invitation: with a new password, or with the account that is there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.auth import container_of
from app.http.form import Field, Form, read_form, show_form, show_words
from app.http.set_up import NEW_PASSWORD
from app.http.sign_in import PASSWORD, entered, refused
from app.sessions import origin_of
from models.errors import NotFoundError, RuleError, StateChanged
from services.people import Invitation
from services.sign_in import SignedIn

_OPTIONAL_CODE = Field(
    "code",
    "Code",
    "text",
    "one-time-code",
    is_needed=False,
    hint="Only if you use an authenticator app.",
)


async def show_join(request: Request) -> Response:
    """Show what the link invites to, if it works."""
    token = request.path_params["token"]
    try:
        found = await container_of(request).doors.people.invitation(token)
    except NotFoundError as error:
        return show_words("Invitation", error.message, 404)
    return show_form(request, _form(token, found))


async def take_join(request: Request) -> Response:
    """Give the person their role, and sign them in."""
    container, token = container_of(request), request.path_params["token"]
    try:
        found = await container.doors.people.invitation(token)
    except NotFoundError as error:
        return show_words("Invitation", error.message, 404)
    try:
        done = await _join(request, token, found, await read_form(request))
    except (NotFoundError, StateChanged) as error:
        return show_words("Invitation", error.message, 404)
    except RuleError as error:
        return refused(request, _form(token, found), error)
    return entered(request, done)


async def _join(
    request: Request, token: str, found: Invitation, fields: dict[str, str]
) -> SignedIn:
    doors, origin = container_of(request).doors, origin_of(request)
    password = fields.get("password", "")
    if not found.has_account:
        await doors.people.join(token, password, origin)
        return await doors.sign_in.enter(found.email, password, None, origin)
    # An authenticator's code is taken here at once; without one the refusal says what is missing.
    joining = doors.people.accepting(token, origin)
    return await doors.sign_in.enter(
        found.email, password, fields.get("code"), origin, joining=joining
    )


def _form(token: str, found: Invitation) -> Form:
    fields = (PASSWORD, _OPTIONAL_CODE) if found.has_account else (NEW_PASSWORD,)
    text = f"You are invited as {found.role}, with {found.email}."
    return Form(f"Join {found.store_name}", f"/join/{token}", "Join", fields, text=text)


def routes() -> list[BaseRoute]:
    """Return the routes of invitations."""
    return [
        Route("/join/{token}", show_join, methods=["GET"]),
        Route("/join/{token}", take_join, methods=["POST"]),
    ]
