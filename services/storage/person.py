"""People: passwords, tries, second factors and recovery codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upserting

from models.person import Person, SecondFactor, Tries
from models.store import Role
from models.tables.base import table_of
from models.tables.person import RecoveryCodeRow, SecondFactorRow, SignInTryRow
from models.tables.store import MembershipRow, UserRow
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_users = table_of(UserRow)
_memberships = table_of(MembershipRow)
_tries = table_of(SignInTryRow)
_factors = table_of(SecondFactorRow)
_codes = table_of(RecoveryCodeRow)

_PERSON = (
    select(
        _users.c.id,
        _users.c.email,
        _users.c.password_hash,
        _factors.c.confirmed_at.is_not(None),
    )
    .select_from(_users)
    .outerjoin(_factors, _factors.c.user_id == _users.c.id)
)
_FIND_PERSON = Statement(_PERSON.where(_users.c.email == bindparam("email")))
_READ_PERSON = Statement(_PERSON.where(_users.c.id == bindparam("user_id")))
_READ_STORES = Statement(
    select(_memberships.c.store_id, _memberships.c.role)
    .where(_memberships.c.user_id == bindparam("user_id"))
    .order_by(_memberships.c.created_at, _memberships.c.store_id)
)
_adding_try = upserting(_tries).values(
    account=bindparam("account"),
    fails=1,
    last_at=bindparam("now"),
    blocked_until=bindparam("now"),
)
# One statement, so that of many at once each sees the one before; a try while it is blocked
# changes nothing.
_is_blocked = _tries.c.blocked_until > bindparam("now")
_ADD_TRY = Statement(
    _adding_try.on_conflict_do_update(
        index_elements=["account"],
        set_={
            "fails": case(
                (_is_blocked, _tries.c.fails),
                (_tries.c.last_at < bindparam("anew"), 1),
                else_=_tries.c.fails + 1,
            ),
            "last_at": case((_is_blocked, _tries.c.last_at), else_=bindparam("now")),
        },
    ).returning(*columns(Tries, _tries))
)
_BLOCK = Statement(
    update(_tries)
    .where(_tries.c.account == bindparam("of_account"))
    .values(blocked_until=bindparam("until"))
)
_FORGET_TRIES = Statement(delete(_tries).where(_tries.c.account == bindparam("account")))
_FORGET_OLD_TRIES = Statement(delete(_tries).where(_tries.c.last_at < bindparam("before")))
# A flood of addresses that are nobody's must not push out whoever is being guessed at.
_FORGET_MANY_TRIES = Statement(
    delete(_tries).where(
        _tries.c.account.in_(
            select(_tries.c.account)
            .order_by(_tries.c.fails.desc(), _tries.c.last_at.desc())
            .offset(bindparam("most"))
        )
    )
)
_READ_FACTOR = Statement(
    select(*columns(SecondFactor, _factors)).where(_factors.c.user_id == bindparam("user_id"))
)
_ADD_FACTOR = insert_into(_factors)
_DROP_FACTOR = Statement(delete(_factors).where(_factors.c.user_id == bindparam("user_id")))
_TAKE_STEP = Statement(
    update(_factors)
    .where(_factors.c.user_id == bindparam("of_user"), _factors.c.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
)
_CONFIRM_FACTOR = Statement(
    update(_factors)
    .where(_factors.c.user_id == bindparam("of_user"), _factors.c.confirmed_at.is_(None))
    .values(confirmed_at=bindparam("now"))
)
_ADD_CODE = insert_into(_codes)
_DROP_CODES = Statement(delete(_codes).where(_codes.c.user_id == bindparam("user_id")))
_USE_CODE = Statement(
    update(_codes)
    .where(
        _codes.c.code_hash == bindparam("of_hash"),
        _codes.c.user_id == bindparam("of_user"),
        _codes.c.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
)
_COUNT_CODES = Statement(
    select(_codes.c.code_hash)
    .where(_codes.c.user_id == bindparam("user_id"), _codes.c.used_at.is_(None))
    .limit(100)
)


def find_person(tx: Transaction, email: str) -> Person | None:
    """Return the person with an e-mail address."""
    return _person(tx.row(_FIND_PERSON, email=email))


def read_person(tx: Transaction, user_id: str) -> Person | None:
    """Return a person."""
    return _person(tx.row(_READ_PERSON, user_id=user_id))


def read_roles(tx: Transaction, user_id: str) -> list[tuple[str, Role]]:
    """Return the stores a person has a role in, the first one first."""
    return [(row[0], row[1]) for row in tx.rows(_READ_STORES, user_id=user_id)]


def count_try(tx: Transaction, account: str, now: datetime, anew: datetime) -> Tries:
    """Count a try before it is looked at, unless it is blocked; those long ago are forgotten."""
    found = tx.one(Tries, _ADD_TRY, account=account, now=now, anew=anew)
    assert found is not None
    return found


def block(tx: Transaction, account: str, until: datetime) -> None:
    """Look at no further try of an account for a while."""
    tx.run(_BLOCK, of_account=account, until=until)


def forget_tries(tx: Transaction, account: str) -> None:
    """Begin to count anew, after a try that was right."""
    tx.run(_FORGET_TRIES, account=account)


def forget_old_tries(tx: Transaction, before: datetime) -> int:
    """Drop what nobody waits for any more."""
    return tx.run(_FORGET_OLD_TRIES, before=before)


def forget_many_tries(tx: Transaction, most: int) -> int:
    """Keep so many at most: those that failed most often, then the newest."""
    return tx.run(_FORGET_MANY_TRIES, most=most)


def read_factor(tx: Transaction, user_id: str) -> SecondFactor | None:
    """Return a person's authenticator, confirmed or not."""
    return tx.one(SecondFactor, _READ_FACTOR, user_id=user_id)


def put_factor(tx: Transaction, factor: SecondFactor) -> None:
    """Keep an authenticator in place of the one before."""
    tx.run(_DROP_FACTOR, user_id=factor.user_id)
    tx.run(_ADD_FACTOR, **record(factor))


def drop_factor(tx: Transaction, user_id: str) -> None:
    """Ask a person for the password only; the recovery codes go too."""
    tx.run(_DROP_FACTOR, user_id=user_id)
    tx.run(_DROP_CODES, user_id=user_id)


def take_step(tx: Transaction, user_id: str, step: int) -> bool:
    """Take the code of a time step; False if that step or a newer one was taken before."""
    return tx.run(_TAKE_STEP, of_user=user_id, step=step) == 1


def confirm_factor(tx: Transaction, user_id: str, now: datetime) -> bool:
    """Ask for codes from now on; False if that is so already."""
    return tx.run(_CONFIRM_FACTOR, of_user=user_id, now=now) == 1


def put_codes(tx: Transaction, user_id: str, code_hashes: list[str], now: datetime) -> None:
    """Keep new recovery codes in place of the ones before."""
    tx.run(_DROP_CODES, user_id=user_id)
    rows = [
        {"code_hash": code_hash, "user_id": user_id, "created_at": now, "used_at": None}
        for code_hash in code_hashes
    ]
    tx.many(_ADD_CODE, rows)


def use_code(tx: Transaction, user_id: str, code_hash: str, now: datetime) -> bool:
    """Use a recovery code; False if there is none such, or it was used."""
    return tx.run(_USE_CODE, of_hash=code_hash, of_user=user_id, now=now) == 1


def count_codes(tx: Transaction, user_id: str) -> int:
    """Return how many recovery codes are left."""
    return len(tx.rows(_COUNT_CODES, user_id=user_id))


def _person(row: tuple[object, ...] | None) -> Person | None:
    if row is None:
        return None
    user_id, email, password_hash, has_factor = row
    password = None if password_hash is None else str(password_hash)
    return Person(str(user_id), str(email), password, bool(has_factor))
