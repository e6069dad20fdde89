"""Stores: how one is made, and the keys that act for it."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from models.errors import InvalidField, NotFoundError, Unauthenticated
from models.ids import API_KEY, STORE, USER, WALLET, Ids, is_id
from models.instants import Clock
from models.permission import Scopes, words_of
from models.person import Person
from models.session import SessionEnd
from models.store import SYSTEM, Actor, ActorKind, ApiKey, DatabaseKind, Role, Store
from models.wallet import Gate, Wallet
from services.audit import audit
from services.card_crypto import new_issuer_key
from services.database import Database
from services.passwords import check_new_password, hash_password, is_password
from services.storage import person as people
from services.storage import session as sessions
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.vault import Vault, token_hash

NAME_LIMIT = 100
KEY_PREFIX = "fp"
KEY_ROLES = frozenset({Role.OWNER, Role.MANAGER, Role.APPROVER, Role.VIEWER})
MAX_KEY_DAYS = 3650
_CONSOLE = Actor(ActorKind.SYSTEM, "console")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\Z")
# Where only a store's own words are looked at.
_NOBODY = "owner@example.com"
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
# How often a key's last use is written down; each use would be a write for each request.
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewStore:
    """What a store is made from."""

    name: str
    owner_email: str
    currency: str = "USD"
    time_zone: str = "UTC"
    password: str | None = None


@dataclass(frozen=True, slots=True)
class StoreAndOwner:
    """The two ids that `init` answers with."""

    store_id: str
    user_id: str


class Stores:
    """Makes stores and keys, and tells who a key acts for."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def init(self, wanted: NewStore, kind: DatabaseKind) -> StoreAndOwner:
        """Make a store with its owner, or return the same ones if they are there.

        Raises:
            InvalidField: A name, e-mail address, currency, zone or password that cannot be.
        """
        wanted = checked(wanted)
        password_hash = None
        if wanted.password is not None:
            check_new_password(wanted.password, wanted.owner_email)
            known = await self._database.read(people.find_person, wanted.owner_email)
            password_hash = await asyncio.to_thread(_hash_if_new, known, wanted.password)
        return await self._database.write(self._init, wanted, kind, password_hash)

    async def create_api_key(
        self,
        store_id: str,
        name: str,
        role: Role,
        days: int | None,
        actor: Actor = SYSTEM,
        scopes: Scopes | None = None,
    ) -> str:
        """Make a key of a store and return it whole, the only time it is shown.

        Raises:
            InvalidField: An unknown store, an empty name, a role that keys cannot have.
        """
        key, text = self.new_api_key(store_id, name, role, days, actor)
        key = replace(key, scopes=None if scopes is None else words_of(scopes))
        await self._database.write(_add_key, key, actor)
        return text

    def new_api_key(
        self, store_id: str, name: str, role: Role, days: int | None, actor: Actor
    ) -> tuple[ApiKey, str]:
        """Return a key that is not kept yet, and the text that is shown once.

        Raises:
            InvalidField: An empty name, a role that keys cannot have, too many days.
        """
        if role not in KEY_ROLES:
            raise InvalidField("role", "choose owner, manager, approver or viewer")
        if not 1 <= len(name.strip()) <= NAME_LIMIT:
            raise InvalidField("name", f"give a name of 1 to {NAME_LIMIT} characters")
        if days is not None and not 1 <= days <= MAX_KEY_DAYS:
            raise InvalidField("days", f"choose 1 to {MAX_KEY_DAYS} days")
        key_id, secret = self._ids.new(API_KEY), secrets.token_urlsafe(32)
        now = self._clock.utc_now()
        key = ApiKey(
            id=key_id,
            store_id=store_id,
            name=name.strip(),
            role=role,
            secret_hash=token_hash(secret),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
            revoked_at=None,
            last_used_at=None,
            made_by=actor.id,
        )
        return key, f"{KEY_PREFIX}_{key_id}_{secret}"

    async def authenticate(self, text: str) -> ApiKey:
        """Return the key a caller showed.

        Raises:
            Unauthenticated: It is no key, or it has expired or was revoked.
        """
        prefix, _, rest = text.partition("_")
        key_id, secret = rest[: len("ak_") + 26], rest[len("ak_") + 27 :]
        if prefix != KEY_PREFIX or not is_id(key_id, API_KEY) or not secret:
            raise Unauthenticated("This is not an API key.")
        key = await self._database.read(stores.read_api_key, key_id)
        now = self._clock.utc_now()
        if key is None or not hmac.compare_digest(key.secret_hash, token_hash(secret)):
            raise Unauthenticated("This API key is not known.")
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            raise Unauthenticated("This API key has expired or was revoked.")
        if not self._vault.knows(key.store_id):
            await self.load_keys()
        if key.last_used_at is None or now - key.last_used_at > TOUCH_EVERY:
            await self._database.write(stores.touch_api_key, key.store_id, key.id, now)
        return key

    async def read(self, store_id: str) -> Store | None:
        """Return a store."""
        return await self._database.read(stores.read_store, store_id)

    async def change(self, store_id: str, name: str, time_zone: str, actor: Actor) -> Store:
        """Give a store another name or zone; its currency stays, for all was counted in it.

        Raises:
            NotFoundError: There is no such store.
            InvalidField: A name or a zone that cannot be.
        """

        def change(tx: Transaction) -> Store:
            found = stores.read_store(tx, store_id)
            if found is None:
                raise NotFoundError
            wanted = checked(NewStore(name, _NOBODY, found.currency, time_zone.strip()))
            before = {"name": found.name, "time_zone": found.time_zone}
            after = {"name": wanted.name, "time_zone": wanted.time_zone}
            if after == before:
                return found
            stores.set_words(tx, store_id, wanted.name, wanted.time_zone)
            now = self._clock.utc_now()
            audit(tx, store_id, actor, "store.changed", now=now, before=before, after=after)
            return replace(found, name=wanted.name, time_zone=wanted.time_zone)

        return await self._database.write(change)

    async def all(self) -> list[Store]:
        """Return all stores, oldest first."""
        return await self._database.read(stores.read_stores)

    async def load_keys(self) -> None:
        """Open the data keys of all stores that the vault does not know yet."""
        for store_id, version, sealed in await self._database.read(stores.read_data_keys):
            if not self._vault.knows(store_id):
                self._vault.add_data_key(store_id, version, sealed)

    def _init(
        self,
        tx: Transaction,
        wanted: NewStore,
        kind: DatabaseKind,
        password_hash: str | None,
    ) -> StoreAndOwner:
        if stores.read_kind(tx) is None:
            stores.set_kind(tx, kind, self._clock.utc_now())
        found = stores.find_store(tx, wanted.name, wanted.owner_email)
        user_id = stores.find_user_id(tx, wanted.owner_email)
        if user_id is not None and password_hash is not None:
            self._set_password(tx, user_id, password_hash)
        if found is not None and user_id is not None:
            return StoreAndOwner(found.id, user_id)
        return self.make(tx, wanted, kind, password_hash)

    def _set_password(self, tx: Transaction, user_id: str, password_hash: str) -> None:
        """Set a forgotten password from the console; whoever is signed in has to do so again."""
        now = self._clock.utc_now()
        stores.set_password(tx, user_id, password_hash)
        sessions.end_sessions(tx, user_id, SessionEnd.PASSWORD, now)
        for store_id in sorted(store_id for store_id, _ in people.read_roles(tx, user_id)):
            audit(tx, store_id, _CONSOLE, "password.changed", now=now, subject_id=user_id)

    def make(
        self, tx: Transaction, wanted: NewStore, kind: DatabaseKind, password_hash: str | None
    ) -> StoreAndOwner:
        """Make a store, and its owner if nobody has the address, inside a transaction."""
        now = self._clock.utc_now()
        if stores.read_kind(tx) is None:
            stores.set_kind(tx, kind, now)
        user_id = stores.find_user_id(tx, wanted.owner_email)
        store_id = self._ids.new(STORE)
        sealed_key = self._vault.new_data_key(store_id)
        issuer_key = self._vault.of(store_id).seal(
            new_issuer_key(), f"stores/{store_id}/issuer_key"
        )
        is_first = not stores.read_stores(tx)
        store = Store(store_id, wanted.name, wanted.currency, wanted.time_zone, now, is_first)
        stores.add_store(tx, store, issuer_key)
        stores.add_data_key(tx, store_id, 1, sealed_key, now)
        if user_id is None:
            user_id = self._ids.new(USER)
            stores.add_user(
                tx,
                user_id=user_id,
                email=wanted.owner_email,
                password_hash=password_hash,
                now=now,
            )
        stores.add_membership(tx, store_id, user_id, Role.OWNER, now)
        wallets.add_wallet(tx, _new_wallet(self._ids.new(WALLET), store))
        actor = Actor(ActorKind.PERSON, user_id)
        audit(tx, store_id, actor, "store.created", now=now, subject_id=store_id)
        return StoreAndOwner(store_id, user_id)


def _hash_if_new(known: Person | None, password: str) -> str | None:
    """Return the hash of a password, unless it is the person's own already."""
    old = None if known is None else known.password_hash
    is_same = old is not None and is_password(old, password)
    return None if is_same else hash_password(password)


def _add_key(tx: Transaction, key: ApiKey, actor: Actor) -> None:
    if stores.read_store(tx, key.store_id) is None:
        raise InvalidField("store", "there is no such store")
    stores.add_api_key(tx, key)
    after = {"name": key.name, "role": key.role, "scopes": key.scopes}
    audit(
        tx,
        key.store_id,
        actor,
        "api_key.created",
        now=key.created_at,
        subject_id=key.id,
        after=after,
    )


def _new_wallet(wallet_id: str, store: Store) -> Wallet:
    return Wallet(
        id=wallet_id,
        store_id=store.id,
        flash_wallet_id=None,
        currency=None,
        gate=Gate.OPEN,
        gate_reason=None,
        gate_changed_at=None,
        stopped_at=None,
        short_since=None,
        balance_nanousd=None,
        balance_at=None,
        lease_owner=None,
        lease_until=None,
        fence=0,
        created_at=store.created_at,
    )


def checked_email(email: str, field: str) -> str:
    """Return an e-mail address as it is kept.

    Raises:
        InvalidField: It cannot be one.
    """
    plain = email.strip().lower()
    if _EMAIL.match(plain) is None:
        raise InvalidField(field, "give an e-mail address such as owner@example.com")
    return plain


def checked(wanted: NewStore) -> NewStore:
    """Return what a store is made from as it is kept.

    Raises:
        InvalidField: A name, e-mail address, currency or zone that cannot be.
    """
    name, currency = wanted.name.strip(), wanted.currency.strip().upper()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise InvalidField("store", f"give a name of 1 to {NAME_LIMIT} characters")
    email = checked_email(wanted.owner_email, "owner")
    if _CURRENCY.match(currency) is None:
        raise InvalidField("currency", "give a currency code such as USD")
    try:
        ZoneInfo(wanted.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidField("time_zone", "give a zone such as Europe/Berlin") from None
    if wanted.time_zone not in _time_zones():
        raise InvalidField("time_zone", "give a zone such as Europe/Berlin")
    return NewStore(name, email, currency, wanted.time_zone, wanted.password)


@cache
def _time_zones() -> frozenset[str]:
    """Return every zone's name; finding them reads a whole folder of files, so it is done once."""
    return frozenset(available_timezones())
