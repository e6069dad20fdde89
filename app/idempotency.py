"""The Idempotency-Key of POSTs: the same key and body get the same answer, for seven days."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import orjson
from fastapi import Request
from starlette.responses import Response

from app.answers import raw_answer
from app.auth import Caller
from app.container import Container
from models.errors import DuplicateRow, IdempotencyMismatch, InvalidField, ServiceError
from services.storage.idempotency import KeptAnswer, keep_answer, read_answer
from services.storage.statement import Transaction

KEY_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Once:
    """One keyed request: what it is compared by, and how its answer is kept."""

    container: Container
    store_id: str
    route: str
    key: str | None
    body_hash: str
    hidden: Collection[str] = ()

    def keep(self, tx: Transaction, body: bytes, status: int) -> None:
        """Keep the answer, sealed, in the transaction that does what it tells of."""
        if self.key is None:
            return
        sealer = self.container.vault.of(self.store_id)
        sealed = sealer.seal(body, self._place())
        kept = KeptAnswer(self.body_hash, status, sealed)
        now = self.container.clock.utc_now()
        keep_answer(tx, self.store_id, self.route, self.key, kept, now)

    async def kept(self) -> Response | None:
        """Return the answer given before.

        Raises:
            IdempotencyMismatch: The key came with another body.
        """
        if self.key is None:
            return None
        found = await self.container.database.read(read_answer, self.store_id, self.route, self.key)
        if found is None:
            return None
        if found.body_hash != self.body_hash:
            raise IdempotencyMismatch
        body = self.container.vault.of(self.store_id).open(found.answer, self._place())
        if self.hidden:
            body = orjson.dumps(orjson.loads(body) | dict.fromkeys(self.hidden))
        return raw_answer(body, found.status)

    @property
    def place(self) -> str | None:
        """Return what calls that must get the same answer share."""
        return None if self.key is None else f"{self.store_id}/{self._place()}"

    def _place(self) -> str:
        return f"idempotency/{self.route}/{self.key}"


async def once(
    request: Request,
    container: Container,
    caller: Caller,
    act: Callable[[Once], Awaitable[tuple[bytes, int]]],
    *,
    demanded: bool = False,
    hidden: Collection[str] = (),
) -> Response:
    """Do something once per Idempotency-Key and answer the same to every repeat.

    `act` either keeps its answer itself, inside its transaction, or has it kept afterwards. What
    is `hidden` from this caller is null in an answer that was kept for another one.

    Raises:
        InvalidField: The key is missing where it is demanded, or too long.
        IdempotencyMismatch: The key came with another body.
    """
    key = request.headers.get("idempotency-key")
    if demanded and not key:
        raise InvalidField("Idempotency-Key", "this header is required here")
    if key is not None and not 1 <= len(key) <= KEY_LIMIT:
        raise InvalidField("Idempotency-Key", f"use 1 to {KEY_LIMIT} characters")
    body_hash = hashlib.sha256(await request.body()).hexdigest()
    keyed = Once(container, caller.store_id, request.url.path, key, body_hash, hidden)
    async with request.app.state.turns.of(keyed.place):
        kept = await keyed.kept()
        return kept or await _act(keyed, act)


async def _act(keyed: Once, act: Callable[[Once], Awaitable[tuple[bytes, int]]]) -> Response:
    try:
        body, status = await act(keyed)
    except ServiceError:
        # Another instance may have done it at the same moment: then its answer is ours.
        kept = await keyed.kept()
        if kept is None:
            raise
        return kept
    return raw_answer(body, status)


class Turns:
    """Lets the calls that share a key go one after another, so that all get the first's answer."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, place: str | None) -> AsyncIterator[None]:
        """Wait for the turn of a place; without one there is nothing to wait for."""
        if place is None:
            yield
            return
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            yield


async def keep_after(keyed: Once, body: bytes, status: int) -> tuple[bytes, int]:
    """Keep the answer of an act whose repeat does no harm, after it was done."""
    if keyed.key is not None:
        try:
            await keyed.container.database.write(keyed.keep, body, status)
        except DuplicateRow:
            return body, status
    return body, status
