"""Writes the past: founds the market, tells its visits, and books them on both sides."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from typing import Final
from zoneinfo import ZoneInfo

from app.container import Container, build, prepare
from app.demo.closing import close_books
from app.demo.columns import COLUMNS
from app.demo.founding import Market, PastClock, found
from app.demo.ledger import PastLedger
from app.demo.plan import Plan, Visit
from app.demo.prices import PastPrices
from app.demo.scene import Scene, Told
from app.demo.story import Teller
from app.demo.tally import Tally
from app.demo.terms import Files
from app.sandbox.bulk_ledger import BulkLedger
from app.sandbox.town import roster_rows
from app.sandbox.townsfolk import TIME_ZONE
from app.settings import Settings
from models.errors import UnavailableError
from models.instants import Clock, to_us
from models.migrations import run as migrations
from models.store import DatabaseKind
from services.clock import SystemClock
from services.database import sqlite_path
from services.storage.bulk import Bulk
from services.vault import load_master_key

# Below this, starting processes takes longer than they save.
PARALLEL_FROM: Final = 20_000
MOST_PROCESSES: Final = 8
_BEFORE: Final = timedelta(hours=1)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was made."""

    store_id: str
    database: str
    payouts: int
    days: int
    seed: int
    took_s: float

    def plain(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


async def write_history(
    files: Files,
    *,
    payouts: int,
    days: int,
    seed: int,
    clock: Clock | None = None,
    progress: Progress = lambda _payouts: None,
    parallel_from: int = PARALLEL_FROM,
) -> Written:
    """Make the store and its past; a SQLite file appears only when it is whole.

    Raises:
        UnavailableError: There is a store already.
    """
    started_s = time.monotonic()
    files.refuse_existing()
    draft = files.draft()
    now = (clock or SystemClock()).utc_now()
    start = now - timedelta(days=days)
    plan = Plan(start, now, ZoneInfo(TIME_ZONE), payouts, seed)
    await asyncio.to_thread(prepare, draft.settings)
    if not migrations.is_without_stores(draft.settings.database):
        raise UnavailableError("This database has a store already; a history needs an empty one.")
    async with _opened(draft.settings, PastClock(start - _BEFORE)) as container:
        market = await found(container, plan)
    with closing(BulkLedger(draft.ledger, to_us(start - _BEFORE) // 1000)) as ledger:
        past = PastLedger(ledger)
        scene = _scene(draft.settings, ledger, market, plan)
        tally = Tally(scene, market.audit_count)
        told = _told(scene, plan, parallel_from)
        await _write_parts(draft.settings, told, tally, past, progress)
        ledger.write(roster_rows(market.roster, _counters(market, plan)))
        ledger.finish()
    last_minute = PastClock(now - timedelta(minutes=1))
    async with _opened(draft.settings, last_minute) as container:
        await close_books(container, market, plan, tally)
    draft.publish()
    took_s = round(time.monotonic() - started_s, 3)
    return Written(market.store_id, files.shown_database, tally.payouts, days, seed, took_s)


@asynccontextmanager
async def _opened(settings: Settings, clock: Clock) -> AsyncIterator[Container]:
    container = build(settings, DatabaseKind.DEMO, clock)
    try:
        await container.stores.load_keys()
        yield container
    finally:
        await asyncio.to_thread(container.database.close)


def _scene(settings: Settings, ledger: BulkLedger, market: Market, plan: Plan) -> Scene:
    chance = random.Random(f"{plan.seed}:prices")
    return Scene(
        store_id=market.store_id,
        wallet_id=market.wallet_id,
        flash_wallet_id=ledger.wallet.id,
        owner_id=market.owner_id,
        now_us=to_us(plan.now),
        seed=plan.seed,
        prices=PastPrices.walk(plan.start - _BEFORE, plan.now, chance),
        master_key=load_master_key(settings.key_file, may_create=False),
        data_key=market.data_key,
        node_key=ledger.node_key,
        funds=market.funds,
        cards=market.cards,
    )


def _counters(market: Market, plan: Plan) -> dict[str, int]:
    """Return the last counter of each card by its UID."""
    places = dict(zip(market.cards, market.roster.cards, strict=True))
    return {card.uid: plan.counters[place] for place, card in places.items()}


async def _write_parts(
    settings: Settings,
    parts: AsyncIterator[Told],
    tally: Tally,
    past: PastLedger,
    progress: Progress,
) -> None:
    bulk = await asyncio.to_thread(_open_bulk, settings)
    try:
        async for told in parts:
            rows = told.rows | tally.add(told)
            await asyncio.to_thread(bulk.add, rows, COLUMNS)
            past.book(told)
            progress(tally.payouts)
        scene = tally.scene
        seen = [(scene.store_id, scene.flash_wallet_id, *seen) for seen in past.balances]
        await asyncio.to_thread(bulk.add, tally.rest() | {"balances": seen}, COLUMNS)
        await asyncio.to_thread(bulk.commit)
    finally:
        await asyncio.to_thread(bulk.close)


def _open_bulk(settings: Settings) -> Bulk:
    if settings.database.startswith("sqlite:"):
        return Bulk.open_sqlite(sqlite_path(settings.database))
    return Bulk.open_postgres(settings.database)


def tell_part(scene: Scene, number: int, visits: list[Visit]) -> Told:
    """Tell one part, in whichever process."""
    return Teller(scene).tell(number, visits)


async def _told(scene: Scene, plan: Plan, parallel_from: int) -> AsyncIterator[Told]:
    """Yield the parts in order, told by several processes if there are many."""
    with _processes(plan.payouts, parallel_from) as (executor, ahead):
        loop = asyncio.get_running_loop()
        under_way: deque[asyncio.Future[Told]] = deque()
        for number, visits in enumerate(plan.batches()):
            work = partial(tell_part, scene, number, visits)
            under_way.append(loop.run_in_executor(executor, work))
            if len(under_way) > ahead:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()


@contextmanager
def _processes(payouts: int, parallel_from: int) -> Iterator[tuple[Executor | None, int]]:
    """Lend processes for a long history, or the usual thread for a short one."""
    if payouts < parallel_from:
        yield None, 1
        return
    workers = max(1, min(MOST_PROCESSES, (os.cpu_count() or 1) - 1))
    executor = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        # Ctrl-C in a terminal reaches them as well, but they end with this process.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        yield executor, workers + 1
    finally:
        executor.shutdown(cancel_futures=True)
