"""From a commit to every open page: how long, how many bytes, how much of the server.

Pages are sockets that speak as a browser's do; a bare socket of the same server stands beside them.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.load import town
from tests.load.neighbours import Foreign, exact_cpu_s, memory_mib
from tests.load.shop import Shop
from tests.load.sockets import Socket
from tests.load.table import Cell, Sample, print_table
from tests.load.watcher import Watcher
from tests.load.wire import BARE_SOCKET, MARKS, Line, lines_to

# Longer than a board rests between two flushes, so that each commit finds it waiting.
GAP_S = 1.0
BARE_GAP_S = 0.05
SETTLE_S = 1.0
OPEN_AT_ONCE = 4
CARDS = 8
HEAD = (
    *("what", "pages", "p50 ms", "p99 ms", "last p50", "last p99", "missed", "server ms"),
    *("wire bytes", "text bytes", "foreign %"),
)


class Page(Protocol):
    """What looks, and keeps when it first saw a name."""

    seen_ns: dict[str, int]
    text_bytes: int

    @property
    def wire_bytes(self) -> int: ...

    def look(self, wanted: set[str]) -> None: ...

    def close(self) -> None: ...


class BarePage:
    """A bare socket, which is told the name of a payout and nothing else."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.seen_ns: dict[str, int] = {}
        self.text_bytes = 0

    @classmethod
    async def open(cls, port: int) -> BarePage:
        return cls(await Socket.open(port, BARE_SOCKET))

    @property
    def wire_bytes(self) -> int:
        return self._socket.received_bytes

    def look(self, _wanted: set[str]) -> None:
        for at_ns, text in self._socket.texts():
            self.text_bytes += len(text)
            self.seen_ns.setdefault(text, at_ns)

    def close(self) -> None:
        self._socket.close()


@dataclass(slots=True)
class Round:
    """What some commits in a row did to the pages that were open."""

    each: Sample = field(default_factory=Sample)
    last: Sample = field(default_factory=Sample)
    missed: int = 0
    server_ms: float = 0.0
    wire_bytes: float = 0.0
    text_bytes: float = 0.0
    foreign: int = 0


@dataclass(slots=True)
class Ground:
    """A shop with a till that only reserves: one commit for each update."""

    shop: Shop
    cards: list[town.VirtualCard]
    rounds: list[tuple[str, int, Round]] = field(default_factory=list)
    noted: dict[str, Any] = field(default_factory=dict)

    async def update(self, line: Line, number: int) -> None:
        """Tap and claim: the claim is the commit that screens show."""
        offer = (await line.ask(self.cards[number % CARDS].tap())).json()
        claim = await line.ask(town.tap_claim(offer["k1"], town.invoice()))
        assert claim.json() == {"status": "OK"}, claim.body

    async def marks(self, line: Line) -> Any:
        return await self.shop.call(line, "GET", MARKS)


async def measure(
    shop: Shop, behind: str, updates: int, counts: Sequence[int], most: int, idle_s: float
) -> None:
    """Measure rounds with so many pages, then idle pages, then the memory of `most` pages."""
    cards = await town.cards(shop, CARDS, auto_approve=False)
    ground = Ground(shop, cards)
    await _round(ground, [], updates, BARE_GAP_S)  # warm: plans, caches
    alone = await _round(ground, [], updates, BARE_GAP_S)
    await _idle_row(ground, [], idle_s)
    pages: list[Page] = []
    for count in counts:
        await _bare_round(ground, count, updates, alone)
        await _open(shop, pages, count)
        found = await _round(ground, pages, updates)
        ground.rounds.append(("dashboard", count, _beyond(found, alone)))
        if count == 20:
            await _idle_row(ground, pages, idle_s)
    before_mib, before = memory_mib(shop.pid), len(pages)
    await _open(shop, pages, most)
    await asyncio.sleep(SETTLE_S)
    mib = memory_mib(shop.pid)
    for page in pages:
        page.close()
    _print(ground, behind, updates)
    each_mib = (mib - before_mib) / max(1, most - before)
    print(f"{mib:.0f} MiB with {most} pages open, {each_mib:.2f} MiB for each", flush=True)


def _beyond(found: Round, alone: Round) -> Round:
    """Take off what the commit itself costs when nobody looks."""
    found.server_ms = max(0.0, found.server_ms - alone.server_ms)
    return found


async def _bare_round(ground: Ground, count: int, updates: int, alone: Round) -> None:
    pages: list[Page] = [await BarePage.open(ground.shop.port) for _ in range(count)]
    found = await _round(ground, pages, updates, BARE_GAP_S)
    ground.rounds.append(("bare socket", count, _beyond(found, alone)))
    for page in pages:
        page.close()


async def _open(shop: Shop, pages: list[Page], count: int) -> None:
    """Open pages a few at a time until there are so many, and let them come to rest."""
    while len(pages) < count:
        more = min(OPEN_AT_ONCE, count - len(pages))
        pages += await asyncio.gather(*(Watcher.open(shop.port) for _ in range(more)))
        for page in pages:  # a page that answers no heartbeat is taken for gone
            page.look(set())
    await asyncio.sleep(SETTLE_S)
    for page in pages:
        page.look(set())


async def _round(
    ground: Ground, pages: Sequence[Page], updates: int, gap_s: float = GAP_S
) -> Round:
    found = Round()
    pid = ground.shop.pid
    # A connection of its own: between rounds the server hangs up on one that is idle.
    async with lines_to(ground.shop.port, 1) as (line,):
        await ground.update(line, 0)
        await asyncio.sleep(gap_s)
        await ground.marks(line)
        wire = sum(page.wire_bytes for page in pages)
        text = sum(page.text_bytes for page in pages)
        cpu = exact_cpu_s(pid)
        with Foreign() as foreign:
            for number in range(updates):
                await ground.update(line, number)
                await asyncio.sleep(gap_s)
        found.server_ms = (exact_cpu_s(pid) - cpu) * 1000 / updates
        ground.noted = await ground.marks(line)
    found.foreign = foreign.percent
    commits: dict[str, int] = ground.noted["commits"]
    await asyncio.sleep(SETTLE_S if pages else 0)  # the last commit may still be on its way
    for page in pages:
        page.look(set(commits))
    each = max(1, len(pages)) * updates
    found.wire_bytes = (sum(page.wire_bytes for page in pages) - wire) / each
    found.text_bytes = (sum(page.text_bytes for page in pages) - text) / each
    for name, at_ns in commits.items():
        came = [(page.seen_ns[name] - at_ns) / 1e9 for page in pages if name in page.seen_ns]
        found.missed += len(pages) - len(came)
        found.each.seconds += came
        if came and len(came) == len(pages):
            found.last.seconds.append(max(came))
    return found


async def _idle_row(ground: Ground, pages: Sequence[Page], seconds: float) -> None:
    for page in pages:
        page.look(set())
    await asyncio.sleep(SETTLE_S)
    pid = ground.shop.pid
    before = exact_cpu_s(pid)
    await asyncio.sleep(seconds)
    percent = (exact_cpu_s(pid) - before) * 100 / seconds
    print(f"idle with {len(pages)} pages open: {percent:.1f} % of a core", flush=True)


def _print(ground: Ground, behind: str, updates: int) -> None:
    rows: list[list[Cell]] = [
        [
            *(name, count, found.each.ms(50), found.each.ms(99), found.last.ms(50)),
            *(found.last.ms(99), found.missed, found.server_ms, found.wire_bytes),
            *(found.text_bytes, found.foreign),
        ]
        for name, count, found in ground.rounds
    ]
    title = f"Commit to frame on {ground.shop.database}, {behind}, {updates} commits; bytes a page"
    print_table(title, HEAD, rows)
    print_noted(ground.noted)


def print_noted(noted: dict[str, Any]) -> None:
    """Print what the server noted of its reads and its loop, in milliseconds."""
    kinds = {"a board's snapshot": noted["boards_ms"], "the loop, late by": noted["gaps_ms"]}
    kinds |= {f"read {name}": times for name, times in sorted(noted["reads_ms"].items())}
    rows = [(name, *told(times)) for name, times in kinds.items() if times]
    print_table("What the server noted", ("what", "times", "p50 ms", "p99 ms", "worst ms"), rows)


def told(times: Sequence[float]) -> tuple[int, float, float, float]:
    """Return how many there were, their median, 99th percentile and worst."""
    sample = Sample([each / 1000 for each in times])
    return len(times), statistics.median(times), sample.ms(99), max(times)
