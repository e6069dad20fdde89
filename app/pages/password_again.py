"""Asks for the password once more before an act that decides over money, or over who decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.pages.visit import Visit
from components.confirm_dialog import ConfirmDialog
from components.form_dialog import Field, FormDialog, Values
from models.errors import InvalidField, RateLimited, ServiceError, Unauthenticated
from models.permission import Permission

_HINT = "You decide over money or people, so say once more that it is you."
_CODE_HINT = "Or a recovery code."


async def password_fields(visit: Visit) -> tuple[Field, ...]:
    """Return the questions; none if the password was given a short while ago, or there is none."""
    try:
        session = await visit.session()
    except ServiceError:
        return ()  # the act itself says so
    if session is None or session.is_fresh(visit.container.clock.utc_now()):
        return ()
    password = Field("password", "Your password", "password", hint=_HINT)
    if not await visit.container.doors.factors.is_on(session.user_id):
        return (password,)
    return (password, Field("code", "Code of your authenticator app", hint=_CODE_HINT))


async def take_password(visit: Visit, permission: Permission, values: Values) -> None:
    """Check what was given, where it is needed, for those who may do what it is asked for.

    Raises:
        InvalidField: `password`, if it is not right or there were too many tries.
        Forbidden: The role does not allow it.
        Unauthenticated: The session is over.
    """
    caller = await visit.need(permission, again=False)
    session = caller.session
    if session is None or session.is_fresh(visit.container.clock.utc_now()):
        return
    password = values.get("password", "")
    if not password:
        raise InvalidField("password", "give your password")
    try:
        await visit.container.doors.sign_in.confirm(
            session, password, values.get("code", ""), caller.actor
        )
    except (RateLimited, Unauthenticated) as error:
        raise InvalidField("password", error.message) from error


class SureDialog:
    """Asks whether somebody is sure, and for the password if that was given too long ago."""

    def __init__(self, visit: Visit, permission: Permission) -> None:
        self._visit = visit
        self._permission = permission
        self._do: Callable[[], Awaitable[None]] | None = None
        self._confirm = ConfirmDialog()
        self._form = FormDialog("Are you sure?", "Go on", self._given)

    async def ask(
        self, title: str, text: str, word: str, on_yes: Callable[[], Awaitable[None]]
    ) -> None:
        """Ask, and do it if the answer is yes."""
        fields = await password_fields(self._visit)
        with self._visit.client:
            if fields:
                self._do = on_yes
                self._form.open(fields, title=title, text=text, submit=word)
            else:
                self._confirm.ask(title, text, word, on_yes)

    async def _given(self, values: Values) -> bool:
        if self._do is None:
            return False
        try:
            await take_password(self._visit, self._permission, values)
        except ServiceError as error:
            field = error.field if isinstance(error, InvalidField) else ""
            self._form.show_errors({field: error.message})
            return False
        await self._do()
        return True
