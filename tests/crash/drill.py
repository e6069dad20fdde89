"""One stage for many single deaths: a wire in between, one till, and eyes on both books."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.crash.books import Row
from tests.crash.ground import Ground
from tests.crash.journal import Journal, Told
from tests.crash.process import Process
from tests.crash.purse import Asked, Purse
from tests.crash.shop import post
from tests.crash.stage import LEASE_S, Stage, opened
from tests.crash.till import Offer, Till
from tests.crash.unknown import read_open
from tests.crash.wire import Wire
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

_POLL_S = 0.02
_BUDGET_SATS = 100_000_000
_AMOUNT_MSAT = 21_000_000


class Drill:
    """What a test of one certain moment needs."""

    def __init__(self, stage: Stage, wire: Wire) -> None:
        chance = random.Random(0)
        self.stage = stage
        self.wire = wire
        self.purse = Purse(stage.control, stage.almanac, chance)
        self.till = Till(stage.origin, Journal(), stage.almanac, self.purse, chance)
        self.links: dict[bool, str] = {}

    async def open(self) -> None:
        """Make a pull payment that approves itself, and one that does not."""
        async with self.stage.client() as http:
            for is_automatic in (True, False):
                wanted = {"name": "drill", "currency": "SATS", "amount": _BUDGET_SATS}
                made = await post(
                    http, "/v1/pull-payments", wanted | {"auto_approve": is_automatic}
                )
                self.links[is_automatic] = made["claim_url"]

    async def offer(self, *, auto_approve: bool = True) -> Offer:
        """Open a link; right after a return there may be no wallet to pay from yet."""
        offer = await self.till.open_link(self.links[auto_approve])
        assert offer is not None
        return offer

    async def home(self) -> Asked:
        return await self.purse.at_home(_AMOUNT_MSAT)

    def foreign(self) -> Asked:
        return self.purse.abroad(_AMOUNT_MSAT)

    def payout(self, asked: Asked) -> Row | None:
        """Return a payout as the database has it."""
        found = self.stage.books.rows(
            "SELECT id, state, revision, error_code FROM payouts "
            f"WHERE payment_hash = '{asked.payment_hash}'"
        )
        return found[0] if found else None

    def state(self, asked: Asked) -> str | None:
        found = self.payout(asked)
        return None if found is None else str(found["state"])

    def answers(self, asked: Asked) -> list[str | None]:
        """Return the answers of a payout's sends, None for silence."""
        return [
            row["answer"]
            for row in self.stage.books.rows(
                "SELECT s.answer FROM sends s JOIN attempts a ON a.id = s.attempt_id "
                f"WHERE a.payment_hash = '{asked.payment_hash}' ORDER BY s.number"
            )
        ]

    def is_expiry_seen(self, asked: Asked) -> bool:
        """Tell whether Flash was heard to call an invoice expired, once."""
        return any(
            found.payment_hash == asked.payment_hash and found.is_expiry_seen
            for found in read_open(self.stage.books)
        )

    async def payments(self, asked: Asked) -> list[str]:
        """Return what the sandbox's ledger has on an invoice."""
        return [row["state"] for row in await self.stage.control.rows_of(asked.payment_hash)]

    async def until(self, claim: Callable[[], bool], what: str) -> None:
        """Poll another process until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not claim():
            in_time = time.monotonic() < deadline
            assert in_time, f"not in {PATIENCE_S} s: {what}\n{self.stage.service.tail()}"
            await asyncio.sleep(_POLL_S)

    async def until_state(self, asked: Asked, state: str) -> None:
        await self.until(lambda: self.state(asked) == state, f"the payout is {state}")

    async def until_payment(self, asked: Asked, state: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.payments(asked) != [state]:
                await asyncio.sleep(_POLL_S)

    async def pay_another(self) -> None:
        """Have a fresh claim paid: by then the worker has looked at all that is older."""
        offer, asked = await self.offer(), self.foreign()
        async with asyncio.timeout(PATIENCE_S):
            while await self.till.claim(offer, asked) is not Told.OK:
                await asyncio.sleep(_POLL_S)
        await self.until_state(asked, "completed")

    async def refuse_next(self, asked: Asked, kind: str) -> None:
        """Have Flash refuse the next send of an invoice, without looking at it."""
        match = {"payment_hash": asked.payment_hash}
        await self.stage.control.post("faults", kind=kind, match=match, times=1)

    async def approve(self, asked: Asked) -> None:
        found = self.payout(asked)
        assert found is not None
        async with self.stage.client() as http:
            path = f"/v1/payouts/{found['id']}/approve"
            await post(http, path, {"revision": found["revision"]})

    @asynccontextmanager
    async def successor(self) -> AsyncIterator[Process]:
        """Start a second service on the same database, when the first one's lease is over."""
        stage = self.stage
        stage.almanac.leap(LEASE_S)
        await stage.set_clock()
        second = Process("successor", stage.folder / "successor.log", "app", "serve")
        try:
            await second.start(stage.env(free_port()), stage.almanac.ahead_s)
            yield second
        finally:
            await second.kill()

    async def clean_up(self) -> None:
        """Leave the next test a stage without faults, and nothing that is open."""
        self.wire.cut()
        await self.stage.control.clear_faults()
        await self.until(lambda: not read_open(self.stage.books), "everything has ended")


@asynccontextmanager
async def drilled(ground: Ground) -> AsyncIterator[Drill]:
    """Open a stage whose service reaches the sandbox by a wire."""
    async with opened(ground, 0) as stage, Wire(stage.api_port) as wire:
        stage.flash_port = wire.port
        await stage.start()
        drill = Drill(stage, wire)
        try:
            await drill.open()
            await drill.pay_another()
            yield drill
        finally:
            await drill.till.close()
