"""What the tills asked and what they were told: kept by them, read by the judge."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Told(StrEnum):
    """How a call ended for the one who made it."""

    OK = "ok"
    ERROR = "error"
    LOST = "lost"  # cut off, timed out, or not an answer of the service


@dataclass(frozen=True, slots=True)
class Claim:
    """One callback: which k1 for which invoice, when it was made, and what was told when."""

    k1: str
    payment_hash: str
    told: Told
    reason: str
    asked_at: datetime
    at: datetime

    @property
    def claim_key(self) -> str:
        """Return what the service keeps of a k1."""
        return hashlib.sha256(self.k1.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a card that was shown to the service, perhaps not for the first time."""

    card: str
    counter: int
    told: Told
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What an approver was told of an approval or rejection."""

    payout_id: str
    verb: str
    told: Told


@dataclass(slots=True)
class Journal:
    """Everything that was answered in one round."""

    claims: list[Claim] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, claim: Claim) -> None:
        """Keep a claim and tell whoever waits for traffic."""
        self.claims.append(claim)
        async with self._more:
            self._more.notify_all()

    async def until(self, answered: int) -> None:
        """Wait until so many claims were made."""
        async with self._more:
            await self._more.wait_for(lambda: len(self.claims) >= answered)
