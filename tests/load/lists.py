"""What programs read: a page, the figures, the trend; flat from ten thousand to a million rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tests.load.neighbours import Foreign, memory_mib
from tests.load.shop import Shop, serving
from tests.load.table import Cell, Sample, print_table
from tests.load.wire import Line, lines_to, repeat, written

Lend = Callable[[str, int], AbstractAsyncContextManager[Shop]]
PAGES_DEEP = 40
CLIENTS = (1, 10)
HEAD = (
    *("what", "payouts", "clients", "per s", "p50 ms", "p99 ms", "p50 over the smallest"),
    "foreign %",
)


@dataclass(slots=True)
class Flat:
    """The medians at the first size, by request and number of clients."""

    medians: dict[tuple[str, int], float] = field(default_factory=dict)

    def ratio(self, name: str, clients: int, sample: Sample) -> float:
        return sample.ms(50) / self.medians.setdefault((name, clients), sample.ms(50))


async def measure(database: str, lend: Lend, sizes: tuple[int, ...], count: int) -> None:
    """Open a shop of each size, read, and print."""
    flat, rows = Flat(), []
    for size in sizes:
        async with lend(database, size) as shop, serving(shop):
            print(f"{size:,} payouts: ready after {shop.start_s:.2f} s", flush=True)
            for name, request in (await _requests(shop)).items():
                for clients in CLIENTS:
                    rows += [await _row(shop, name, request, size, clients, count, flat)]
            memory = memory_mib(shop.pid)
        print(f"{memory:.0f} MiB after reading", flush=True)
    print_table(f"Reading on {database}", HEAD, rows)


async def _row(
    shop: Shop,
    name: str,
    request: Callable[[int], bytes],
    size: int,
    clients: int,
    count: int,
    flat: Flat,
) -> list[Cell]:
    await repeat(shop.port, clients, max(20, count // 10), request)
    with Foreign() as foreign:
        sample = await repeat(shop.port, clients, count, request)
    ratio = flat.ratio(name, clients, sample)
    return [name, size, clients, sample.per_s, sample.ms(50), sample.ms(99), ratio, foreign.percent]


async def _requests(shop: Shop) -> dict[str, Callable[[int], bytes]]:
    """Return what is asked, by name; deep pages are reached as a program would reach them."""
    async with lines_to(shop.port, 1) as (line,):
        cards = (await shop.call(line, "GET", "/v1/boltcards?limit=200"))["items"]
        deep = await _cursors(shop, line)

    def get(path: str) -> bytes:
        return written("GET", path, key=shop.key)

    first = get("/v1/payouts?limit=50")
    paths = [get(f"/v1/payouts?limit=50&cursor={cursor}") for cursor in deep]
    failed = get("/v1/payouts?limit=50&status=failed")
    largest = get("/v1/payouts?limit=50&sort=amount")
    largest_failed = get("/v1/payouts?limit=50&sort=amount&status=failed")
    largest_of_cards = [
        get(f"/v1/payouts?limit=50&sort=amount&card={card['id']}") for card in cards
    ]
    completed = get("/v1/payouts?limit=50&sort=completed")
    of_cards = [get(f"/v1/payouts?limit=50&card={card['id']}") for card in cards]
    # What few or none of very many fit.
    reversed_ = get("/v1/payouts?limit=50&state=reversed")
    rare_of_cards = [
        get(f"/v1/payouts?limit=50&card={card['id']}&min_sats=49990") for card in cards
    ]
    waiting_of_cards = [
        get(f"/v1/payouts?limit=50&card={card['id']}&status=pending") for card in cards
    ]
    text = get("/v1/payouts?limit=50&q=lnbc&status=failed")
    stats, timeline = get("/v1/stats"), get("/v1/timeline?days=30&bucket=day")
    month = get("/v1/stats?from=2026-10-01T12:07:00Z")
    return {
        "page, newest": lambda _: first,
        "page, deep": lambda number: paths[number % len(paths)],
        "page, failed": lambda _: failed,
        "page, one card": lambda number: of_cards[number % len(of_cards)],
        "page, largest": lambda _: largest,
        "page, largest failed": lambda _: largest_failed,
        "page, largest of one card": lambda number: largest_of_cards[
            number % len(largest_of_cards)
        ],
        "page, latest completed": lambda _: completed,
        "page, reversed": lambda _: reversed_,
        "page, pending of one card": lambda number: waiting_of_cards[
            number % len(waiting_of_cards)
        ],
        "page, large of one card": lambda number: rare_of_cards[number % len(rare_of_cards)],
        "page, failed, by text": lambda _: text,
        "stats, all time": lambda _: stats,
        "stats, since a minute": lambda _: month,
        "timeline, 30 days": lambda _: timeline,
    }


async def _cursors(shop: Shop, line: Line) -> list[str]:
    """Walk some pages, each 200 rows long."""
    cursors: list[str] = []
    path = "/v1/payouts?limit=200"
    for _ in range(PAGES_DEEP):
        found = await shop.call(line, "GET", path)
        if found["next_cursor"] is None:
            break
        cursors.append(found["next_cursor"])
        path = f"/v1/payouts?limit=200&cursor={found['next_cursor']}"
    random.Random(1).shuffle(cursors)
    return cursors
