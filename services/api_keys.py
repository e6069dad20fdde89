"""The keys of a store: listed, replaced with a time to change over, and revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from models.errors import InvalidField, NotFoundError
from models.instants import Clock
from models.store import Actor, ApiKey
from services.audit import audit
from services.database import Database
from services.storage import store as stores
from services.storage.statement import Transaction
from services.stores import Stores

GRACE = timedelta(days=1)
LONGEST_GRACE = timedelta(days=30)


class ApiKeys:
    """Looks after the keys that `Stores` makes and recognises."""

    def __init__(self, database: Database, clock: Clock, made_by: Stores) -> None:
        self._database = database
        self._clock = clock
        self._stores = made_by

    async def list_of(self, store_id: str) -> list[ApiKey]:
        """Return the keys of a store, newest first, those that work no more too."""
        return await self._database.read(stores.read_api_keys, store_id)

    async def rotate(
        self, store_id: str, key_id: str, actor: Actor, grace: timedelta = GRACE
    ) -> str:
        """Return a new key like an old one, whole, this once; the old one works on for a while.

        Raises:
            NotFoundError: There is no such key that works.
            InvalidField: The time to change over is too long.
        """
        if not timedelta() <= grace <= LONGEST_GRACE:
            raise InvalidField("grace", f"choose up to {LONGEST_GRACE.days} days")
        now = self._clock.utc_now()
        old = await self._database.read(stores.read_api_key, key_id)
        if old is None or old.store_id != store_id or not is_live(old, now):
            raise NotFoundError
        life = None if old.expires_at is None else max(1, (old.expires_at - old.created_at).days)
        key, text = self._stores.new_api_key(store_id, old.name, old.role, life, actor)
        key = replace(key, scopes=old.scopes)
        until = now + grace if old.expires_at is None else min(old.expires_at, now + grace)

        def rotate(tx: Transaction) -> None:
            if not stores.limit_api_key(tx, store_id, key_id, until):
                raise NotFoundError
            stores.add_api_key(tx, key)
            before = {"key": key_id, "works_until": until}
            after = {"key": key.id, "name": key.name, "role": key.role}
            audit(
                tx,
                store_id,
                actor,
                "api_key.rotated",
                now=now,
                subject_id=key_id,
                before=before,
                after=after,
            )

        await self._database.write(rotate)
        return text

    async def revoke(self, store_id: str, key_id: str, actor: Actor) -> None:
        """Have a key work no more, at once.

        Raises:
            NotFoundError: There is no such key, or it was revoked.
        """

        def revoke(tx: Transaction) -> None:
            now = self._clock.utc_now()
            old = stores.read_api_key(tx, key_id)
            if old is None or not stores.revoke_api_key(tx, store_id, key_id, now):
                raise NotFoundError
            before = {"name": old.name, "role": old.role}
            audit(
                *(tx, store_id, actor, "api_key.revoked"), now=now, subject_id=key_id, before=before
            )

        await self._database.write(revoke)


def is_live(key: ApiKey, now: datetime) -> bool:
    """Tell whether a key still works."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
