"""Gives every store a new data key, and all of them a new master key.

The file holds both master keys until nothing is left that the old one opens. Each slice is one
transaction, and what is sealed anew, and hashed anew with it, is known by the key that opens it:
cut off anywhere, it goes on when it is run again, and nothing is served before its end. What is
only signed (sign-ins half-way, forms, tokens of scripts, the k1 of an open link) ends with the key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.instants import Clock
from models.store import SYSTEM
from services.audit import audit
from services.database import Database
from services.key_sets import k1_hash, read_keys, uid_hash
from services.storage import store as stores
from services.storage.envelope import ENVELOPES, Envelope, Envelopes, drop_data_key
from services.storage.statement import Transaction
from services.vault import KeyFile, Sealer, Vault, load_master_key

SLICE = 200


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did; what no key opens is left as it is."""

    stores: int
    sealed_anew: int
    unreadable: int
    kept_key: str


@dataclass(slots=True)
class _Count:
    anew: int = 0
    unreadable: int = 0


class KeyRotation:
    """Rotates all keys of a database that nobody serves."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        path: Path,
        after_slice: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._path = path
        self._after_slice = after_slice

    async def run(self) -> Rotated:
        """Rotate, or go on where a rotation was cut off.

        Raises:
            SettingError: The file of the master key is missing or unsafe.
        """
        now = self._clock.utc_now()
        found = load_master_key(self._path, may_create=False, is_rotating=True)
        kept = self._path.with_name(f"{self._path.name}.before-{now:%Y%m%dT%H%M%S%fZ}")
        if found.previous is None:
            # Backups made so far open with the key of so far only.
            found.write(kept)
            found = found.rotated()
            found.write(self._path)
            self._after_slice()
        assert found.previous is not None
        old, new = Vault(KeyFile(found.previous)), Vault(found)
        olds = await self._renew_data_keys(old, new, now)
        count = _Count()
        for envelope in ENVELOPES:
            await self._reseal(envelope, _Rings(old, new, olds), count)
        known = await self._database.read(stores.read_data_keys)
        await self._database.write(self._finish, new, known, now)
        self._after_slice()
        KeyFile(found.current).write(self._path)
        names = sorted(path.name for path in self._path.parent.glob(f"{self._path.name}.before-*"))
        return Rotated(len(olds), count.anew, count.unreadable, names[-1])

    async def _renew_data_keys(
        self, old: Vault, new: Vault, now: datetime
    ) -> dict[str, list[Sealer]]:
        """Give a new data key to each store without one; returns the sealers of before."""
        olds: dict[str, list[Sealer]] = {}
        for store_id, version, sealed in sorted(await self._database.read(stores.read_data_keys)):
            sealers = olds.setdefault(store_id, [])
            try:
                new.add_data_key(store_id, version, sealed)
            except ValueError:
                old.add_data_key(store_id, version, sealed)
                sealers.append(old.of(store_id))
        versions = await self._database.read(stores.read_data_keys)
        for store_id in olds:
            if not new.knows(store_id):
                version = max(each[1] for each in versions if each[0] == store_id) + 1
                fresh = new.new_data_key(store_id, version)
                await self._database.write(stores.add_data_key, store_id, version, fresh, now)
                self._after_slice()
        return olds

    async def _reseal(self, envelope: Envelope, rings: _Rings, count: _Count) -> None:
        rows, last = Envelopes(envelope), None
        while True:
            seen = await self._database.write(_reseal, rows, envelope, rings, last, count)
            self._after_slice()
            if len(seen) < SLICE:
                return
            last = seen[-1]

    def _finish(
        self, tx: Transaction, new: Vault, known: list[tuple[str, int, bytes]], now: datetime
    ) -> None:
        """Forget the data keys that the old master key sealed; nothing is sealed by them."""
        for store_id, version, sealed in known:
            try:
                new.add_data_key(store_id, version, sealed)
            except ValueError:
                drop_data_key(tx, store_id, version)
                audit(tx, store_id, SYSTEM, "keys.rotated", now=now)


@dataclass(frozen=True, slots=True)
class _Rings:
    """What seals from now on, and what may have sealed before."""

    old: Vault
    new: Vault
    of_stores: dict[str, list[Sealer]]

    def of(self, store_id: str | None) -> tuple[Sealer, list[Sealer]]:
        if store_id is None:
            return self.new.people, [self.old.people]
        return self.new.of(store_id), self.of_stores.get(store_id, [])


def _reseal(
    tx: Transaction,
    rows: Envelopes,
    envelope: Envelope,
    rings: _Rings,
    after: dict[str, Any] | None,
    count: _Count,
) -> list[dict[str, Any]]:
    page = rows.page(tx, after, SLICE)
    for row in page:
        store_id = None if envelope.store is None else str(row[envelope.store])
        sealer, before = rings.of(store_id)
        place, sealed = envelope.place.format(**row), rows.sealed(row)
        if _opened(sealed, place, [sealer]) is not None:
            continue
        secret = _opened(sealed, place, before)
        if secret is None:
            count.unreadable += 1
        else:
            hashed = _hash(rings.new, envelope, secret)
            count.anew += rows.replace(tx, row, sealer.seal(secret, place), hashed)
    return page


def _hash(vault: Vault, envelope: Envelope, secret: bytes) -> str | None:
    """Return what a row is found by, under the new key."""
    match envelope.hashed:
        case "uid_hash":
            return uid_hash(vault, secret)
        case "k1_hash":
            return k1_hash(vault, read_keys(secret.decode()).k1)
        case _:
            return None


def _opened(sealed: bytes, place: str, sealers: list[Sealer]) -> bytes | None:
    for sealer in sealers:
        try:
            return sealer.open(sealed, place)
        except ValueError:
            continue
    return None
