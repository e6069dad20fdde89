"""Signing in: password, code, and a growing pause after failures.

An account that does not exist is answered like one that does: the same words, after the same work.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from models.errors import RateLimited, SecondFactorNeeded, Unauthenticated
from models.instants import Clock, from_seconds, to_seconds
from models.person import Person
from models.session import FRESH, Session, SessionEnd, SessionKind
from models.store import Actor
from services.audit import audit
from services.database import Database
from services.passwords import Passwords, check_new_password
from services.second_factors import SecondFactors
from services.sessions import Origin, Sessions
from services.storage import person as people
from services.storage import session as session_storage
from services.storage import store as stores
from services.storage.statement import Transaction
from services.throttle_policy import FORGET_AFTER, wait_after
from services.vault import Vault, token_hash

_log = structlog.get_logger(__name__)

REFUSED = "E-mail, password or code is not right."
PASSWORD_LIMIT = 1000
EMAIL_LIMIT = 320
# Between the password and the code.
HALF_WAY = timedelta(minutes=5)
KNOWN_ADDRESS_FOR = timedelta(days=30)


# Gives a role to whoever has shown who they are, and returns the store to begin in.
Joining = Callable[[Transaction, Person], str]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun, and its secret, which is nowhere else."""

    session: Session
    token: str


class SignIn:
    """Lets people in, and asks them again before dangerous acts."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        sessions: Sessions,
        passwords: Passwords,
        factors: SecondFactors,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._sessions = sessions
        self._passwords = passwords
        self._factors = factors

    async def enter(
        self,
        email: str,
        password: str,
        code: str | None,
        origin: Origin,
        kind: SessionKind = SessionKind.BROWSER,
        joining: Joining | None = None,
    ) -> SignedIn:
        """Begin a session with e-mail, password and, where one is asked for, a code.

        Somebody without a role is let in only by `joining`, in the same transaction; it also says
        which store to begin in.

        Raises:
            Unauthenticated: Something is not right; it is not said what.
            SecondFactorNeeded: All is right, but a code is needed.
            RateLimited: Too much failed; try again later.
        """
        email = email.strip().lower()[:EMAIL_LIMIT]
        with self._passwords.place():
            account = await self._count(email, origin)
            person = await self._database.read(people.find_person, email)
            await self._check_password(person, password, origin)
        assert person is not None
        if person.has_second_factor and not code:
            raise SecondFactorNeeded(self._ticket(person))
        await self._rehash(person, password)
        return await self._finish(account, person, code, origin, kind, joining)

    async def enter_with_code(self, ticket: str, code: str, origin: Origin) -> SignedIn:
        """Begin a session with the code that was missing.

        Raises:
            Unauthenticated: The code is not right, or the password was given too long ago.
            RateLimited: Too much failed; try again later.
        """
        user_id = self._read_ticket(ticket)
        person = None if user_id is None else await self._database.read(people.read_person, user_id)
        if person is None or not hmac.compare_digest(self._ticket_of(ticket, person), ticket):
            raise Unauthenticated("Sign in again.")
        account = await self._count(person.email, origin)
        return await self._finish(account, person, code, origin, SessionKind.BROWSER)

    async def confirm(self, session: Session, password: str, code: str, actor: Actor) -> None:
        """Take the password again, so that dangerous acts are allowed for a while.

        Raises:
            Unauthenticated: Password or code is not right.
            RateLimited: Too much failed; try again later.
        """
        person = await self._database.read(people.read_person, session.user_id)
        assert person is not None
        origin = Origin(actor.address, actor.agent, actor.request_id)
        with self._passwords.place():
            account = await self._count(person.email, origin)
            await self._check_password(person, password, origin)

        def confirm(tx: Transaction) -> bool:
            if person.has_second_factor and not self._factors.is_right(tx, person.id, code):
                return False
            people.forget_tries(tx, account)
            now = self._clock.utc_now()
            session_storage.set_fresh(tx, session.id, now + FRESH)
            action, after = "session.confirmed", {"until": now + FRESH}
            audit(tx, session.store_id, actor, action, now=now, subject_id=session.id, after=after)
            return True

        if not await self._database.write(confirm):
            await self._refuse(person, "code", origin)

    async def change_password(
        self, session: Session, old: str, new: str, code: str, actor: Actor
    ) -> None:
        """Change the password; all other sessions of the person end.

        Raises:
            InvalidField: The new one cannot be used.
            Unauthenticated: The old one, or the code, is not right.
            RateLimited: Too much failed; try again later.
        """
        await self.confirm(session, old, code, actor)
        person = await self._database.read(people.read_person, session.user_id)
        assert person is not None
        check_new_password(new, person.email)
        hashed = await self._passwords.hash(new)

        def change(tx: Transaction) -> None:
            now = self._clock.utc_now()
            stores.set_password(tx, person.id, hashed)
            ended = session_storage.end_sessions(
                tx, person.id, SessionEnd.PASSWORD, now, but=session.id
            )
            after = {"sessions_ended": ended}
            audit(
                tx,
                session.store_id,
                actor,
                "password.changed",
                now=now,
                subject_id=person.id,
                after=after,
            )

        await self._database.write(change)
        self._sessions.tell()

    async def _count(self, email: str, origin: Origin) -> str:
        """Count a try before anything is looked at, so that many at once count as many.

        From an address that the person signed in from lately, failures of strangers do not count.
        """
        strangers, own = self._account(email, None), self._account(email, origin.address)

        def count(tx: Transaction) -> tuple[str, int]:
            now = self._clock.utc_now()
            person = people.find_person(tx, email)
            is_known = session_storage.has_signed_in_from(
                tx,
                "" if person is None else person.id,
                origin.address or "",
                now - KNOWN_ADDRESS_FOR,
            )
            account = own if is_known else strangers
            tries = people.count_try(tx, account, now, now - FORGET_AFTER)
            if tries.blocked_until > now:
                return account, max(1, -(-(tries.blocked_until - now) // timedelta(seconds=1)))
            people.block(tx, account, now + wait_after(tries.fails))
            return account, 0

        account, wait_s = await self._database.write(count)
        if wait_s:
            _log.info("sign_in.throttled", address=origin.address)
            raise RateLimited(wait_s, "Too many tries; wait a little.")
        return account

    async def _check_password(self, person: Person | None, password: str, origin: Origin) -> None:
        known = None if person is None else person.password_hash
        is_right = len(password) <= PASSWORD_LIMIT and await self._passwords.verify(known, password)
        if not is_right:
            await self._refuse(person, "password", origin)

    async def _finish(
        self,
        account: str,
        person: Person,
        code: str | None,
        origin: Origin,
        kind: SessionKind,
        joining: Joining | None = None,
    ) -> SignedIn:
        def finish(tx: Transaction) -> SignedIn | None:
            if person.has_second_factor and not self._factors.is_right(tx, person.id, code or ""):
                return None
            chosen = None if joining is None else joining(tx, person)
            roles = people.read_roles(tx, person.id)
            if not roles:
                return None
            people.forget_tries(tx, account)
            session, token = self._sessions.new(kind, person.id, chosen or roles[0][0], origin)
            session_storage.add_session(tx, session, token_hash(token))
            after = {"kind": kind, "session": session.id, "agent": session.agent}
            actor = origin.person(person.id, session.id)
            audit(
                tx,
                session.store_id,
                actor,
                "sign_in.ok",
                now=session.created_at,
                subject_id=person.id,
                after=after,
            )
            return SignedIn(session, token)

        done = await self._database.write(finish)
        if done is None:
            await self._refuse(person, "code", origin)
        assert done is not None
        return done

    async def _refuse(self, person: Person | None, wrong: str, origin: Origin) -> None:
        """Write down what failed, for people that are there; say the same for all."""

        def write_down(tx: Transaction) -> None:
            now = self._clock.utc_now()
            for store_id, _ in people.read_roles(tx, "" if person is None else person.id)[:1]:
                assert person is not None
                audit(
                    tx,
                    store_id,
                    origin.person(person.id),
                    "sign_in.refused",
                    now=now,
                    subject_id=person.id,
                    after={"wrong": wrong},
                )

        await self._database.write(write_down)
        _log.info("sign_in.refused", address=origin.address)
        raise Unauthenticated(REFUSED)

    async def _rehash(self, person: Person, password: str) -> None:
        if person.password_hash is not None and self._passwords.is_outdated(person.password_hash):
            hashed = await self._passwords.hash(password)
            await self._database.write(stores.set_password, person.id, hashed)

    def _account(self, email: str, address: str | None) -> str:
        return self._vault.find_hash("sign-in account", f"{email}\x00{address or ''}".encode())

    def _ticket(self, person: Person) -> str:
        until = to_seconds(self._clock.utc_now() + HALF_WAY)
        return self._signed(f"{person.id}:{until}", person)

    def _ticket_of(self, ticket: str, person: Person) -> str:
        return self._signed(_opened(ticket), person)

    def _signed(self, body: str, person: Person) -> str:
        # With the password's hash inside, a ticket ends when the password changes.
        message = f"{body}:{person.password_hash}".encode()
        signature = self._vault.find_hash("sign-in ticket", message)
        return base64.urlsafe_b64encode(f"{body}:{signature}".encode()).decode()

    def _read_ticket(self, ticket: str) -> str | None:
        user_id, _, until = _opened(ticket).partition(":")
        if not until.isascii() or not until.isdigit():
            return None
        is_over = from_seconds(int(until[:12])) <= self._clock.utc_now()
        return None if is_over else user_id


def _opened(ticket: str) -> str:
    try:
        return base64.urlsafe_b64decode(ticket.encode()).decode().rpartition(":")[0]
    except ValueError:
        return ""
