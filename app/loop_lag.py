"""How late the event loop is: everything that is live waits behind it."""

from __future__ import annotations

import asyncio
from collections import deque

EVERY_S = 0.25
KEEP = 240  # a minute of looks


class LoopLag:
    """Measures by how much a short sleep is overslept."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=KEEP)

    @property
    def worst_s(self) -> float:
        """Return the longest delay of the last minute."""
        return max(self._late_s, default=0.0)

    async def run(self) -> None:
        """Measure for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._late_s.append(max(0.0, clock() - due))
