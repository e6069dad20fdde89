"""The installation, stores, people, keys and sealing keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from models.store import ApiKey, DatabaseKind, Role, Store
from models.tables.base import table_of
from models.tables.payout import PayoutRow
from models.tables.store import (
    ApiKeyRow,
    DataKeyRow,
    InstallationRow,
    MembershipRow,
    StoreRow,
    UserRow,
)
from services.storage.statement import Statement, Transaction, columns, insert_into, record

_installation = table_of(InstallationRow)
_stores = table_of(StoreRow)
_users = table_of(UserRow)
_memberships = table_of(MembershipRow)
_api_keys = table_of(ApiKeyRow)
_data_keys = table_of(DataKeyRow)

_READ_KIND = Statement(select(_installation.c.kind))
_ADD_INSTALLATION = insert_into(_installation)
_CHANGE_KIND = Statement(update(_installation).values(kind=bindparam("to_kind")))
_ANY_PAYOUT = Statement(select(table_of(PayoutRow).c.id).limit(1))
_ADD_STORE = insert_into(_stores)
_READ_STORE = Statement(
    select(*columns(Store, _stores)).where(_stores.c.id == bindparam("store_id"))
)
_READ_STORES = Statement(select(*columns(Store, _stores)).order_by(_stores.c.created_at))
_READ_NAMED = Statement(
    select(*columns(Store, _stores))
    .join(_memberships, _memberships.c.store_id == _stores.c.id)
    .join(_users, _users.c.id == _memberships.c.user_id)
    .where(_stores.c.name == bindparam("name"), _users.c.email == bindparam("email"))
)
_SET_WORDS = Statement(
    update(_stores)
    .where(_stores.c.id == bindparam("in_store"))
    .values(name=bindparam("to_name"), time_zone=bindparam("to_zone"))
)
_READ_ISSUER_KEY = Statement(
    select(_stores.c.issuer_key_sealed).where(_stores.c.id == bindparam("store_id"))
)
_ADD_USER = insert_into(_users)
_READ_USER_ID = Statement(select(_users.c.id).where(_users.c.email == bindparam("email")))
_SET_PASSWORD = Statement(
    update(_users)
    .where(_users.c.id == bindparam("user_id"))
    .values(password_hash=bindparam("password_hash"))
)
_ADD_MEMBERSHIP = insert_into(_memberships)
_ADD_API_KEY = insert_into(_api_keys)
_READ_API_KEY = Statement(
    select(*columns(ApiKey, _api_keys)).where(_api_keys.c.id == bindparam("key_id"))
)
_TOUCH_API_KEY = Statement(
    update(_api_keys)
    .where(
        _api_keys.c.store_id == bindparam("in_store"),
        _api_keys.c.id == bindparam("key_id"),
    )
    .values(last_used_at=bindparam("now"))
)
_READ_API_KEYS = Statement(
    select(*columns(ApiKey, _api_keys))
    .where(_api_keys.c.store_id == bindparam("store_id"))
    .order_by(_api_keys.c.created_at.desc(), _api_keys.c.id.desc())
    .limit(500)
)
_REVOKE_API_KEY = Statement(
    update(_api_keys)
    .where(
        _api_keys.c.store_id == bindparam("in_store"),
        _api_keys.c.id == bindparam("key_id"),
        _api_keys.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
)
_LIMIT_API_KEY = Statement(
    update(_api_keys)
    .where(
        _api_keys.c.store_id == bindparam("in_store"),
        _api_keys.c.id == bindparam("key_id"),
        _api_keys.c.revoked_at.is_(None),
    )
    .values(expires_at=bindparam("until"))
)
_ADD_DATA_KEY = insert_into(_data_keys)
_READ_DATA_KEYS = Statement(
    select(_data_keys.c.store_id, _data_keys.c.version, _data_keys.c.sealed_key)
)


def read_kind(tx: Transaction) -> DatabaseKind | None:
    """Return what this database is for; nothing in a fresh one."""
    found = tx.row(_READ_KIND)
    return None if found is None else DatabaseKind(found[0])


def set_kind(tx: Transaction, kind: DatabaseKind, now: datetime) -> None:
    """Say once what this database is for."""
    tx.run(_ADD_INSTALLATION, id=1, kind=kind, created_at=now)


def has_payouts(tx: Transaction) -> bool:
    """Tell whether anybody was ever to be paid from this database."""
    return tx.row(_ANY_PAYOUT) is not None


def become_kind(tx: Transaction, kind: DatabaseKind, now: datetime) -> bool:
    """Take a kind if nothing has been paid from this database yet; False if something was."""
    if has_payouts(tx):
        return False
    if read_kind(tx) is None:
        set_kind(tx, kind, now)
    else:
        tx.run(_CHANGE_KIND, to_kind=kind)
    return True


def add_store(tx: Transaction, store: Store, issuer_key_sealed: bytes) -> None:
    """Add a store with the sealed key its cards' keys come from."""
    tx.run(_ADD_STORE, **record(store, audit_count=0, issuer_key_sealed=issuer_key_sealed))


def read_store(tx: Transaction, store_id: str) -> Store | None:
    """Return a store."""
    return tx.one(Store, _READ_STORE, store_id=store_id)


def read_stores(tx: Transaction) -> list[Store]:
    """Return all stores, oldest first."""
    return tx.all(Store, _READ_STORES)


def set_words(tx: Transaction, store_id: str, name: str, time_zone: str) -> None:
    """Change a store's name and zone."""
    tx.run(_SET_WORDS, in_store=store_id, to_name=name, to_zone=time_zone)


def find_store(tx: Transaction, name: str, email: str) -> Store | None:
    """Return the store of that name in which that person has a role."""
    return tx.one(Store, _READ_NAMED, name=name, email=email)


def read_issuer_key(tx: Transaction, store_id: str) -> bytes:
    """Return the sealed issuer key of a store."""
    found = tx.row(_READ_ISSUER_KEY, store_id=store_id)
    assert found is not None
    return bytes(found[0])


def add_user(
    tx: Transaction, *, user_id: str, email: str, password_hash: str | None, now: datetime
) -> None:
    """Add a person."""
    tx.run(_ADD_USER, id=user_id, email=email, password_hash=password_hash, created_at=now)


def find_user_id(tx: Transaction, email: str) -> str | None:
    """Return the id of the person with an e-mail address."""
    found = tx.row(_READ_USER_ID, email=email)
    return None if found is None else str(found[0])


def set_password(tx: Transaction, user_id: str, password_hash: str) -> None:
    """Change a person's password hash."""
    tx.run(_SET_PASSWORD, user_id=user_id, password_hash=password_hash)


def add_membership(tx: Transaction, store_id: str, user_id: str, role: Role, now: datetime) -> None:
    """Give a person a role in a store."""
    tx.run(_ADD_MEMBERSHIP, user_id=user_id, store_id=store_id, role=role, created_at=now)


def add_api_key(tx: Transaction, key: ApiKey) -> None:
    """Add a key of a store."""
    tx.run(_ADD_API_KEY, **record(key))


def read_api_key(tx: Transaction, key_id: str) -> ApiKey | None:
    """Return a key by its public part; the caller checks the secret and learns the store."""
    return tx.one(ApiKey, _READ_API_KEY, key_id=key_id)


def read_api_keys(tx: Transaction, store_id: str) -> list[ApiKey]:
    """Return the keys of a store, newest first, those that work no more too."""
    return tx.all(ApiKey, _READ_API_KEYS, store_id=store_id)


def revoke_api_key(tx: Transaction, store_id: str, key_id: str, now: datetime) -> bool:
    """Have a key work no more; False if there is none such, or it was revoked."""
    return tx.run(_REVOKE_API_KEY, in_store=store_id, key_id=key_id, now=now) == 1


def limit_api_key(tx: Transaction, store_id: str, key_id: str, until: datetime) -> bool:
    """Have a key work until a moment only; False if there is none such, or it was revoked."""
    return tx.run(_LIMIT_API_KEY, in_store=store_id, key_id=key_id, until=until) == 1


def touch_api_key(tx: Transaction, store_id: str, key_id: str, now: datetime) -> None:
    """Remember when a key was last used."""
    tx.run(_TOUCH_API_KEY, in_store=store_id, key_id=key_id, now=now)


def add_data_key(
    tx: Transaction, store_id: str, version: int, sealed_key: bytes, now: datetime
) -> None:
    """Add a store's sealing key, itself sealed by the master key."""
    tx.run(_ADD_DATA_KEY, store_id=store_id, version=version, sealed_key=sealed_key, created_at=now)


def read_data_keys(tx: Transaction) -> list[tuple[str, int, bytes]]:
    """Return (store, version, sealed key) of all stores."""
    return [(row[0], row[1], bytes(row[2])) for row in tx.rows(_READ_DATA_KEYS)]
