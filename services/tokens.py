"""Tokens of people who script as themselves: a short access token, a refresh token that rotates.

Both name a session. A refresh token works once; if an older one comes back it was stolen, by one
of the two who have it, so the whole family ends.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from models.errors import InvalidField, Unauthenticated
from models.ids import SESSION, is_id
from models.instants import Clock, to_seconds
from models.person import Person
from models.session import Session, SessionEnd, SessionKind
from services import jwt
from services.audit import audit
from services.database import Database
from services.sessions import Origin, Sessions, Standing
from services.sign_in import SignIn
from services.storage import person as people
from services.storage import session as session_storage
from services.storage.statement import Transaction
from services.vault import Vault

_log = structlog.get_logger(__name__)

ACCESS_LIFE = timedelta(minutes=15)
AUDIENCE = "flash-payouts/v1"
REFRESH_PREFIX = "fpr"
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """What a program is handed; both are secrets."""

    access: str
    refresh: str
    access_life_s: int
    session: Session


class Tokens:
    """Hands out pairs of tokens, and reads them."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, sessions: Sessions, sign_in: SignIn
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._sessions = sessions
        self._sign_in = sign_in

    async def begin(
        self,
        email: str,
        password: str,
        code: str | None,
        origin: Origin,
        store_id: str | None = None,
    ) -> Pair:
        """Sign in and return the first pair of a family, for the first store or the one named.

        Raises:
            InvalidField: All is right, but the person has no role in that store.
            Unauthenticated: Something is not right; it is not said what.
            SecondFactorNeeded: All is right, but a code is needed.
            RateLimited: Too much failed; try again later.
        """
        joining = None if store_id is None else partial(_choose, store_id)
        kind = SessionKind.TOKENS
        done = await self._sign_in.enter(email, password, code, origin, kind, joining)
        return self._pair(done.session, 0)

    async def refresh(self, text: str, origin: Origin) -> Pair:
        """Return the next pair for a refresh token, which then works no more.

        Raises:
            Unauthenticated: It is not one of ours, was used before, or its family is over.
        """
        session_id, rotation = self._read_refresh(text)
        standing = await self._sessions.read(session_id)
        if standing is None or standing.session.kind is not SessionKind.TOKENS:
            raise Unauthenticated("This refresh token works no more.")
        session = standing.session
        now = self._clock.utc_now()

        def rotate(tx: Transaction) -> bool:
            if session_storage.rotate(tx, session_id, rotation, now):
                return True
            # Whoever shows an old one is not to be told from whoever took it.
            session_storage.end_session(tx, session.user_id, session_id, SessionEnd.REUSED, now)
            actor = origin.person(session.user_id, session_id)
            audit(tx, session.store_id, actor, "token.reused", now=now, subject_id=session_id)
            return False

        if not await self._database.write(rotate):
            _log.warning("token.reused", session_id=session_id)
            self._sessions.tell()
            raise Unauthenticated("This refresh token works no more.")
        return self._pair(session, rotation + 1)

    async def revoke(self, text: str, origin: Origin) -> None:
        """End the family of a refresh token.

        Raises:
            Unauthenticated: It is not one of ours.
        """
        session_id, _ = self._read_refresh(text)
        standing = await self._sessions.read(session_id)
        if standing is not None:
            actor = origin.person(standing.session.user_id, session_id)
            await self._sessions.end(session_id, SessionEnd.SIGNED_OUT, actor)

    async def standing(self, access: str) -> Standing:
        """Return the live session of an access token, with the role of now.

        Raises:
            Unauthenticated: It is not one of ours, or it or its session is over.
        """
        now_s = to_seconds(self._clock.utc_now())
        key = self._vault.token_key
        claims = jwt.read(access, key, audience=AUDIENCE, now_s=now_s)
        session_id = None if claims is None else claims.get("sid")
        if not isinstance(session_id, str) or not is_id(session_id, SESSION):
            raise Unauthenticated("This access token is not valid, or its time is over.")
        standing = await self._sessions.read(session_id)
        if standing is None or standing.session.kind is not SessionKind.TOKENS:
            raise Unauthenticated("This access token is not valid, or its time is over.")
        return standing

    def _pair(self, session: Session, rotation: int) -> Pair:
        now_s = to_seconds(self._clock.utc_now())
        life_s = int(ACCESS_LIFE.total_seconds())
        claims = {
            "iss": "flash-payouts",
            "aud": AUDIENCE,
            "sub": session.user_id,
            "sid": session.id,
            "store": session.store_id,
            "iat": now_s,
            "exp": now_s + life_s,
        }
        access = jwt.sign(claims, self._vault.token_key)
        signature = self._signature(session.id, rotation)
        refresh = f"{REFRESH_PREFIX}.{session.id}.{rotation}.{signature}"
        return Pair(access, refresh, life_s, session)

    def _read_refresh(self, text: str) -> tuple[str, int]:
        parts = text.split(".")
        if len(text) <= jwt.TOKEN_LIMIT and text.isascii() and len(parts) == _PARTS:
            prefix, session_id, number, signature = parts
            if prefix == REFRESH_PREFIX and is_id(session_id, SESSION) and number.isdigit():
                rotation = int(number[:9])
                if hmac.compare_digest(self._signature(session_id, rotation), signature):
                    return session_id, rotation
        raise Unauthenticated("This is not a refresh token.")

    def _signature(self, session_id: str, rotation: int) -> str:
        return self._vault.find_hash("refresh token", f"{session_id}:{rotation}".encode())


def _choose(store_id: str, tx: Transaction, person: Person) -> str:
    if store_id not in {each for each, _ in people.read_roles(tx, person.id)}:
        raise InvalidField("store_id", "you have no role in this store")
    return store_id
