"""A shop that ends at a point, and lives again on the same database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.container import build, running
from models.payout import Payout
from models.states import FINAL, PayoutState
from models.store import DatabaseKind, Store
from services.storage import attempt as attempts
from tests.crash.points.watch import Watch
from tests.support.clock import HandClock
from tests.support.sandbox import FlashAccount, Hand
from tests.support.shop import ALICE, Shop, open_store, settings_for, through

_LEASE_S = 7
_EXPIRY_S = 3_600
# The pauses before repeats; then the invoice runs out, Flash says so twice, a person looks.
_PAUSES_S = (0, 3, 6, 16, 46, 121, _EXPIRY_S + 11 * 60, 6 * 60, 6 * 60, 24 * 3_600)
_LOOKS_FROM = 3


@dataclass
class Lives:
    """One store, its clock and its wallet at Flash, life after life."""

    url: str
    folder: Path
    hand: Hand
    account: FlashAccount
    clock: HandClock
    store: Store | None = None
    # What the people around the shop know of the story that is being told.
    known: dict[str, Any] = field(default_factory=dict)
    # Calls that nobody waits for the end of.
    callers: list[asyncio.Task[Any]] = field(default_factory=list)

    @asynccontextmanager
    async def life(self, watch: Watch) -> AsyncIterator[Shop]:
        """Open the shop as it was left; it ends without any farewell if its watch is over."""
        # Between two lives weeks may pass, and a session of Flash would run out.
        token = (await self.hand.post("tokens", username=self.account.username))["token"]
        flash = through(self.hand, replace(self.account, token=token))
        settings = settings_for(self.url, self.folder, **flash)
        container = build(settings, DatabaseKind.DEMO, self.clock, watch)
        if self.store is None:
            self.store = await open_store(container)
        async with running(container):
            shop = Shop(container, self.clock, self.store)
            yield shop
            for caller in self.callers:
                caller.cancel()
            await asyncio.gather(*self.callers, return_exceptions=True)
            self.callers.clear()

    async def outlive_the_lease(self) -> None:
        """Let the lease of a life that has ended run out; Flash's bad day is over too."""
        await self.hand.settle_down()
        self.clock.advance(seconds=_LEASE_S)
        await self.hand.advance(_LEASE_S)

    async def drain(self, shop: Shop, payout_id: str) -> Payout:
        """Let time pass until a payout has ended, in the last place by a person who looks."""
        for number, seconds in enumerate(_PAUSES_S):
            await shop.later(self.hand, seconds=seconds)
            if number >= _LOOKS_FROM:
                await look(shop)
            found = await shop.payout(payout_id)
            if found.state in FINAL:
                return found
        assert found.state is PayoutState.NEEDS_REVIEW, found
        paid = sum([await self.hand.times_paid(each) for each in await hashes(shop, payout_id)])
        resolve = shop.container.engine.interventions.resolve
        return await resolve(
            shop.store.id, payout_id, ALICE, is_paid=bool(paid), evidence="Flash's own books"
        )


async def hashes(shop: Shop, payout_id: str) -> list[str]:
    """Return the payment hashes of all invoices of a payout."""
    found = await shop.container.database.read(attempts.read_attempts, shop.store.id, payout_id)
    return [attempt.payment_hash for attempt in found]


async def look(shop: Shop) -> None:
    """Read the statement and compare the books, as the bookkeeper does when it is due."""
    await shop.connected.worker.tools.bookkeeper.compare(shop.store.id)


async def comes_to_its_end(watch: Watch, told: asyncio.Task[Any]) -> bool:
    """Wait until a life or the story that is told in it has ended; tell whether the life has."""
    over = asyncio.ensure_future(watch.over.wait())
    await asyncio.wait({over, told}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if not watch.is_over:
        await told
        return False
    told.cancel()
    with suppress(BaseException):  # whatever it says, it is dead
        await told
    return True
