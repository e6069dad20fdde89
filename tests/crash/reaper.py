"""The reaper: ends the service, the sandbox or both at any moment, and lets them return."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.crash.journal import Journal
from tests.crash.stage import LEASE_S, Stage

VICTIMS = ("service", "sandbox", "both")
# What happens beside the kills, and how often a kill is drawn for each of them.
_NUISANCES = (
    *("pause_service", "pause_sandbox", "drop_calls"),
    *("lock_database", "sever_database"),
    *("revoke_token", "receive_a_crumb"),
)
_KILLS_PER_NUISANCE = 2
_TRAFFIC_WITHIN_S = 2.0
_DIES_AGAIN = 0.15


@dataclass(slots=True)
class Reaper:
    """Strikes while the tills are busy."""

    stage: Stage
    journal: Journal
    chance: random.Random
    # How often a dead service comes back only when its lease is over.
    leaps: float = 0.7
    strikes: list[str] = field(default_factory=list)

    async def reap(self, victims: Iterable[str]) -> None:
        """Strike once for each name."""
        for victim in victims:
            await self._wait_for_traffic()
            self.strikes.append(victim)
            await self._strike(victim)

    def endless(self, victims: tuple[str, ...]) -> Iterator[str]:
        """Yield random victims, now and then only a nuisance."""
        while True:
            yield self.chance.choice(victims)
            if self.chance.randrange(_KILLS_PER_NUISANCE) == 0:
                yield self.chance.choice(_NUISANCES)

    async def _strike(self, victim: str) -> None:
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "service": self._kill_service,
            "sandbox": self._kill_sandbox,
            "both": self._kill_both,
            "pause_service": self._pause_service,
            "pause_sandbox": self._pause_sandbox,
            "drop_calls": self._drop_calls,
            "lock_database": self._lock_database,
            "sever_database": self._sever_database,
            "revoke_token": self._revoke_token,
            "receive_a_crumb": self._receive_a_crumb,
        }
        await acts[victim]()

    async def _kill_service(self) -> None:
        await self.stage.service.kill()
        await self._wait(0.5)
        await self._return_service()

    async def _kill_sandbox(self) -> None:
        await self.stage.sandbox.kill()
        await self._wait(1.5)
        await self.stage.start_sandbox()

    async def _kill_both(self) -> None:
        await self.stage.kill_both()
        await self._wait(0.5)
        if self.chance.random() < 0.5:
            await self.stage.start_sandbox()
        await asyncio.gather(self._return_service(), self._return_sandbox())

    async def _return_sandbox(self) -> None:
        if not self.stage.sandbox.is_alive:
            await self._wait(1.5)
            await self.stage.start_sandbox()

    async def _return_service(self) -> None:
        """Start the service again; sometimes it is killed once more on its way up."""
        if self.chance.random() < self.leaps:
            self.stage.almanac.leap(LEASE_S)
            with suppress(httpx.TransportError):  # a dead sandbox gets its time at its start
                await self.stage.set_clock()
        if self.chance.random() < _DIES_AGAIN:
            self.strikes.append("service on its way up")
            async with asyncio.TaskGroup() as group:
                group.create_task(self.stage.start_service())
                await self._wait(4.0)
                await self.stage.service.kill()
        if not self.stage.service.is_alive:
            await self.stage.start_service()

    async def _pause_service(self) -> None:
        self.stage.service.pause()
        await self._wait(2.5)
        self.stage.service.resume()

    async def _pause_sandbox(self) -> None:
        self.stage.sandbox.pause()
        await self._wait(2.5)
        self.stage.sandbox.resume()

    async def _drop_calls(self) -> None:
        # The control call itself is cut with all the others.
        with suppress(httpx.TransportError):
            await self.stage.control.post("sockets/drop", http=True)

    async def _lock_database(self) -> None:
        """Keep the database from everybody, now and then for longer than anybody waits."""
        with self.stage.books.locked():
            await self._wait(8.0)

    async def _sever_database(self) -> None:
        await asyncio.to_thread(self.stage.books.sever)

    async def _revoke_token(self) -> None:
        """End the credential under a running service; a while later somebody enters another."""
        with suppress(httpx.HTTPError):
            fresh = await self.stage.control.post("tokens")
            old, self.stage.token = self.stage.token, fresh["token"]
            await self.stage.control.post("tokens/revoke", token=old)
            await self._wait(2.5)
            await self.stage.service.kill()
            await self.stage.start_service()

    async def _receive_a_crumb(self) -> None:
        """Have somebody pay the merchant less than a cent, which Flash lists as sent."""
        with suppress(httpx.HTTPError):
            payee = (await self.stage.control.get("state"))["default_account"]["username"]
            made = await self.stage.control.post("invoices", payee=payee, amount_msat=1_000)
            await self.stage.control.post("pay", pr=made["pr"])

    async def _wait(self, most_s: float) -> None:
        """Let a random moment pass: that is what the drill is about."""
        await asyncio.sleep(self.chance.random() * most_s)

    async def _wait_for_traffic(self) -> None:
        """Wait until some more claims were made, so that no two strikes hit an empty shop."""
        wanted = len(self.journal.claims) + self.chance.randint(3, 60)
        with suppress(TimeoutError):
            async with asyncio.timeout(_TRAFFIC_WITHIN_S):
                await self.journal.until(wanted)
