"""A new password for somebody who has lost theirs, by a link that the operator hands them.

The link is signed over the hash of the old password, so it ends with that: it works once.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import timedelta

from models.errors import NotFoundError
from models.instants import Clock, from_seconds, to_seconds
from models.person import Person
from models.session import SessionEnd
from models.store import Actor
from services.audit import audit
from services.database import Database
from services.passwords import Passwords, check_new_password
from services.sessions import Origin, Sessions
from services.storage import person as people
from services.storage import session as sessions
from services.storage import store as stores
from services.storage.statement import Transaction
from services.vault import Vault

RESET_LIFE = timedelta(hours=1)
GONE = "This link was used, or its time is over. Ask the operator for a new one."
TOKEN_LIMIT = 500
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Reset:
    """Who gets a new password, and whether their authenticator is lost too."""

    person: Person
    drops_factor: bool


class Resets:
    """Makes such links, and takes them."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        live_sessions: Sessions,
        passwords: Passwords,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._sessions = live_sessions
        self._passwords = passwords

    async def begin(self, email: str, actor: Actor, *, drops_factor: bool) -> str:
        """End all sessions of a person, and return the token of their link.

        Raises:
            NotFoundError: Nobody has this address.
        """

        def begin(tx: Transaction) -> Person:
            person = people.find_person(tx, email.strip().lower())
            if person is None:
                raise NotFoundError("Nobody here has this address.")
            sessions.end_sessions(tx, person.id, SessionEnd.PASSWORD, self._clock.utc_now())
            self._tell(tx, person, actor, "password.reset_begun", drops_factor=drops_factor)
            return person

        person = await self._database.write(begin)
        self._sessions.tell()
        until = to_seconds(self._clock.utc_now() + RESET_LIFE)
        body = f"{person.id}:{until}:{int(drops_factor)}"
        return base64.urlsafe_b64encode(f"{body}:{self._sign(body, person)}".encode()).decode()

    async def read(self, token: str) -> Reset:
        """Return what a token is for.

        Raises:
            NotFoundError: It is none of ours, was used, or its time is over.
        """
        return await self._database.read(self._read, token)

    async def use(self, token: str, password: str, origin: Origin) -> None:
        """Set the new password; an authenticator goes only if that was asked for.

        Raises:
            NotFoundError: The token is none of ours, was used, or its time is over.
            InvalidField: The password cannot be used.
        """
        found = await self.read(token)
        check_new_password(password, found.person.email)
        hashed = await self._passwords.hash(password)

        def use(tx: Transaction) -> None:
            reset, now = self._read(tx, token), self._clock.utc_now()
            person = reset.person
            stores.set_password(tx, person.id, hashed)
            sessions.end_sessions(tx, person.id, SessionEnd.PASSWORD, now)
            if reset.drops_factor:
                people.drop_factor(tx, person.id)
            actor = origin.person(person.id)
            self._tell(tx, person, actor, "password.reset", drops_factor=reset.drops_factor)

        await self._database.write(use)
        self._sessions.tell()

    def _read(self, tx: Transaction, token: str) -> Reset:
        user_id, until, drops_factor, signature = _opened(token)
        person = people.read_person(tx, user_id)
        if person is None:
            raise NotFoundError(GONE)
        own = self._sign(f"{user_id}:{until}:{drops_factor}", person)
        if not hmac.compare_digest(own, signature):
            raise NotFoundError(GONE)
        if from_seconds(int(until)) <= self._clock.utc_now():
            raise NotFoundError(GONE)
        return Reset(person, drops_factor == "1")

    def _sign(self, body: str, person: Person) -> str:
        return self._vault.find_hash("password reset", f"{body}:{person.password_hash}".encode())

    def _tell(
        self, tx: Transaction, person: Person, actor: Actor, action: str, *, drops_factor: bool
    ) -> None:
        after = {"authenticator": "removed" if drops_factor else "kept"}
        now = self._clock.utc_now()
        for store_id in sorted(store_id for store_id, _ in people.read_roles(tx, person.id)):
            audit(tx, store_id, actor, action, now=now, subject_id=person.id, after=after)


def _opened(token: str) -> tuple[str, str, str, str]:
    try:
        parts = base64.urlsafe_b64decode(token[:TOKEN_LIMIT].encode()).decode().split(":")
    except ValueError:
        parts = []
    if len(parts) != _PARTS or not all(part.isascii() for part in parts):
        raise NotFoundError(GONE)
    return parts[0], parts[1], parts[2], parts[3]
