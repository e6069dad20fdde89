"""Signing in and out, as plain pages: a flood of visitors builds no screens."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.auth import container_of
from app.http.form import Field, Form, read_form, show_form
from app.sessions import caller_of_standing, drop_session, origin_of, set_session, standing_of
from components.text import sentence
from models.errors import (
    InvalidField,
    NotFoundError,
    RateLimited,
    RuleError,
    SecondFactorNeeded,
    Unauthenticated,
)
from models.session import SessionEnd
from services.sign_in import SignedIn

TITLE = "Flash Payouts"
PASSWORD = Field("password", "Password", "password", "current-password")
CODE = Field("code", "Code", "text", "one-time-code")
_LOGIN = Form(TITLE, "/login", "Sign in", (Field("email", "E-mail", "email", "username"), PASSWORD))
_LOGOUT = Form("Sign out?", "/logout", "Sign out")


async def show_login(request: Request) -> Response:
    """Show the form."""
    return show_form(request, _LOGIN)


async def take_login(request: Request) -> Response:
    """Let somebody in; the answer does not say which word was wrong."""
    container = container_of(request)
    try:
        fields = await read_form(request)
        sign_in, origin = container.doors.sign_in, origin_of(request)
        if "ticket" in fields:
            ticket, code = fields["ticket"], fields.get("code", "")
            done = await sign_in.enter_with_code(ticket, code, origin)
        else:
            email, password = fields.get("email", ""), fields.get("password", "")
            done = await sign_in.enter(email, password, fields.get("code"), origin)
    except SecondFactorNeeded as needed:
        return show_form(request, _asking_code(needed.ticket))
    except RuleError as error:
        return refused(request, _LOGIN, error)
    return entered(request, done)


def entered(request: Request, done: SignedIn, to: str = "/") -> Response:
    """Hand the browser its new session and lead it to the dashboard, or elsewhere."""
    answer = RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})
    set_session(answer, container_of(request), done.session, done.token)
    return answer


def refused(request: Request, form: Form, error: RuleError | NotFoundError) -> Response:
    """Show the form again, with what was wrong."""
    status, headers = 403, {}
    match error:
        case RateLimited():
            status, headers = 429, {"Retry-After": str(error.retry_after_s)}
        case Unauthenticated():
            status = 401
        case InvalidField():
            status = 422
        case NotFoundError():
            status = 404
        case _:
            pass
    return show_form(request, form, sentence(error.message), status, headers)


def _asking_code(ticket: str) -> Form:
    text = "Type the code of your authenticator app, or one of your recovery codes."
    return Form(TITLE, "/login", "Sign in", (CODE,), (("ticket", ticket),), text)


async def show_logout(request: Request) -> Response:
    """Ask first: a link alone signs nobody out."""
    return show_form(request, _LOGOUT)


async def take_logout(request: Request) -> Response:
    """End the session of this browser."""
    container = container_of(request)
    try:
        await read_form(request)
    except RuleError as error:
        return refused(request, _LOGOUT, error)
    standing = await standing_of(request, container)
    if standing is not None:
        actor = caller_of_standing(standing, origin_of(request)).actor
        sessions = container.doors.sessions
        await sessions.end(standing.session.id, SessionEnd.SIGNED_OUT, actor)
    answer = RedirectResponse("/login", status_code=303)
    drop_session(answer, container)
    return answer


def routes() -> list[BaseRoute]:
    """Return the routes of signing in and out."""
    return [
        Route("/login", show_login, methods=["GET"]),
        Route("/login", take_login, methods=["POST"]),
        Route("/logout", show_logout, methods=["GET"]),
        Route("/logout", take_logout, methods=["POST"]),
    ]
