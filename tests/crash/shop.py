"""A shop for the drill: pull payments of every kind, cards, tills, and an approver."""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import suppress
from typing import Any

import httpx

from tests.crash.habits import keep_busy
from tests.crash.journal import Decision, Journal, Told
from tests.crash.purse import Purse
from tests.crash.stage import Stage
from tests.crash.till import Card, Till

TILLS = 16
CARDS = 32
_BIG = 2_000_000_000
_TIGHT_SATS = 300_000  # runs out while everybody draws from it
_LOOK_EVERY_S = 0.3
_APPROVES = 0.7

# What is drawn from: name, currency, budget, and whether it approves by itself.
_PULL_PAYMENTS: tuple[tuple[str, str, int, bool], ...] = (
    ("wages", "SATS", _BIG, True),
    ("refunds", "USD", _BIG, True),
    ("raffle", "SATS", _TIGHT_SATS, True),
    ("bounties", "SATS", _BIG, False),
)
_OFTEN = (5, 3, 1, 1)


class Shop:
    """The tills of one round and what they draw from."""

    def __init__(self, stage: Stage, chance: random.Random, tills: int = TILLS) -> None:
        self.journal = Journal()
        self.stage = stage
        self.chance = chance
        self.tills = [self._till() for _ in range(tills)]
        self.pull_payments: dict[str, dict[str, Any]] = {}

    def _till(self) -> Till:
        chance = random.Random(self.chance.random())
        purse = Purse(self.stage.control, self.stage.almanac, chance)
        return Till(self.stage.origin, self.journal, self.stage.almanac, purse, chance)

    async def open(self, cards: int = CARDS) -> None:
        """Make the pull payments and cards, and hand the cards out; no two tills share one."""
        async with self.stage.client() as http:
            for name, currency, amount, is_automatic in _PULL_PAYMENTS:
                wanted = {"name": name, "currency": currency, "amount": amount}
                made = await post(
                    http, "/v1/pull-payments", wanted | {"auto_approve": is_automatic}
                )
                self.pull_payments[name] = made
            names = list(self.pull_payments)
            for number in range(cards):
                name = self.chance.choices(names, _OFTEN)[0]
                card = await self._card(http, number, self.pull_payments[name]["id"])
                self.tills[number % len(self.tills)].cards.append(card)
        for till in self.tills:
            names = self.chance.choices(list(self.pull_payments), _OFTEN, k=2)
            till.links = [self.pull_payments[name]["claim_url"] for name in names]

    async def _card(self, http: httpx.AsyncClient, number: int, pull_payment_id: str) -> Card:
        card = Card(
            b"\x04" + secrets.token_bytes(6), secrets.token_bytes(16), secrets.token_bytes(16)
        )
        body = {
            "alias": f"card {number}",
            "pull_payment_id": pull_payment_id,
            "uid": card.uid.hex(),
            "k1": card.k1.hex(),
            "k2": card.k2.hex(),
        }
        await post(http, "/v1/boltcards", body)
        return card

    async def trade(self, closing: asyncio.Event) -> None:
        """Have all tills and the approver work until closing time."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._approve(closing))
            for till in self.tills:
                group.create_task(keep_busy(till, closing))

    async def close(self) -> None:
        for till in self.tills:
            await till.close()

    async def _approve(self, closing: asyncio.Event) -> None:
        """Decide what waits, now one way, now the other."""
        async with self.stage.client() as http:
            while not closing.is_set():
                # While the service is away the queue waits for it.
                with suppress(httpx.TransportError, httpx.HTTPStatusError):
                    await self._look_at_queue(http)
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _look_at_queue(self, http: httpx.AsyncClient) -> None:
        query = {"state": "awaiting_approval", "limit": 20}
        page = (await http.get("/v1/payouts", params=query)).raise_for_status().json()
        for item in page["items"]:
            verb = "approve" if self.chance.random() < _APPROVES else "reject"
            body: dict[str, Any] = {"revision": item["revision"]}
            if verb == "reject":
                body |= {"reason_code": "drill", "reason": "not this one"}
            try:
                answer = await http.post(f"/v1/payouts/{item['id']}/{verb}", json=body)
            except httpx.TransportError:
                self.journal.decisions.append(Decision(item["id"], verb, Told.LOST))
                raise
            told = Told.OK if answer.is_success else Told.ERROR
            self.journal.decisions.append(Decision(item["id"], verb, told))


async def post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make something over the API."""
    key = {"Idempotency-Key": secrets.token_hex(8)}
    answer = await http.post(path, json=body, headers=key)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    made: dict[str, Any] = answer.json()
    return made
