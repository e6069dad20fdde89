"""Who has which role in a store."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from models.person import Member
from models.store import Role
from models.tables.base import table_of
from models.tables.person import SecondFactorRow
from models.tables.store import MembershipRow, StoreRow, UserRow
from services.storage.statement import Statement, Transaction

_users = table_of(UserRow)
_stores = table_of(StoreRow)
_memberships = table_of(MembershipRow)
_factors = table_of(SecondFactorRow)

_READ = Statement(
    select(
        _users.c.id,
        _users.c.email,
        _memberships.c.role,
        _memberships.c.created_at,
        _users.c.password_hash.is_not(None),
        _factors.c.confirmed_at.is_not(None),
    )
    .select_from(_memberships)
    .join(_users, _users.c.id == _memberships.c.user_id)
    .outerjoin(_factors, _factors.c.user_id == _users.c.id)
    .where(_memberships.c.store_id == bindparam("store_id"))
    .order_by(_memberships.c.created_at, _users.c.id)
)
_SET_ROLE = Statement(
    update(_memberships)
    .where(
        _memberships.c.store_id == bindparam("in_store"),
        _memberships.c.user_id == bindparam("of_user"),
        _memberships.c.role == bindparam("from_role"),
    )
    .values(role=bindparam("to_role"))
)
_REMOVE = Statement(
    delete(_memberships).where(
        _memberships.c.store_id == bindparam("store_id"),
        _memberships.c.user_id == bindparam("user_id"),
    )
)
_OWNERS = Statement(
    select(_memberships.c.user_id).where(
        _memberships.c.store_id == bindparam("store_id"), _memberships.c.role == Role.OWNER
    )
)
_STORES_OF = Statement(
    select(_stores.c.id, _stores.c.name, _memberships.c.role)
    .select_from(_memberships)
    .join(_stores, _stores.c.id == _memberships.c.store_id)
    .where(_memberships.c.user_id == bindparam("user_id"))
    .order_by(_stores.c.name, _stores.c.id)
)


def read_members(tx: Transaction, store_id: str) -> list[Member]:
    """Return the people of a store, those who came first first."""
    return [
        Member(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]))
        for row in tx.rows(_READ, store_id=store_id)
    ]


def set_role(tx: Transaction, store_id: str, user_id: str, before: Role, after: Role) -> bool:
    """Change a person's role; False if it is another one meanwhile."""
    changed = tx.run(_SET_ROLE, in_store=store_id, of_user=user_id, from_role=before, to_role=after)
    return changed == 1


def remove_member(tx: Transaction, store_id: str, user_id: str) -> bool:
    """Take a person's role in a store away; False if there is none."""
    return tx.run(_REMOVE, store_id=store_id, user_id=user_id) == 1


def count_owners(tx: Transaction, store_id: str) -> int:
    """Return how many own a store."""
    return len(tx.rows(_OWNERS, store_id=store_id))


def stores_of(tx: Transaction, user_id: str) -> list[tuple[str, str, Role]]:
    """Return the id, name and role of each store a person belongs to."""
    return [(row[0], row[1], row[2]) for row in tx.rows(_STORES_OF, user_id=user_id)]
