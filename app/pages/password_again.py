"""Asks for the password once more before an act that decides over money for good."""

from __future__ import annotations

from app.pages.visit import Visit
from components.form_dialog import Field, Values
from models.errors import InvalidField, RateLimited, Unauthenticated
from models.session import Session

_HINT = "You decide over money, so say once more that it is you."
_CODE_HINT = "Only if you sign in with one."


async def needs_password(visit: Visit) -> bool:
    """Tell whether the password was given too long ago; a demo's visitor has none."""
    session = await _session(visit)
    return session is not None and not session.is_fresh(visit.container.clock.utc_now())


def password_fields(*, asked: bool) -> tuple[Field, ...]:
    """Return the questions, or none."""
    if not asked:
        return ()
    return (
        Field("password", "Your password", "password", hint=_HINT),
        Field("code", "Code of your authenticator app", hint=_CODE_HINT),
    )


async def take_password(visit: Visit, values: Values) -> None:
    """Check what was given, where it is needed.

    Raises:
        InvalidField: `password`, if it is not right or there were too many tries.
        Unauthenticated: The session is over.
    """
    session = await _session(visit)
    if session is None or session.is_fresh(visit.container.clock.utc_now()):
        return
    password = values.get("password", "")
    if not password:
        raise InvalidField("password", "give your password")
    try:
        await visit.container.doors.sign_in.confirm(
            session, password, values.get("code", ""), visit.caller.actor
        )
    except (RateLimited, Unauthenticated) as error:
        raise InvalidField("password", error.message) from error


async def _session(visit: Visit) -> Session | None:
    if visit.caller.session_id is None:
        return None
    standing = await visit.container.doors.sessions.read(visit.caller.session_id)
    if standing is None:
        raise Unauthenticated("Sign in again.")
    return standing.session
