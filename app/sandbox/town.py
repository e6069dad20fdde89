"""A small town of customers who tap and claim at a human pace, over HTTP like any till.

It lives inside the sandbox, where its wallets are, and knows of the service only its address,
its cards and its links. Who comes at the n-th visit and what they want follows from the seed and
n; n and the counters of the cards are in the ledger before a card is shown, so that a restart
goes on where it stopped and replays nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from app.sandbox import ledger_sql as sql
from app.sandbox.habits import HOURS, TOWN, Crowd
from app.sandbox.town_luck import Weather
from app.sandbox.town_queue import Asked
from app.sandbox.town_roster import Roster
from app.sandbox.town_till import Silent, Till
from app.sandbox.town_visit import Visitor, visit
from app.sandbox.townsfolk import CUSTOMER_OF, CUSTOMERS, FUND_OF, Customer, Peak
from app.sandbox.world import DEFAULT_USERNAME, World
from app.sandbox.writer import LedgerBusy, Statement
from models.money import NANOUSD_PER_CENT

MOST_VISITS: Final = 24  # people at tills at once; who comes beyond that goes home
SHORTEST_GAP: Final = 0.05  # of the mean
LONGEST_GAP: Final = 3.5
_GROUP_SHARE: Final = 0.05
_GROUP_SIZES: Final = (2, 3, 4)
_GROUP_GAP: Final = 0.1
_FIRST_HOUR: Final = 7.2
_BACK_OFF_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
_WALLET_LOOK_S: Final = 5.0
_REASONS: Final = 50
_ROSTER: Final = "town.roster"
_COUNTERS: Final = "town.counters"
_VISITS: Final = "town.visits"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TownSettings:
    """How a town lives.

    Attributes:
        mean_gap_ms: The time between two visits, on average over a day of the town.
        day_s: How long a day of the town takes; people keep their hours in it.
        allowance_cents: The merchant's wallet is filled up to this when half of it is gone;
            0 leaves it alone.
    """

    base_url: str
    seed: int = 1
    mean_gap_ms: int = 3_500
    day_s: int = 720
    allowance_cents: int = 0


@dataclass(slots=True)
class Tally:
    """What has happened since the town woke up."""

    visits: int = 0
    accepted: int = 0
    silent: int = 0
    is_cut_off: bool = False
    refused: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str) -> None:
        """Count a refusal; reasons beyond a number are counted together."""
        known = reason in self.refused or len(self.refused) < _REASONS
        self.refused[reason if known else "other"] += 1


class Town:
    """Everybody in town, until stopped."""

    def __init__(self, world: World, settings: TownSettings) -> None:
        self.settings = settings
        self.tally = Tally()
        self._world = world
        meta = world.ledger.meta()
        self._roster = Roster.read(json.loads(meta.get(_ROSTER, "{}")))
        self._counters: dict[str, int] = json.loads(meta.get(_COUNTERS, "{}"))
        self._visits = int(meta.get(_VISITS, "0"))
        self._cards = {card.customer: card for card in self._roster.cards}
        self._crowd = Crowd(self._everybody())
        self._weather = Weather(world)
        self._asked = Asked()
        self._is_stopping = asyncio.Event()
        self._has_stopped = asyncio.Event()

    async def run(self) -> None:
        """Live until stopped; what goes wrong at a till ends that visit and nothing else."""
        till = Till.at(self.settings.base_url)
        self._weather.clear_old()
        try:
            async with asyncio.TaskGroup() as group:
                wallet = group.create_task(self._look_after_wallet())
                await self._live(group, till)
                wallet.cancel()
        finally:
            self._weather.clear()
            await till.close()
            self._has_stopped.set()

    async def stop(self) -> None:
        """Let nobody come any more, and wait until the last have left."""
        self._is_stopping.set()
        await self._has_stopped.wait()

    def shown(self) -> dict[str, Any]:
        """Return how the town is doing."""
        return {
            "is_running": not self._has_stopped.is_set(),
            "is_cut_off": self.tally.is_cut_off,
            "base_url": self.settings.base_url,
            "people": [f"{customer.name}, {customer.trade}" for customer in self._crowd.people],
            "visits": self.tally.visits,
            "accepted": self.tally.accepted,
            "silent": self.tally.silent,
            "refused": dict(self.tally.refused),
        }

    async def _live(self, group: asyncio.TaskGroup, till: Till) -> None:
        started = asyncio.get_running_loop().time()
        at_tills: set[asyncio.Task[None]] = set()
        together = 1
        while self._crowd.people and not self._is_stopping.is_set():
            chance = random.Random(f"{self.settings.seed}:{self._visits + 1}")
            hour = self._hour(asyncio.get_running_loop().time() - started)
            gap = gap_s(chance, hour, self.settings.mean_gap_ms)
            await self._pause(gap if together == 1 else gap * _GROUP_GAP)
            # Most come alone; of a group, the next one is close behind.
            together = together - 1 if together > 1 else _party(chance)
            if self._is_stopping.is_set() or len(at_tills) >= MOST_VISITS:
                continue
            try:
                visitor = await self._next_visitor(chance, hour)
            except LedgerBusy:
                continue
            task = group.create_task(self._visit(till, visitor, chance))
            at_tills.add(task)
            task.add_done_callback(at_tills.discard)
            if self.tally.is_cut_off:
                await self._wait_for_service(till)
        for task in at_tills:
            task.cancel()

    def _hour(self, elapsed_s: float) -> int:
        return int(_FIRST_HOUR + elapsed_s * HOURS / self.settings.day_s) % HOURS

    async def _pause(self, seconds: float) -> None:
        """Wait, but not when the town is to stop."""
        try:
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _next_visitor(self, chance: random.Random, hour: int) -> Visitor:
        """Choose who comes, and write the card's next counter down before it is shown."""
        customer = self._crowd.choose(chance, hour)
        self._visits += 1
        await _remember(self._world, _VISITS, str(self._visits))
        card = self._cards.get(customer.name)
        if card is None:
            token = self._roster.links[customer.fund]
            return Visitor(customer, None, 0, token, self._asked, self._roster.glance)
        counter = max(card.counter, self._counters.get(card.uid, 0)) + 1
        # A second one is kept for who taps again.
        self._counters[card.uid] = counter + 1
        await _remember(self._world, _COUNTERS, json.dumps(self._counters))
        return Visitor(customer, card, counter, None, self._asked, None)

    async def _visit(self, till: Till, visitor: Visitor, chance: random.Random) -> None:
        self.tally.visits += 1
        try:
            refusal = await visit(self._world, self._weather, till, visitor, chance)
        except Silent as silent:
            self.tally.silent += 1
            if not self.tally.is_cut_off:
                self.tally.is_cut_off = True
                _log.info("town.cut_off", reason=str(silent))
            return
        except LedgerBusy:
            return
        if refusal is None:
            self.tally.accepted += 1
        else:
            self.tally.refuse(refusal)

    async def _wait_for_service(self, till: Till) -> None:
        """Look again, ever more slowly, until the service says that it is ready."""
        tries = 0
        while not self._is_stopping.is_set() and not await till.is_open():
            await self._pause(_BACK_OFF_S[min(tries, len(_BACK_OFF_S) - 1)])
            tries += 1
        self.tally.is_cut_off = False

    async def _look_after_wallet(self) -> None:
        """Fill the merchant's wallet as its owner would, when there is an allowance."""
        allowance = self.settings.allowance_cents * NANOUSD_PER_CENT
        merchant = self._world.accounts.named(DEFAULT_USERNAME)
        while allowance and merchant is not None:
            wallet = self._world.cash_wallet(merchant)
            if wallet.balance_nanousd < allowance // 2:
                try:
                    await self._world.treasury.deposit(wallet, allowance - wallet.balance_nanousd)
                except LedgerBusy:
                    _log.info("town.wallet_not_filled")
            await asyncio.sleep(_WALLET_LOOK_S)

    def _everybody(self) -> tuple[Customer, ...]:
        """Return who has a card, known here or not, and who has a link."""
        with_cards = [CUSTOMER_OF.get(name) or _stranger(name) for name in self._cards]
        with_links = [
            customer
            for customer in CUSTOMERS
            if not customer.has_card
            and FUND_OF[customer.fund].is_open
            and customer.fund in self._roster.links
        ]
        return (*with_cards, *with_links)


async def keep_roster(world: World, roster: Roster, counters: dict[str, int] | None = None) -> None:
    """Keep cards and links in the ledger, for this start of the town and the next."""
    await world.ledger.writer.commit(roster_rows(roster, counters))


def roster_rows(roster: Roster, counters: dict[str, int] | None = None) -> list[Statement]:
    """Return the ledger's rows of cards and links, and of the cards' last counters if given."""
    rows: list[Statement] = [(sql.SET_META, (_ROSTER, json.dumps(roster.plain())))]
    if counters is not None:
        rows.append((sql.SET_META, (_COUNTERS, json.dumps(counters))))
    return rows


def gap_s(chance: random.Random, hour: int, mean_gap_ms: int) -> float:
    """Return how long until the next visit: chance about a mean that follows the hour."""
    usual = sum(TOWN.liveliness(each) for each in range(HOURS)) / HOURS
    mean_s = mean_gap_ms * 0.001
    gap = chance.expovariate(1.0) * mean_s * usual / TOWN.liveliness(hour)
    return min(max(gap, SHORTEST_GAP * mean_s), LONGEST_GAP * mean_s)


async def _remember(world: World, name: str, value: str) -> None:
    """Have something in the ledger before going on."""
    await world.ledger.writer.commit([(sql.SET_META, (name, value))])


def _party(chance: random.Random) -> int:
    """Return how many come together, mostly one."""
    return chance.choice(_GROUP_SIZES) if chance.random() < _GROUP_SHARE else 1


def _stranger(name: str) -> Customer:
    return Customer(name, "passing through", "lunch", ("grounds", "codfather"), Peak.ANY, 8)
