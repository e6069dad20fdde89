"""Sessions of people: begun after a sign-in, looked up at each request, ended at any time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from models.errors import Forbidden, NotFoundError
from models.ids import SESSION, Ids
from models.instants import Clock
from models.session import FRESH, WHOLE_LIFE, Session, SessionEnd, SessionKind
from models.store import Actor, ActorKind, Role
from services.audit import audit
from services.database import Database
from services.plain_text import plain_text
from services.storage import session as sessions
from services.storage.statement import Transaction
from services.vault import token_hash

AGENT_LIMIT = 200
KEEP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, as far as it says."""

    address: str | None = None
    agent: str | None = None
    request_id: str | None = None

    def person(self, user_id: str, session_id: str | None = None) -> Actor:
        """Return a person who acts from here."""
        return self._actor(ActorKind.PERSON, user_id, session_id)

    def api_key(self, key_id: str) -> Actor:
        """Return an API key that is used from here."""
        return self._actor(ActorKind.API_KEY, key_id, None)

    def _actor(self, kind: ActorKind, actor_id: str, session_id: str | None) -> Actor:
        agent = None if self.agent is None else plain_text(self.agent, AGENT_LIMIT)
        return Actor(kind, actor_id, self.address, self.request_id, session_id, agent)


@dataclass(frozen=True, slots=True)
class Standing:
    """A live session, and what its person may do now."""

    session: Session
    role: Role


class Sessions:
    """Begins, finds, lists and ends sessions; the secret itself is only with the browser."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a listener told, in the event loop, that sessions or roles changed here."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Tell the listeners that somebody's rights changed."""
        for listener in self._listeners:
            listener()

    def new(
        self, kind: SessionKind, user_id: str, store_id: str, origin: Origin
    ) -> tuple[Session, str]:
        """Return a session that is not kept yet, and its secret."""
        now = self._clock.utc_now()
        session = Session(
            id=self._ids.new(SESSION),
            kind=kind,
            user_id=user_id,
            store_id=store_id,
            rotation=0,
            created_at=now,
            seen_at=now,
            expires_at=now + WHOLE_LIFE[kind],
            fresh_until=now + FRESH,
            address=origin.address,
            agent=None if origin.agent is None else plain_text(origin.agent, AGENT_LIMIT),
            ended_at=None,
            end_reason=None,
        )
        return session, secrets.token_urlsafe(32)

    async def find(self, token: str) -> Standing | None:
        """Return the live session of a secret, and count it as used."""
        found = await self._database.read(sessions.find_session, token_hash(token))
        standing = self._standing(found)
        if standing is not None:
            await self.touch(standing.session)
        return standing

    async def read(self, session_id: str) -> Standing | None:
        """Return a live session by its id, without counting it as used."""
        return self._standing(await self._database.read(sessions.read_session, session_id))

    async def standing(self, session_ids: Iterable[str]) -> dict[str, Standing]:
        """Return those of some sessions that are live, with the roles of now."""
        pairs = await self._database.read(sessions.read_sessions, list(session_ids))
        found = {session_id: self._standing(pair) for session_id, pair in pairs.items()}
        return {name: standing for name, standing in found.items() if standing is not None}

    async def touch(self, session: Session) -> None:
        """Remember that a session is used, at most once a minute."""
        now = self._clock.utc_now()
        if session.may_be_touched(now):
            await self._database.write(sessions.touch_session, session.id, now)

    async def live_of(self, user_id: str) -> list[Session]:
        """Return a person's live sessions, newest first."""
        now = self._clock.utc_now()
        found = await self._database.read(sessions.read_live_sessions, user_id, now)
        return [session for session in found if session.is_live(now)]

    async def end(self, session_id: str, reason: SessionEnd, actor: Actor) -> None:
        """End one of the actor's own sessions.

        Raises:
            NotFoundError: It is not theirs, or is over.
        """
        await self._database.write(self._end, session_id, reason, actor)
        self.tell()

    async def end_all(self, actor: Actor, *, but: str = "") -> int:
        """End all of the actor's own sessions, or all but one; returns how many."""
        count = await self._database.write(self._end_all, actor, but)
        self.tell()
        return count

    async def choose_store(self, session: Session, store_id: str) -> None:
        """Act in another store of the person.

        Raises:
            Forbidden: The person has no role there.
        """

        def choose(tx: Transaction) -> None:
            if sessions.read_role(tx, store_id, session.user_id) is None:
                raise Forbidden("You have no role in this store.")
            sessions.set_store(tx, session.id, store_id)

        await self._database.write(choose)
        self.tell()

    def need_fresh(self, session: Session) -> None:
        """Refuse a dangerous act unless the password was given a short while ago.

        Raises:
            Forbidden: It is too long ago.
        """
        if not session.is_fresh(self._clock.utc_now()):
            raise Forbidden("Give your password again for this.")

    def _standing(self, found: tuple[Session, Role | None] | None) -> Standing | None:
        if found is None or found[1] is None or not found[0].is_live(self._clock.utc_now()):
            return None
        return Standing(found[0], found[1])

    def _end(self, tx: Transaction, session_id: str, reason: SessionEnd, actor: Actor) -> None:
        now = self._clock.utc_now()
        found = sessions.read_session(tx, session_id)
        assert actor.id is not None, "only people have sessions"
        if found is None or not sessions.end_session(tx, actor.id, session_id, reason, now):
            raise NotFoundError
        store_id = found[0].store_id
        after = {"reason": reason}
        audit(tx, store_id, actor, "session.ended", now=now, subject_id=session_id, after=after)

    def _end_all(self, tx: Transaction, actor: Actor, but: str) -> int:
        now = self._clock.utc_now()
        assert actor.id is not None, "only people have sessions"
        stores = {found.store_id for found in sessions.read_live_sessions(tx, actor.id, now)}
        count = sessions.end_sessions(tx, actor.id, SessionEnd.ENDED, now, but=but)
        for store_id in sorted(stores if count else ()):
            audit(tx, store_id, actor, "sessions.ended", now=now, after={"count": count})
        return count
