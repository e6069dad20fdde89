"""What a cashier waits for: the first answer to a tap, its reservation, and the whole of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.load import town
from tests.load.machine import Limits
from tests.load.neighbours import Foreign, cpu_s
from tests.load.shop import Shop
from tests.load.table import Cell, Sample, print_table
from tests.load.wire import CONSTANT, Line, lines_to, repeat, together, written

CARDS_PER_TILL = 8
HEAD = (
    *("what", "tills", "per s", "of constant", "of raw commits", "p50 ms", "p99 ms"),
    *("server ms", "foreign %"),
)


@dataclass(slots=True)
class Run:
    """Latencies of both halves of full taps, and of the two together."""

    scans: Sample = field(default_factory=Sample)
    claims: Sample = field(default_factory=Sample)
    whole: Sample = field(default_factory=Sample)
    server_ms: float = 0.0
    foreign: int = 0
    refused: int = 0


async def measure(shop: Shop, limits: Limits, taps: int, tills: tuple[int, ...]) -> None:
    """Measure taps, and print them beside the constant route and the raw commits."""
    await _constant(shop, limits, taps)
    rows: list[list[Cell]] = []
    for count in tills:
        run = await _run(shop, count, taps, auto_approve=False)
        rows.append(_row("tap, first answer", count, run.scans, run, limits, shop))
        rows.append(_row("callback to its commit", count, run.claims, run, limits, shop))
        rows.append(_row("both (reserved)", count, run.whole, run, limits, shop))
    for count in tills:
        run = await _run(shop, count, taps, auto_approve=True)
        rows.append(_row("full tap, to OK", count, run.whole, run, limits, shop))
        rows.append(_row("  its callback", count, run.claims, run, limits, shop))
        if run.refused:
            rows.append([f"  {run.refused} did not end in OK", count, *[None] * (len(HEAD) - 2)])
    print_table(f"Taps on {shop.database}", HEAD, rows)


async def _constant(shop: Shop, limits: Limits, count: int) -> None:
    """Measure the route that is constant; each figure of a tap is told as a share of it."""
    samples = {}
    for clients in (1, 10):
        samples[clients] = await repeat(
            shop.port, clients, count * 4, lambda _: written("GET", CONSTANT)
        )
    limits.constant_1, limits.constant_10 = samples[1].per_s, samples[10].per_s
    print_table(
        f"A constant route of the same server ({shop.database})",
        ("clients", "per s", "p50 ms", "p99 ms"),
        [(clients, found.per_s, found.ms(50), found.ms(99)) for clients, found in samples.items()],
    )


async def _run(shop: Shop, tills: int, taps: int, *, auto_approve: bool) -> Run:
    cards = await town.cards(shop, tills * CARDS_PER_TILL, auto_approve=auto_approve)
    each = max(1, taps // tills)
    await _side_by_side(shop, cards, tills, max(1, each // 10))  # warm: plans, caches, files
    return await _side_by_side(shop, cards, tills, each)


async def _side_by_side(shop: Shop, cards: list[town.VirtualCard], tills: int, each: int) -> Run:
    run = Run()
    work = [_prepared(cards[till::tills], each) for till in range(tills)]
    async with lines_to(shop.port, tills) as lines:
        before = cpu_s(shop.pid)
        with Foreign() as foreign:
            elapsed = await together(
                [_till(line, mine, run) for line, mine in zip(lines, work, strict=True)]
            )
        run.server_ms = (cpu_s(shop.pid) - before) * 1000 / (tills * each)
    run.foreign = foreign.percent
    for sample in (run.scans, run.claims, run.whole):
        sample.elapsed_s = elapsed
    return run


def _prepared(cards: list[town.VirtualCard], count: int) -> list[tuple[bytes, str]]:
    return [(cards[number % len(cards)].tap(), town.invoice()) for number in range(count)]


async def _till(line: Line, work: list[tuple[bytes, str]], run: Run) -> None:
    """Tap, then claim, one customer after the other."""
    for tap, invoice in work:
        scan = await line.ask(tap)
        offer = json.loads(scan.body)
        assert "k1" in offer, offer
        claim = await line.ask(town.tap_claim(offer["k1"], invoice))
        run.refused += json.loads(claim.body) != {"status": "OK"}
        run.scans.seconds.append(scan.seconds)
        run.claims.seconds.append(claim.seconds)
        run.whole.seconds.append(scan.seconds + claim.seconds)


def _row(name: str, tills: int, sample: Sample, run: Run, limits: Limits, shop: Shop) -> list[Cell]:
    constant = limits.constant_1 if tills == 1 else limits.constant_10
    raw = limits.commits(shop.database)
    return [
        name,
        tills,
        sample.per_s,
        sample.per_s / constant if constant else None,
        sample.per_s / raw if raw else None,
        sample.ms(50),
        sample.ms(99),
        run.server_ms,
        run.foreign,
    ]
