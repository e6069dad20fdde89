"""How many wait for approval: seen at a glance where that is allowed, else remembered."""

from __future__ import annotations

import asyncio
from typing import Final

from app.sandbox.clock import SandboxClock
from app.sandbox.town_till import Till
from app.sandbox.town_wallets import Ask

MOST_WAITING: Final = 12


class Asked:
    """The town's own claims that wait for a person, until their invoices run out."""

    def __init__(self) -> None:
        self._until_s: dict[str, int] = {}
        # One at a time looks and asks, or several would see the same last place.
        self.counter = asyncio.Lock()

    def add(self, ask: Ask, until_s: int) -> None:
        """Remember a claim."""
        self._until_s[ask.payment_hash] = until_s

    async def is_short(self, till: Till, clock: SandboxClock, glance: str | None) -> bool:
        """Tell whether it is worth asking.

        Raises:
            Silent: The queue could not be seen.
        """
        if glance is not None:
            return await till.queue_length(glance) < MOST_WAITING
        now_s = clock.now_s()
        self._until_s = {key: until for key, until in self._until_s.items() if until > now_s}
        return len(self._until_s) < MOST_WAITING
