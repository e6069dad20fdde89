"""The people of a store: invited by a link, given a role, removed; an owner always stays."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.errors import (
    Forbidden,
    InvalidField,
    NotFoundError,
    RuleError,
    StateChanged,
    Unauthenticated,
)
from models.ids import LINK, USER, Ids
from models.instants import Clock
from models.permission import ALLOWED, Permission
from models.person import Link, LinkPurpose, Member, Person
from models.session import SessionEnd
from models.store import Actor, Role
from services.audit import audit
from services.database import Database
from services.passwords import Passwords, check_new_password
from services.sessions import Origin, Sessions
from services.sign_in import Joining
from services.storage import link as links
from services.storage import member as members
from services.storage import person as people
from services.storage import session as sessions
from services.storage import store as stores
from services.storage.statement import Transaction
from services.stores import checked_email
from services.vault import token_hash

INVITATION_LIFE = timedelta(days=7)
GONE = "This invitation was used, taken back, or its time is over. Ask for a new one."
UNCLAIMED = (
    "There is an account with this address that has no password yet. Ask the operator for a link "
    "to set one, then open this invitation again."
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody is invited to."""

    link: Link
    store_name: str
    email: str
    role: Role
    has_account: bool


class People:
    """Invites, lists and removes people, and changes their roles."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        passwords: Passwords,
        live_sessions: Sessions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._sessions = live_sessions

    async def members(self, store_id: str) -> list[Member]:
        """Return the people of a store."""
        return await self._database.read(members.read_members, store_id)

    async def invitations(self, store_id: str) -> list[Link]:
        """Return the invitations that still work, newest first."""
        return await self._database.read(links.read_open_links, store_id, self._clock.utc_now())

    async def last_sign_ins(self, store_id: str) -> dict[str, datetime]:
        """Return when each person of a store last signed in; of long ago nothing is kept."""
        return await self._database.read(sessions.last_begun, store_id)

    async def stores_of(self, user_id: str) -> list[tuple[str, str, Role]]:
        """Return the id, name and role of each store a person belongs to."""
        return await self._database.read(members.stores_of, user_id)

    async def invite(self, store_id: str, email: str, role: Role, actor: Actor) -> tuple[Link, str]:
        """Invite somebody, and return the link and its token, shown this once.

        Raises:
            InvalidField: The address cannot be, or belongs to the store already.
        """
        email = checked_email(email, "email")
        token = secrets.token_urlsafe(32)

        def invite(tx: Transaction) -> Link:
            now = self._clock.utc_now()
            if any(member.email == email for member in members.read_members(tx, store_id)):
                raise InvalidField("email", "this person is here already")
            links.drop_open_links(tx, store_id, email)
            link = Link(
                id=self._ids.new(LINK),
                purpose=LinkPurpose.INVITATION,
                store_id=store_id,
                email=email,
                role=role,
                made_by=actor.id,
                created_at=now,
                expires_at=now + INVITATION_LIFE,
                used_at=None,
            )
            links.add_link(tx, link, token_hash(token))
            after = {"email": email, "role": role}
            audit(tx, store_id, actor, "person.invited", now=now, subject_id=link.id, after=after)
            return link

        return await self._database.write(invite), token

    async def take_back(self, store_id: str, link_id: str, actor: Actor) -> None:
        """Take an invitation back.

        Raises:
            NotFoundError: There is none such, or it was used.
        """

        def take_back(tx: Transaction) -> None:
            now = self._clock.utc_now()
            open_links = links.read_open_links(tx, store_id, now)
            link = next((each for each in open_links if each.id == link_id), None)
            if link is None or not links.drop_link(tx, store_id, link_id):
                raise NotFoundError
            _audit_taken_back(tx, store_id, link, actor, now)

        await self._database.write(take_back)

    async def invitation(self, token: str) -> Invitation:
        """Return what a token invites to.

        Raises:
            NotFoundError: It is unknown, used, taken back or over.
        """
        return await self._database.read(self._invitation, token)

    async def join(self, token: str, password: str, origin: Origin) -> str:
        """Take an invitation without an account: the password makes one. Returns the person's id.

        Raises:
            NotFoundError: The invitation is unknown, used, taken back or over.
            Forbidden: There is an account without a password, which is not the inviter's to give.
            InvalidField: The password cannot be used.
            Unauthenticated: There is an account; its owner has to sign in and accept.
        """
        invited = await self.invitation(token)
        if invited.has_account:
            raise Unauthenticated("You have an account here: sign in with it.")
        check_new_password(password, invited.email)
        hashed = await self._passwords.hash(password)

        def join(tx: Transaction) -> str:
            found = self._invitation(tx, token)
            if found.has_account:
                raise StateChanged(found.link.id)
            user_id = stores.find_user_id(tx, found.email)
            if user_id is None:
                user_id, now = self._ids.new(USER), self._clock.utc_now()
                stores.add_user(
                    tx, user_id=user_id, email=found.email, password_hash=hashed, now=now
                )
            elif people.read_roles(tx, user_id):
                # Whoever invites holds the link too, and could sign in to this one's other stores.
                raise Forbidden(UNCLAIMED)
            else:
                stores.set_password(tx, user_id, hashed)
            self._enter(tx, found, user_id, origin)
            return user_id

        return await self._database.write(join)

    def accepting(self, token: str, origin: Origin) -> Joining:
        """Return what gives a role to whoever signs in; it answers with the store.

        It raises NotFoundError if the invitation is unknown, used, taken back, over or for
        somebody else.
        """

        def accept(tx: Transaction, person: Person) -> str:
            found = self._invitation(tx, token)
            if person.email != found.email:
                raise NotFoundError(GONE)
            self._enter(tx, found, person.id, origin)
            assert found.link.store_id is not None
            return found.link.store_id

        return accept

    async def change_role(self, store_id: str, user_id: str, role: Role, actor: Actor) -> None:
        """Give a person of a store another role; it holds at once, in open tabs too.

        Raises:
            NotFoundError: This person is not of this store.
            RuleError: The store would be without an owner.
        """

        def change(tx: Transaction) -> None:
            before = sessions.read_role(tx, store_id, user_id)
            if before is None:
                raise NotFoundError
            if before is role:
                return
            self._audit_role(tx, store_id, user_id, before, role, actor)
            if not members.set_role(tx, store_id, user_id, before, role):
                raise StateChanged(user_id)
            _need_owner(tx, store_id)
            if role not in ALLOWED[Permission.PEOPLE]:
                self._drop_invitations(tx, store_id, user_id, actor)

        await self._database.write(change)
        self._sessions.tell()

    async def remove(self, store_id: str, user_id: str, actor: Actor) -> None:
        """Take a person's role away; their sessions in this store end.

        Raises:
            NotFoundError: This person is not of this store.
            RuleError: The store would be without an owner.
        """

        def remove(tx: Transaction) -> None:
            before = sessions.read_role(tx, store_id, user_id)
            if before is None:
                raise NotFoundError
            now = self._clock.utc_now()
            self._audit_role(tx, store_id, user_id, before, None, actor)
            members.remove_member(tx, store_id, user_id)
            _need_owner(tx, store_id)
            self._drop_invitations(tx, store_id, user_id, actor)
            sessions.end_sessions(tx, user_id, SessionEnd.REMOVED, now, in_store=store_id)

        await self._database.write(remove)
        self._sessions.tell()

    def _invitation(self, tx: Transaction, token: str) -> Invitation:
        link = links.find_link(tx, LinkPurpose.INVITATION, token_hash(token))
        if link is None or not link.is_live(self._clock.utc_now()):
            raise NotFoundError(GONE)
        assert link.store_id is not None
        assert link.email is not None
        assert link.role is not None
        store, person = stores.read_store(tx, link.store_id), people.find_person(tx, link.email)
        assert store is not None
        has_account = person is not None and person.password_hash is not None
        return Invitation(link, store.name, link.email, link.role, has_account)

    def _enter(self, tx: Transaction, found: Invitation, user_id: str, origin: Origin) -> None:
        now, store_id = self._clock.utc_now(), found.link.store_id
        assert store_id is not None
        if not links.use_link(tx, found.link, now):
            raise NotFoundError(GONE)
        if sessions.read_role(tx, store_id, user_id) is None:
            stores.add_membership(tx, store_id, user_id, found.role, now)
        actor = origin.person(user_id)
        after = {"role": found.role, "invited_by": found.link.made_by}
        audit(tx, store_id, actor, "person.joined", now=now, subject_id=user_id, after=after)

    def _drop_invitations(self, tx: Transaction, store_id: str, made_by: str, actor: Actor) -> None:
        """Take back what somebody made who may invite no more: they hold those links."""
        now = self._clock.utc_now()
        for link in links.read_open_links(tx, store_id, now):
            if link.made_by == made_by and links.drop_link(tx, store_id, link.id):
                _audit_taken_back(tx, store_id, link, actor, now)

    def _audit_role(
        self,
        tx: Transaction,
        store_id: str,
        user_id: str,
        before: Role,
        after: Role | None,
        actor: Actor,
    ) -> None:
        """Write it down first: that also keeps two changes of a store's owners in line."""
        audit(
            tx,
            store_id,
            actor,
            "person.removed" if after is None else "role.changed",
            now=self._clock.utc_now(),
            subject_id=user_id,
            before={"role": before},
            after=None if after is None else {"role": after},
        )


def _audit_taken_back(
    tx: Transaction, store_id: str, link: Link, actor: Actor, now: datetime
) -> None:
    before = {"email": link.email, "role": link.role}
    action = "invitation.taken_back"
    audit(tx, store_id, actor, action, now=now, subject_id=link.id, before=before)


def _need_owner(tx: Transaction, store_id: str) -> None:
    if members.count_owners(tx, store_id) == 0:
        raise RuleError("A store needs at least one owner.")
