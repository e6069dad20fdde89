"""After the storm: the weather clears, time passes, and everything that can end must end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from models.instants import to_us
from tests.crash.stage import LEASE_S, Stage
from tests.crash.unknown import Open, is_gate_shut, read_open

_POLL_S = 0.1
# A lapse of the lease, and the pauses before the third, fourth, fifth and sixth try.
_LEAPS_S = (LEASE_S, 16.0, 46.0, 121.0)
_ENOUGH_S = 12.0
_GRACE_S = 11 * 60
_TWICE_APART_S = 5.5 * 60
_REVIEW_S = 25 * 3600


@dataclass(slots=True)
class Drain:
    """Brings a stage to rest."""

    stage: Stage
    chance: random.Random
    # When hours began to pass: what was unknown longer than this was not decided in the storm.
    calm_since: datetime | None = None
    complaints: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Bring both back, if they are away; the weather is still bad."""
        stage = self.stage
        stage.service.check()
        stage.sandbox.check()
        for process, start in (
            (stage.sandbox, stage.start_sandbox),
            (stage.service, stage.start_service),
        ):
            process.resume()
            if await process.is_gone():
                await start()

    async def run(self, *, hours: bool) -> None:
        """Let all that is decided by answers end; then, if asked, all that only time decides."""
        await self._clear_the_weather()
        await self._end_repeats()
        self.calm_since = self.stage.almanac.now()
        if hours:
            await self._end_by_time()
            await self.stage.return_later(_REVIEW_S)
            await self._until("needs review a day later", _is_unreviewed)

    async def _clear_the_weather(self) -> None:
        """End all faults; the network decides what it held."""
        stage = self.stage
        await stage.control.clear_faults()
        for row in await stage.control.ledger():
            if row["state"] == "inflight" and '"ending":"hold"' in row["script"]:
                outcome = self.chance.choice(("settled", "failed"))
                await stage.control.post("settle", hash=row["payment_hash"], outcome=outcome)

    async def _end_repeats(self) -> None:
        """Give every payout that may be sent or asked about its chances, pause by pause."""
        for leap_s in _LEAPS_S:
            await self.stage.return_later(leap_s)
            settled = {
                row["payment_hash"]
                for row in await self.stage.control.ledger()
                if row["state"] == "settled"
            }
            if await self._is_quiet(lambda found, old=settled: _is_moving(found, old, self._now())):
                return
            if is_gate_shut(self.stage.books):
                return  # doubt keeps the rest from being sent; a person would have to look
        self._complain("is still moving though nothing goes wrong any more", self._moving(settled))

    async def _end_by_time(self) -> None:
        """Let all invoices run out, and look twice at what Flash itself should have paid."""
        last_us = max([found.expires_us for found in read_open(self.stage.books)], default=0)
        left_s = max(0, (last_us - to_us(self._now())) // 1_000_000)
        await self.stage.return_later(left_s + _GRACE_S)
        await self._until("outlives its invoice", _waits_for_expiry)
        await self.stage.return_later(_TWICE_APART_S)
        await self._is_quiet(lambda found: found.home == "home" and found.state == "in_flight")

    async def _until(self, complaint: str, is_open: Callable[[Open], bool]) -> None:
        if not await self._is_quiet(is_open):
            self._complain(complaint, [f for f in read_open(self.stage.books) if is_open(f)])

    async def _is_quiet(self, is_open: Callable[[Open], bool]) -> bool:
        """Wait a while until no open payout is of a kind."""
        deadline = time.monotonic() + _ENOUGH_S
        while time.monotonic() < deadline:
            if not any(is_open(found) for found in read_open(self.stage.books)):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    def _moving(self, settled: set[str]) -> list[Open]:
        return [
            found
            for found in read_open(self.stage.books)
            if _is_moving(found, settled, self._now())
        ]

    def _complain(self, what: str, about: list[Open]) -> None:
        self.complaints += [f"{found.shown(self._now())}: {what}" for found in about]

    def _now(self) -> datetime:
        return self.stage.almanac.now()


def _is_moving(found: Open, settled: set[str], now: datetime) -> bool:
    """Tell whether answers alone must still change a payout."""
    if found.state in {"approved", "processing"}:
        return True
    if found.state != "in_flight":
        return False
    # Of a home invoice Flash says that it is paid.
    is_witnessed = found.home == "home" and found.payment_hash in settled
    return is_witnessed or found.reason(now) == "repeatable"


def _waits_for_expiry(found: Open) -> bool:
    """Tell whether the end of its invoice must have changed a payout."""
    if found.state in {"awaiting_approval", "approved", "processing"}:
        return True
    return found.state == "in_flight" and found.home == "home" and not found.is_expiry_seen


def _is_unreviewed(found: Open) -> bool:
    return found.state != "needs_review"
