"""What the engine does: payouts a second from asked to completed, and what it costs to compare.

Flash's limiter is off on both sides: the sandbox counts nothing, and our pace lets a million
through a minute. With it on, sixty requests a minute would be all there is to measure.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

from services.clock import SystemClock
from services.database import Database, sqlite_path
from services.reconciliations import Reconciliations
from tests.load import town
from tests.load.machine import Limits
from tests.load.neighbours import Foreign, cpu_s
from tests.load.shop import Shop, read_rows, write_rows
from tests.load.table import Cell, Sample, print_table
from tests.load.wire import Line, lines_to, repeat, together, written

Lend = Callable[[str, int], AbstractAsyncContextManager[Shop]]
PATIENCE_S = 600.0
LOOK_S = 0.01
HEAD = (
    *("what", "clients", "per s", "of raw commits", "p50 ms", "p99 ms", "server ms", "foreign %"),
)
_OPEN = "SELECT count(*) FROM payouts WHERE status IN ('pending', 'processing')"
_TIMES = (
    "SELECT created_at, submitted_at, completed_at FROM payouts "
    "WHERE created_at >= {since} AND status = 'completed' ORDER BY created_at"
)
_ATTEMPTS = """
INSERT INTO attempts (id, store_id, payout_id, number, state, payment_hash, invoice_sealed,
    amount_msat, invoice_expires_at, home, created_at)
SELECT 'at' || substr(id, 3), store_id, id, 1,
    CASE WHEN status = 'completed' THEN 'settled' ELSE 'dead' END, payment_hash,
    destination_sealed, amount_msat, created_at + 3600000000, 'foreign', created_at
FROM payouts WHERE payment_hash IS NOT NULL
"""
_DEBITS = """
INSERT INTO debits (attempt_id, store_id, payout_id, flash_wallet_id, state, expected_nanousd,
    msat_per_cent, row_id, amount_nanousd, fee_nanousd, logged_at, claimed_at)
SELECT 'at' || substr(id, 3), store_id, id, 'bench',
    CASE WHEN status = 'completed' THEN 'claimed' ELSE 'dropped' END, amount_msat * 100, 100000,
    CASE WHEN status = 'completed' THEN 'row' || substr(id, 3) END,
    CASE WHEN status = 'completed' THEN amount_msat * 100 END, NULL, created_at,
    CASE WHEN status = 'completed' THEN created_at END
FROM payouts WHERE payment_hash IS NOT NULL
"""
_ROWS = """
INSERT INTO statement_rows (store_id, flash_wallet_id, id, state, amount_nanousd, fee_nanousd,
    attempt_id, at, seen_at, claimed_at)
SELECT store_id, flash_wallet_id, row_id, 'claimed', -amount_nanousd, 0, attempt_id, logged_at,
    logged_at, claimed_at
FROM debits WHERE row_id IS NOT NULL
"""


async def measure(shop: Shop, limits: Limits, payouts: int, clients: tuple[int, ...]) -> None:
    """Pay invoices through the sandbox, and print how fast beside what is raw."""
    rows: list[list[Cell]] = [["one row, committed", 1, limits.commits(shop.database)]]
    async with lines_to(shop.port, 1) as (line,):
        budget = await town.pull_payment(shop, line, auto_approve=True)
    rows += [await _round_trips(shop, number, payouts) for number in clients]
    for number in clients:
        rows += await _paid(shop, limits, budget["id"], number, payouts)
    whole = [[*row, *[None] * (len(HEAD) - len(row))] for row in rows]
    print_table(f"The engine on {shop.database}, Flash's limiter off on both sides", HEAD, whole)


async def _round_trips(shop: Shop, clients: int, questions: int) -> list[Cell]:
    """Measure what any client reaches against the sandbox: each payout takes three of these."""
    asked = written("POST", "/graphql", body={"query": "{ __typename }"})
    sample = await repeat(shop.sandbox_port, clients, questions, lambda _: asked)
    return ["HTTP, sandbox, bare", clients, sample.per_s, None, sample.ms(50), sample.ms(99)]


async def _paid(
    shop: Shop, limits: Limits, budget_id: str, clients: int, payouts: int
) -> list[list[Cell]]:
    """Ask for payouts from so many clients at once, and wait until the last is completed."""
    await _ask(shop, budget_id, clients, max(clients, payouts // 10))
    await _all_closed(shop)
    since_us, before_s = int(time.time() * 1_000_000), cpu_s(shop.pid)
    with Foreign() as foreign:
        accepted = await _ask(shop, budget_id, clients, payouts)
        await _all_closed(shop)
    cost_ms = (cpu_s(shop.pid) - before_s) * 1000 / payouts
    found = await asyncio.to_thread(read_rows, shop, _TIMES.format(since=since_us))
    if len(found) != payouts:
        print(f"{payouts - len(found)} of {payouts} payouts did not complete", flush=True)
    elapsed_s = (max(row[2] for row in found) - found[0][0]) / 1e6
    sent = Sample([(row[1] - row[0]) / 1e6 for row in found], elapsed_s)
    settled = Sample([(row[2] - row[0]) / 1e6 for row in found], elapsed_s)
    raw = limits.commits(shop.database)
    return [
        [name, clients, sample.per_s, sample.per_s / raw, sample.ms(50), sample.ms(99), *more]
        for name, sample, more in (
            ("asked to accepted", accepted, ()),
            ("asked to sent", sent, ()),
            ("asked to completed", settled, (cost_ms, foreign.percent)),
        )
    ]


async def _ask(shop: Shop, budget_id: str, clients: int, payouts: int) -> Sample:
    """POST payouts, each client as soon as it has its answer; all must be made.

    One client alone waits until its payout is completed: that is how long a lone one takes.
    """
    requests = [
        written(
            *("POST", "/v1/payouts"),
            key=shop.key,
            body={"destination": town.invoice(), "pull_payment_id": budget_id},
            once=f"bench-{time.time_ns()}-{number}",
        )
        for number in range(payouts)
    ]
    sample, numbers = Sample(), count()

    async def client(line: Line) -> None:
        while (number := next(numbers)) < payouts:
            answer = await line.ask(requests[number])
            assert answer.status == 201, answer.body[:300]
            sample.seconds.append(answer.seconds)
            if clients == 1:
                await _all_closed(shop)

    async with lines_to(shop.port, clients) as lines:
        elapsed_s = await together([client(line) for line in lines])
    sample.elapsed_s = sum(sample.seconds) if clients == 1 else elapsed_s
    return sample


async def _all_closed(shop: Shop) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (await asyncio.to_thread(read_rows, shop, _OPEN))[0][0]:
        assert time.monotonic() < deadline, "the engine did not get through its work"
        await asyncio.sleep(LOOK_S)


async def measure_books(database: str, lend: Lend, sizes: tuple[int, ...]) -> None:
    """Compare the ledger with a wallet's list as it was read before, at each size."""
    rows: list[list[Cell]] = []
    for size in sizes:
        async with lend(database, size) as kept:
            shop = await asyncio.to_thread(_with_debits, kept)
            try:
                rows += await _compared(shop, size)
            finally:
                if shop is not kept:
                    shutil.rmtree(shop.folder, ignore_errors=True)
    head = ("what", "payouts", "ms", "CPU ms", "longest read ms", "matched", "of raw", "foreign %")
    print_table(f"Reconciling on {database}", head, rows)


def _with_debits(kept: Shop) -> Shop:
    """Return a shop whose payouts have attempts and debits too; what is kept stays as it is."""
    shop = kept
    if kept.database == "sqlite":
        folder = kept.folder.with_name(f"{kept.folder.name}-books")
        folder.mkdir(exist_ok=True)
        shutil.copyfile(sqlite_path(kept.url), folder / "payouts.db")
        shop = replace(kept, folder=folder, url=f"sqlite:///{folder / 'payouts.db'}")
    write_rows(shop, (_ATTEMPTS, _DEBITS, _ROWS, "ANALYZE"))
    return shop


class _Clocked:
    """Hands reads on to a database, and remembers how long the longest took."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.longest_s = 0.0

    async def read(self, *work: Any) -> Any:
        started = time.perf_counter()
        found = await self._database.read(*work)
        self.longest_s = max(self.longest_s, time.perf_counter() - started)
        return found


async def _compared(shop: Shop, size: int) -> list[list[Cell]]:
    database, now = Database(shop.url), datetime.now(UTC)
    rows: list[list[Cell]] = []
    spans = {
        "all of it": datetime(2020, 1, 1, tzinfo=UTC),
        "the last 35 days": None,
        "the last hour": now - timedelta(hours=1),
    }
    try:
        for name, since in spans.items():
            clocked = _Clocked(database)
            reconciliations = Reconciliations(cast("Database", clocked), SystemClock())
            with Foreign() as foreign:
                started, before_s = time.perf_counter(), time.process_time()
                found = await reconciliations.reconcile(shop.store_id, None, since)
                took_s = time.perf_counter() - started
                cost_s = time.process_time() - before_s
            raw_s = await asyncio.to_thread(_timed, shop, "SELECT sum(amount_msat) FROM attempts")
            times = (took_s * 1000, cost_s * 1000, clocked.longest_s * 1000)
            rows.append([name, size, *times, found.matched, took_s / raw_s, foreign.percent])
    finally:
        await asyncio.to_thread(database.close)
    return rows


def _timed(shop: Shop, query: str) -> float:
    """Time what no comparison can be faster than: one look at each attempt."""
    started = time.perf_counter()
    read_rows(shop, query)
    return time.perf_counter() - started
