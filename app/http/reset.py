"""Taking a link for a new password, which the operator made on the console."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.auth import container_of
from app.http.form import Form, read_form, show_form, show_words
from app.http.set_up import NEW_PASSWORD
from app.http.sign_in import refused
from app.sessions import origin_of
from models.errors import NotFoundError, RuleError
from services.resets import Reset

_TITLE = "A new password"


async def show_reset(request: Request) -> Response:
    """Show the form, if the link works."""
    token = request.path_params["token"]
    try:
        found = await container_of(request).doors.resets.read(token)
    except NotFoundError as error:
        return show_words(_TITLE, error.message, 404)
    return show_form(request, _form(token, found))


async def take_reset(request: Request) -> Response:
    """Set the password, and have its owner sign in with it."""
    resets, token = container_of(request).doors.resets, request.path_params["token"]
    try:
        found = await resets.read(token)
    except NotFoundError as error:
        return show_words(_TITLE, error.message, 404)
    try:
        fields = await read_form(request)
        await resets.use(token, fields.get("password", ""), origin_of(request))
    except NotFoundError as error:
        return show_words(_TITLE, error.message, 404)
    except RuleError as error:
        return refused(request, _form(token, found), error)
    return RedirectResponse("/login", status_code=303, headers={"Cache-Control": "no-store"})


def _form(token: str, found: Reset) -> Form:
    text = f"For {found.person.email}."
    if found.drops_factor:
        text += " Your authenticator is removed too: set it up anew once you are signed in."
    return Form(_TITLE, f"/reset/{token}", "Set it", (NEW_PASSWORD,), text=text)


def routes() -> list[BaseRoute]:
    """Return the routes of a lost password."""
    return [
        Route("/reset/{token}", show_reset, methods=["GET"]),
        Route("/reset/{token}", take_reset, methods=["POST"]),
    ]
