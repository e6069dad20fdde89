"""The record of what people, keys and settings did: written by the edges too, searched, read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from models.ids import USER
from models.instants import Clock
from models.record import Entry, EntryFilter
from models.store import Actor
from services.audit import audit
from services.database import Database
from services.storage import audit as entries
from services.storage import member as members
from services.storage import person as people
from services.storage import store as stores
from services.storage.statement import Transaction

PAGE_LIMIT = 200
# One note for all looks of one caller at one place within this time.
LOOK_AGAIN = timedelta(minutes=10)
LOOKS_LIMIT = 10_000


class Record:
    """Writes acts down that have no transaction of their own, and finds what was written."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looks: OrderedDict[tuple[str, str | None, str, str], datetime] = OrderedDict()

    async def note(
        self,
        store_id: str,
        actor: Actor,
        action: str,
        *,
        subject_id: str | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down an act that changed nothing, such as a look at a whole card number."""
        await self._database.write(
            lambda tx: audit(
                tx,
                store_id,
                actor,
                action,
                now=self._clock.utc_now(),
                subject_id=subject_id,
                after=after,
            )
        )

    async def note_look(self, store_id: str, actor: Actor, action: str, where: str) -> None:
        """Write down a look, unless the same one was written down a short while ago.

        A program that reads a list all day would else fill the record with itself.
        """
        now, key = self._clock.utc_now(), (store_id, actor.id, action, where)
        noted_at = self._looks.get(key)
        if noted_at is not None and now - noted_at < LOOK_AGAIN:
            return
        await self.note(store_id, actor, action, after={"where": where})
        self._looks[key] = now
        self._looks.move_to_end(key)
        while len(self._looks) > LOOKS_LIMIT:
            self._looks.popitem(last=False)

    async def page(
        self, store_id: str, wanted: EntryFilter, limit: int, before_number: int | None = None
    ) -> list[Entry]:
        """Return entries of a store, newest first, below a number."""
        limit = max(1, min(limit, PAGE_LIMIT))
        return await self._database.read(
            entries.read_entries, store_id, wanted, limit, before_number
        )

    async def actions(self, store_id: str, since: datetime) -> list[str]:
        """Return the kinds of acts that occur since a moment, for a filter."""
        return await self._database.read(entries.read_actions, store_id, since)

    async def names(self, store_id: str, ids: Collection[str]) -> dict[str, str]:
        """Return e-mail addresses of people and names of keys by the ids that a record holds."""
        return await self._database.read(names_of, store_id, frozenset(ids))

    async def actors(self, store_id: str) -> list[tuple[str, str]]:
        """Return id and name of the people and keys of a store, for a filter."""
        return await self._database.read(_actors, store_id)


def _actors(tx: Transaction, store_id: str) -> list[tuple[str, str]]:
    found = [(member.user_id, member.email) for member in members.read_members(tx, store_id)]
    return found + [(key.id, f"Key {key.name}") for key in stores.read_api_keys(tx, store_id)]


def names_of(tx: Transaction, store_id: str, ids: frozenset[str]) -> dict[str, str]:
    """Return e-mail addresses of people and names of keys, also of those who left the store."""
    found = {actor_id: name for actor_id, name in _actors(tx, store_id) if actor_id in ids}
    for user_id in sorted(ids - set(found)):
        person = people.read_person(tx, user_id) if user_id.startswith(f"{USER}_") else None
        if person is not None:
            found[user_id] = person.email
    return found
