"""A till: takes cards and links, asks for money over real HTTP, and writes down every answer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import httpx

from services.card_crypto import tap_query
from tests.crash.almanac import Almanac
from tests.crash.journal import Claim, Journal, Read, Told
from tests.crash.purse import Asked, Purse

TIMEOUT_S = 20.0
_LEAST_MSAT = 1_000
_MOST_MSAT = 20_000_000


@dataclass(slots=True)
class Card:
    """A virtual Boltcard with its real keys and counter."""

    uid: bytes
    k1: bytes
    k2: bytes
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What the service lets a till draw."""

    callback: str
    k1: str
    least_msat: int
    most_msat: int


class Till:
    """One till with its own cards, links and luck."""

    def __init__(
        self,
        origin: str,
        journal: Journal,
        almanac: Almanac,
        purse: Purse,
        chance: random.Random,
    ) -> None:
        self.cards: list[Card] = []
        self.links: list[str] = []
        self.chance = chance
        self._origin = origin
        self._journal = journal
        self._almanac = almanac
        self._purse = purse
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, verify=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def offer(self) -> Offer | None:
        """Tap a card or open a link; nothing comes back when the service did not offer."""
        if self.cards and (not self.links or self.chance.random() < 0.7):
            return await self.tap(self.chance.choice(self.cards))
        return await self.open_link(self.chance.choice(self.links))

    async def tap(self, card: Card, *, again: bool = False) -> Offer | None:
        """Hold a card to the till; `again` replays its last read, as a thief would."""
        card.counter += not again
        padding = self.chance.randbytes(5)
        p, c = tap_query(card.k1, card.k2, card.uid, card.counter, padding)
        told, body = await self._get(f"{self._origin}/boltcard", {"p": p, "c": c})
        reason = str(body.get("reason", ""))
        self._journal.reads.append(Read(card.uid.hex(), card.counter, told, reason))
        return self._offered(body) if told is Told.OK else None

    async def open_link(self, url: str) -> Offer | None:
        """Scan a pull payment's link."""
        told, body = await self._get(url, {})
        return self._offered(body) if told is Told.OK else None

    async def invoice(self, offer: Offer) -> Asked | None:
        """Have a payee make an invoice that fits an offer, if anything does."""
        most_msat = min(offer.most_msat, _MOST_MSAT)
        least_msat = max(offer.least_msat, _LEAST_MSAT)
        if most_msat < least_msat:
            return None
        return await self._purse.ask(least_msat, most_msat)

    async def claim(self, offer: Offer, asked: Asked, timeout_s: float = TIMEOUT_S) -> Told:
        """Call back with an invoice and write down what was told."""
        query, asked_at = {"k1": offer.k1, "pr": asked.text}, self._almanac.now()
        told, body = await self._get(offer.callback, query, timeout_s)
        reason = str(body.get("reason", ""))
        at = self._almanac.now()
        await self._journal.add(Claim(offer.k1, asked.payment_hash, told, reason, asked_at, at))
        return told

    async def _get(
        self, url: str, query: dict[str, str], timeout_s: float = TIMEOUT_S
    ) -> tuple[Told, dict[str, Any]]:
        try:
            answer = await self._http.get(url, params=query, timeout=timeout_s)
        except httpx.TransportError:
            return Told.LOST, {}
        if answer.status_code != httpx.codes.OK:
            self._journal.unexpected.append(f"HTTP {answer.status_code} to a till")
            return Told.LOST, {}
        body = answer.json()
        return (Told.ERROR if body.get("status") == "ERROR" else Told.OK), body

    def _offered(self, body: dict[str, Any]) -> Offer | None:
        try:
            return Offer(
                body["callback"], body["k1"], body["minWithdrawable"], body["maxWithdrawable"]
            )
        except KeyError:
            self._journal.unexpected.append(f"an offer without one: {sorted(body)}")
            return None
