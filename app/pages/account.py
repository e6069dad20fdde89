"""One's own account: password, second factor, sessions, and the stores one belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from nicegui import ui

from app.pages.people import errors_of
from app.pages.standing_board import Standing
from app.pages.store_choice import choose_store
from app.pages.visit import Place, View, Visit
from components.act_list import Act, ActList, ActRow
from components.factor_dialog import FactorDialog
from components.form_dialog import Field, FormDialog, Values
from components.moment import short_moment
from components.once_dialog import OnceDialog
from components.role_words import role_name
from components.room_panel import Button, RoomPanel
from models.errors import InvalidField, ServiceError, Unauthenticated
from models.permission import Permission
from models.session import Session, SessionEnd, SessionKind
from models.store import Actor

_NO_ACCOUNT = "The demo has no accounts: whoever opens it on this machine is its owner."
_PASSWORD = Field("password", "Your password", "password")
_Then = Callable[[Session, Actor], Awaitable[None]]
_CODE = Field("code", "Code", hint="Of your authenticator app, or a recovery code.")
_ALONE = "Your password alone signs you in. A code of an app on your phone makes it two."
_DECIDES = (
    "You decide over money here, and your password alone signs you in: whoever learns it decides "
    "too. Have a code of an app on your phone asked for as well."
)
_RECOVERY = (
    "Keep these where you find them without your phone. Each lets you in once, in place of a code."
)
_SESSION_COLUMNS = ("Where", "Address", "Begun", "Last used")
_NO_SESSIONS = ("No session", "You are signed in nowhere.")


class AccountPage:
    """What a person looks after for themselves; whatever is dangerous asks for the password."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._doors = visit.container.doors
        self._has_account = visit.caller.session_id is not None
        self._has_factor = False
        self._after: _Then | None = None
        self._self = RoomPanel("You", "you")
        if not self._has_account:
            self._self.show({}, _NO_ACCOUNT)
            return
        self._factor = RoomPanel("Second factor", "factor")
        if len(visit.stores) > 1:
            nothing = ("No store", "You belong to none.")
            self._stores = ActList("Your stores", ("Store", "Role"), nothing, testid="stores")
        self._sessions = ActList(
            "Where you are signed in",
            _SESSION_COLUMNS,
            _NO_SESSIONS,
            testid="sessions",
            new=("End all others", self._end_others),
        )
        self._password = FormDialog("Change the password", "Change it", self._change_password)
        self._again = FormDialog("Give your password", "Go on", self._confirmed)
        self._once = OnceDialog()
        self._setting_up = FactorDialog(self._code_given)

    async def connected(self) -> None:
        """Read how the account stands."""
        if self._has_account:
            await self._show()

    def gone(self) -> None:
        """Stop following: this page follows nothing."""

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    async def _show(self) -> None:
        visit, user_id = self._visit, self._visit.caller.person_id
        now = visit.container.clock.utc_now()
        members = await self._doors.people.members(visit.store.id)
        me = next((member for member in members if member.user_id == user_id), None)
        if me is None:
            return
        self._has_factor = me.has_second_factor
        await visit.look_at_factor()
        codes = await self._doors.factors.codes_left(user_id)
        sessions = await self._doors.sessions.live_of(user_id)
        with visit.client:
            self._self.show(
                {"E-mail": (me.email, "strong"), "Role here": (role_name(me.role), "")},
                buttons=(
                    ("Change the password", self._ask_password),
                    ("Sign out", lambda: ui.navigate.to("/logout")),
                ),
            )
            self._show_factor(codes)
            self._sessions.show([self._session(each, now) for each in sessions])
            if len(visit.stores) > 1:
                self._stores.show([self._store(*store) for store in visit.stores])

    def _show_factor(self, codes: int) -> None:
        if not self._has_factor:
            note = _DECIDES if self._visit.lacks_factor else _ALONE
            buttons: tuple[Button, ...] = (("Set it up", self._asking(self._enrol)),)
            self._factor.show({"State": ("○ Off", "soft")}, note, buttons)
            return
        facts = {"State": ("● On", "is-completed"), "Recovery codes left": (f"{codes}", "num")}
        buttons = (
            ("New recovery codes", self._asking(self._renew)),
            ("Turn it off", self._asking(self._drop)),
        )
        note = "" if codes > 2 else "Few recovery codes are left: make new ones."  # noqa: PLR2004
        self._factor.show(facts, note, buttons)

    def _session(self, session: Session, now: datetime) -> ActRow:
        zone, is_this = self._visit.store.time_zone, session.id == self._visit.caller.session_id
        kind = "A program" if session.kind is SessionKind.TOKENS else "A browser"
        end = Act("End", f"End the session of {session.address}", self._ending(session.id))
        return ActRow(
            "This browser" if is_this else kind,
            session.agent or "It did not say what it is",
            (
                (session.address or "–", "num"),
                (short_moment(session.created_at, now, zone), "num soft"),
                (short_moment(session.seen_at, now, zone), "num soft"),
            ),
            () if is_this else (end,),
        )

    def _store(self, store_id: str, name: str, role: str) -> ActRow:
        is_this = store_id == self._visit.store.id
        switch = partial(choose_store, self._visit, store_id)
        acts = () if is_this else (Act("Go there", f"Go to {name}", switch),)
        return ActRow(name, "You are here" if is_this else "", ((role.capitalize(), ""),), acts)

    async def _live(self) -> tuple[Session, Actor]:
        caller = await self._visit.need(Permission.READ)
        if caller.session is None:
            raise Unauthenticated("Sign in again.")
        return caller.session, caller.actor

    def _ask_password(self) -> None:
        fields = (
            Field("password", "Password of now", "password"),
            Field("new", "New password", "password", "All other sessions end."),
            Field("again", "New password, again", "password"),
        )
        self._password.open((*fields, _CODE) if self._has_factor else fields)

    async def _change_password(self, values: Values) -> bool:
        try:
            if values.get("new") != values.get("again"):
                raise InvalidField("again", "this is not the same")
            session, actor = await self._live()
            await self._doors.sign_in.change_password(
                *(session, values.get("password", ""), values.get("new", "")),
                *(values.get("code", ""), actor),
            )
        except ServiceError as error:
            found = errors_of(error)
            # What is wrong with a password is wrong with the new one.
            self._password.show_errors(
                {"new" if name == "password" else name: words for name, words in found.items()}
            )
            return False
        self._tell("The password is changed, and all other sessions ended.")
        await self._show()
        return True

    def _asking(self, then: _Then) -> Callable[[], None]:
        def ask() -> None:
            self._after = then
            self._again.open((_PASSWORD, _CODE) if self._has_factor else (_PASSWORD,))

        return ask

    async def _confirmed(self, values: Values) -> bool:
        then = self._after
        if then is None:
            return False
        try:
            session, actor = await self._live()
            given = values.get("password", ""), values.get("code", "")
            await self._doors.sign_in.confirm(session, *given, actor)
            await then(*await self._live())
        except ServiceError as error:
            self._again.show_errors(errors_of(error))
            return False
        return True

    async def _enrol(self, session: Session, _actor: Actor) -> None:
        made = await self._doors.factors.enrol(session)
        with self._visit.client:
            self._setting_up.show(made.uri, made.secret)

    async def _code_given(self, code: str) -> str:
        try:
            session, actor = await self._live()
            codes = await self._doors.factors.confirm(session, code, actor)
        except ServiceError as error:
            return error.message[:1].upper() + error.message[1:] + "."
        self._show_codes(codes)
        await self._show()
        return ""

    async def _renew(self, session: Session, actor: Actor) -> None:
        self._show_codes(await self._doors.factors.renew_codes(session, actor))
        await self._show()

    async def _drop(self, session: Session, actor: Actor) -> None:
        await self._doors.factors.drop(session, actor)
        await self._show()

    def _show_codes(self, codes: list[str]) -> None:
        with self._visit.client:
            self._once.show("Recovery codes", _RECOVERY, "\n".join(codes))

    def _ending(self, session_id: str) -> Callable[[], Awaitable[None]]:
        return partial(self._try, partial(self._end, session_id))

    async def _end(self, session_id: str) -> None:
        _, actor = await self._live()
        await self._doors.sessions.end(session_id, SessionEnd.ENDED, actor)

    async def _end_others(self) -> None:
        await self._try(self._end_all_others)

    async def _end_all_others(self) -> None:
        session, actor = await self._live()
        await self._doors.sessions.end_all(actor, but=session.id)

    async def _try(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except ServiceError as error:
            self._tell(error.message)
        await self._show()

    def _tell(self, words: str) -> None:
        with self._visit.client:
            ui.notify(words)


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del names, query
    return AccountPage(visit)


ACCOUNT = Place(paths=("/account",), title="Account", build=_build, word="Account", icon="account")
