"""Sessions: begun, found by their secret, used, ended and forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, or_, select, update

from models.session import Session, SessionEnd
from models.store import Role
from models.tables.base import table_of
from models.tables.person import SessionRow
from models.tables.store import MembershipRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_sessions = table_of(SessionRow)
_memberships = table_of(MembershipRow)

_ADD = insert_into(_sessions)
_FIND = Statement(
    select(*columns(Session, _sessions)).where(_sessions.c.token_hash == bindparam("token_hash"))
)
_READ = Statement(
    select(*columns(Session, _sessions)).where(_sessions.c.id == bindparam("session_id"))
)
_READ_ROLE = Statement(
    select(_memberships.c.role).where(
        _memberships.c.user_id == bindparam("user_id"),
        _memberships.c.store_id == bindparam("store_id"),
    )
)
_READ_LIVE = Statement(
    select(*columns(Session, _sessions))
    .where(
        _sessions.c.user_id == bindparam("user_id"),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > bindparam("now"),
    )
    .order_by(_sessions.c.created_at.desc(), _sessions.c.id.desc())
    .limit(200)
)
_LAST_BEGUN = Statement(
    select(_sessions.c.user_id, func.max(_sessions.c.created_at))
    .join(_memberships, _memberships.c.user_id == _sessions.c.user_id)
    .where(_memberships.c.store_id == bindparam("store_id"))
    .group_by(_sessions.c.user_id)
)
_TOUCH = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None))
    .values(seen_at=bindparam("now"))
)
_SET_FRESH = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None))
    .values(fresh_until=bindparam("until"))
)
_SET_STORE = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None))
    .values(store_id=bindparam("to_store"))
)
_ROTATE = Statement(
    update(_sessions)
    .where(
        _sessions.c.id == bindparam("session_id"),
        _sessions.c.rotation == bindparam("from_rotation"),
        _sessions.c.ended_at.is_(None),
    )
    .values(rotation=bindparam("from_rotation") + 1, seen_at=bindparam("now"))
)
_END = Statement(
    update(_sessions)
    .where(
        _sessions.c.id == bindparam("session_id"),
        _sessions.c.user_id == bindparam("of_user"),
        _sessions.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("now"), end_reason=bindparam("reason"))
)
_END_ALL = Statement(
    update(_sessions)
    .where(
        _sessions.c.user_id == bindparam("of_user"),
        _sessions.c.id != bindparam("but"),
        _sessions.c.ended_at.is_(None),
        or_(bindparam("in_store") == "", _sessions.c.store_id == bindparam("in_store")),
    )
    .values(ended_at=bindparam("now"), end_reason=bindparam("reason"))
)
_END_EVERYBODYS = Statement(
    update(_sessions)
    .where(_sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), end_reason=bindparam("reason"))
)
_SIGNED_IN_FROM = Statement(
    select(_sessions.c.id)
    .where(
        _sessions.c.user_id == bindparam("user_id"),
        _sessions.c.created_at > bindparam("since"),
        _sessions.c.address == bindparam("address"),
    )
    .limit(1)
)
_FORGET = Statement(
    delete(_sessions).where(
        or_(
            _sessions.c.expires_at < bindparam("before"),
            and_(_sessions.c.ended_at.is_not(None), _sessions.c.ended_at < bindparam("before")),
        )
    )
)


def add_session(tx: Transaction, session: Session, token_hash: str) -> None:
    """Add a session."""
    tx.run(_ADD, **record(session, token_hash=token_hash))


def find_session(tx: Transaction, token_hash: str) -> tuple[Session, Role | None] | None:
    """Return the session of a token, and the role its person has in its store now."""
    session = tx.one(Session, _FIND, token_hash=token_hash)
    return None if session is None else (session, _role(tx, session))


def read_session(tx: Transaction, session_id: str) -> tuple[Session, Role | None] | None:
    """Return a session by its id, and the role its person has in its store now."""
    session = tx.one(Session, _READ, session_id=session_id)
    return None if session is None else (session, _role(tx, session))


def read_sessions(
    tx: Transaction, session_ids: Iterable[str]
) -> dict[str, tuple[Session, Role | None]]:
    """Return those of some sessions that are there."""
    found = {session_id: read_session(tx, session_id) for session_id in session_ids}
    return {session_id: pair for session_id, pair in found.items() if pair is not None}


def read_role(tx: Transaction, store_id: str, user_id: str) -> Role | None:
    """Return a person's role in a store."""
    found = tx.row(_READ_ROLE, user_id=user_id, store_id=store_id)
    return None if found is None else Role(found[0])


def read_live_sessions(tx: Transaction, user_id: str, now: datetime) -> list[Session]:
    """Return a person's sessions that are not over, newest first."""
    return tx.all(Session, _READ_LIVE, user_id=user_id, now=now)


def touch_session(tx: Transaction, session_id: str, now: datetime) -> None:
    """Remember that a session was used."""
    tx.run(_TOUCH, session_id=session_id, now=now)


def set_fresh(tx: Transaction, session_id: str, until: datetime) -> None:
    """Remember that the password was just given."""
    tx.run(_SET_FRESH, session_id=session_id, until=until)


def set_store(tx: Transaction, session_id: str, store_id: str) -> None:
    """Act in another store from now on."""
    tx.run(_SET_STORE, session_id=session_id, to_store=store_id)


def rotate(tx: Transaction, session_id: str, rotation: int, now: datetime) -> bool:
    """Count a refresh token as used; False if it was used before."""
    return tx.run(_ROTATE, session_id=session_id, from_rotation=rotation, now=now) == 1


def end_session(
    tx: Transaction, user_id: str, session_id: str, reason: SessionEnd, now: datetime
) -> bool:
    """End one of a person's sessions; False if it is not theirs or is over."""
    return tx.run(_END, session_id=session_id, of_user=user_id, reason=reason, now=now) == 1


def end_sessions(
    tx: Transaction,
    user_id: str,
    reason: SessionEnd,
    now: datetime,
    *,
    but: str = "",
    in_store: str = "",
) -> int:
    """End all sessions of a person, or all but one, or those in one store; returns how many."""
    return tx.run(_END_ALL, of_user=user_id, but=but, in_store=in_store, reason=reason, now=now)


def end_everybodys(tx: Transaction, reason: SessionEnd, now: datetime) -> int:
    """End the sessions of all people; returns how many."""
    return tx.run(_END_EVERYBODYS, reason=reason, now=now)


def has_signed_in_from(tx: Transaction, user_id: str, address: str, since: datetime) -> bool:
    """Tell whether a person signed in from an address lately."""
    return tx.row(_SIGNED_IN_FROM, user_id=user_id, address=address, since=since) is not None


def last_begun(tx: Transaction, store_id: str) -> dict[str, datetime]:
    """Return when each person of a store last signed in, as far as sessions are kept."""
    return {row[0]: row[1] for row in tx.rows(_LAST_BEGUN, store_id=store_id)}


def forget_sessions(tx: Transaction, before: datetime) -> int:
    """Drop what was over before a moment, of all people."""
    return tx.run(_FORGET, before=before)


def _role(tx: Transaction, session: Session) -> Role | None:
    return read_role(tx, session.store_id, session.user_id)
