"""People and keys: who may do what in a store, and how that is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from nicegui import ui

from app.pages.keys_panel import KeysPanel
from app.pages.password_again import SureDialog, password_fields, take_password
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.act_list import Act, ActList, ActRow
from components.form_dialog import Field, FormDialog, Values
from components.moment import short_day, short_moment
from components.once_dialog import OnceDialog
from components.role_words import role_name, role_options
from models.errors import InvalidField, ServiceError
from models.permission import Permission
from models.person import Link, Member
from models.store import Role
from services.people import INVITATION_LIFE

_NO_ONE = ("Nobody is here yet", "Invite somebody by a link that works once.")
_NONE_OPEN = ("No invitation is open", "A link that was made here works once, for seven days.")
_LINK_COLUMNS = ("Invited", "Role", "Until")
_LAST_OWNER = "A store needs at least one owner."


class PeoplePage:
    """Members, invitations and API keys, each for those who may change them."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._people = visit.container.doors.people
        self._once = OnceDialog()
        self._sure = SureDialog(visit, Permission.PEOPLE)
        self._keys: KeysPanel | None = None
        if visit.caller.may(Permission.PEOPLE):
            columns = ("Person", "Role", "Second factor", "Last sign-in")
            invite = ("Invite", self._ask_invite)
            self._members = ActList("People", columns, _NO_ONE, testid="members", new=invite)
            self._links = ActList("Invitations", _LINK_COLUMNS, _NONE_OPEN, testid="invitations")
            self._invite = FormDialog("Invite a person", "Make the link", self._make_link)
            self._role = FormDialog("Change the role", "Change it", self._change_role)
            self._changing: Member | None = None
        if visit.caller.may(Permission.KEYS):
            self._keys = KeysPanel(visit, self._once)

    async def connected(self) -> None:
        """Read who and what there is."""
        if self._visit.caller.may(Permission.PEOPLE):
            await self._show()
        if self._keys is not None:
            await self._keys.show()

    def gone(self) -> None:
        """Stop following: this page follows nothing."""

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    async def _show(self) -> None:
        store_id = self._visit.store.id
        members = await self._people.members(store_id)
        links = await self._people.invitations(store_id)
        seen = await self._people.last_sign_ins(store_id)
        owners = sum(member.role is Role.OWNER for member in members)
        with self._visit.client:
            self._members.show(
                [self._member(member, seen.get(member.user_id), owners) for member in members],
                f"{len(members):,}",
            )
            self._links.show([self._link(link) for link in links], f"{len(links):,} open")

    def _member(self, member: Member, seen: datetime | None, owners: int) -> ActRow:
        visit, is_last = self._visit, member.role is Role.OWNER and owners == 1
        now, why_not = visit.container.clock.utc_now(), _LAST_OWNER if is_last else ""
        zone, is_self = visit.store.time_zone, member.user_id == visit.caller.person_id
        below = f"Here since {short_day(member.since, now, zone)}"
        has_factor = member.has_second_factor
        return ActRow(
            f"{member.email} (you)" if is_self else member.email,
            below if member.has_password else f"{below}, without a password",
            (
                (role_name(member.role), "fact"),
                ("● On" if has_factor else "○ Off", "is-completed" if has_factor else "soft"),
                (short_moment(seen, now, zone) if seen else "Not lately", "num soft"),
            ),
            (
                Act("Role", f"Change the role of {member.email}", self._asking(member), why_not),
                Act("Remove", f"Remove {member.email}", self._removing(member), why_not),
            ),
        )

    def _link(self, link: Link) -> ActRow:
        now, zone = self._visit.container.clock.utc_now(), self._visit.store.time_zone
        return ActRow(
            link.email or "",
            f"Invited {short_moment(link.created_at, now, zone)}",
            (
                (role_name(link.role or Role.VIEWER), "fact"),
                (short_moment(link.expires_at, now, zone), "num soft"),
            ),
            (Act("Revoke", f"Revoke the invitation of {link.email}", self._revoking(link)),),
        )

    async def _ask_invite(self) -> None:
        again = await password_fields(self._visit)
        with self._visit.client:
            self._invite.open(
                (
                    Field("email", "E-mail", "email", "The link is for this address only."),
                    Field("role", "Role", "select", "", "viewer", options=role_options(list(Role))),
                    *again,
                )
            )

    async def _make_link(self, values: Values) -> bool:
        visit = self._visit
        try:
            await take_password(visit, Permission.PEOPLE, values)
            caller, role = await visit.need(Permission.PEOPLE), read_role(values)
            caller.need_grant(role)
            link, token = await self._people.invite(
                caller.store_id, values.get("email", ""), role, caller.actor
            )
        except ServiceError as error:
            self._invite.show_errors(errors_of(error))
            return False
        now = visit.container.clock.utc_now()
        until = short_moment(link.expires_at, now, visit.store.time_zone)
        self._once.show(
            f"A link for {link.email}",
            f"Send it to them. It works once, until {until} ({INVITATION_LIFE.days} days).",
            f"{visit.container.settings.base_url}/join/{token}",
        )
        await self._show()
        return True

    def _asking(self, member: Member) -> Callable[[], Awaitable[None]]:
        async def ask() -> None:
            self._changing = member
            options = role_options(list(Role))
            chosen = Field("role", member.email, "select", value=member.role, options=options)
            again = await password_fields(self._visit)
            with self._visit.client:
                self._role.open((chosen, *again))

        return ask

    async def _change_role(self, values: Values) -> bool:
        member = self._changing
        if member is None:
            return False
        try:
            await take_password(self._visit, Permission.PEOPLE, values)
            caller, role = await self._visit.need(Permission.PEOPLE), read_role(values)
            caller.need_grant(role)
            await self._people.change_role(caller.store_id, member.user_id, role, caller.actor)
        except ServiceError as error:
            self._role.show_errors(errors_of(error))
            return False
        await self._show()
        return True

    def _removing(self, member: Member) -> Callable[[], Awaitable[None]]:
        return lambda: self._sure.ask(
            f"Remove {member.email}?",
            "They are signed out of this store at once, and invitations that they made end. What "
            "they did stays in the record. API keys that they know go on working: replace those.",
            "Remove",
            partial(self._try, partial(self._remove, member.user_id)),
        )

    def _revoking(self, link: Link) -> Callable[[], Awaitable[None]]:
        return lambda: self._sure.ask(
            f"Revoke the invitation of {link.email}?",
            "The link stops working at once.",
            "Revoke",
            partial(self._try, partial(self._take_back, link.id)),
        )

    async def _remove(self, user_id: str) -> None:
        caller = await self._visit.need(Permission.PEOPLE)
        await self._people.remove(caller.store_id, user_id, caller.actor)

    async def _take_back(self, link_id: str) -> None:
        caller = await self._visit.need(Permission.PEOPLE)
        await self._people.take_back(caller.store_id, link_id, caller.actor)

    async def _try(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except ServiceError as error:
            with self._visit.client:
                ui.notify(error.message, type="warning")
        await self._show()


def read_role(values: Values) -> Role:
    """Return the role that was chosen.

    Raises:
        InvalidField: There is no such role.
    """
    try:
        return Role(values.get("role", ""))
    except ValueError:
        raise InvalidField("role", "choose a role") from None


def errors_of(error: ServiceError) -> dict[str, str]:
    """Return what is wrong, at the field it is about."""
    return {error.field if isinstance(error, InvalidField) else "": error.message}


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del names, query
    return PeoplePage(visit)


PEOPLE = Place(
    paths=("/people",),
    title="People and keys",
    build=_build,
    permission=Permission.KEYS,
    word="People",
    icon="people",
)
