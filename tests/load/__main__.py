"""`make bench`: measures what has to be fast, beside what this machine can do at all.

It asserts no time. Everything it starts lives on loopback and in a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.load import (
    browsing,
    checks,
    engine,
    exact,
    flood,
    lists,
    live,
    machine,
    past,
    starts,
    taps,
)
from tests.load.shop import Shop, opened, serving
from tests.support.postgres import PrivatePostgres, postgres_available

SECTIONS = ("checks", "start", "taps", "engine", "exact", "lists", "live", "browser", "flood")
# What two or three minutes can tell; `--full` adds the rest, on both databases and at a million.
SHORT = ("checks", "start", "taps", "live")
DATABASES = ("sqlite", "postgresql")


@dataclass(slots=True)
class Bench:
    """What one run of the bench works with."""

    folder: Path
    is_quick: bool
    payouts: int
    databases: tuple[str, ...]
    postgres: PrivatePostgres | None
    limits: machine.Limits = field(default_factory=machine.Limits)
    _made: int = 0

    @contextmanager
    def database(self, kind: str) -> Iterator[tuple[str, Path]]:
        """Make an empty database and a folder for whoever uses it; both go at the end."""
        self._made += 1
        name = f"bench_{self._made}"
        folder = self.folder / name
        folder.mkdir()
        try:
            if kind == "sqlite":
                yield f"sqlite:///{folder / 'payouts.db'}", folder
            else:
                assert self.postgres is not None
                yield self.postgres.create_database(name), folder
                self.postgres.drop_database(name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def shop_with(self, kind: str, size: int) -> AbstractAsyncContextManager[Shop]:
        """Lend a shop with so many payouts behind it."""
        return past.shop_with(kind, size, self.database(kind))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a tenth of the work; the default")
    size.add_argument("--full", action="store_true", help="all of it: an hour, and 8 GB of disk")
    parser.add_argument(
        "--only",
        choices=SECTIONS,
        action="append",
        help="some sections; without it a short run leaves out engine, exact, lists, browser and "
        "flood. live and browser measure open pages, engine the way of payouts, lists what "
        "programs read (at a million payouts with --full, at ten million with BENCH_BIG=1)",
    )
    parser.add_argument("--database", choices=(*DATABASES, "both"), default=None)
    parser.add_argument(
        "--payouts", type=int, default=10_000, help="how many are behind the open pages"
    )
    given = parser.parse_args()
    asked = given.database or ("both" if given.full else "sqlite")
    wanted: tuple[str, ...] = DATABASES if asked == "both" else (asked,)
    if not postgres_available():
        wanted = tuple(name for name in wanted if name != "postgresql")
    folder = Path(tempfile.mkdtemp(prefix="flash-payouts-bench-"))
    postgres = PrivatePostgres(fsync=True) if "postgresql" in wanted else None
    try:
        if postgres is not None:
            postgres.start()
        bench = Bench(folder, not given.full, given.payouts, wanted, postgres)
        _measure_all(bench, tuple(given.only or (SECTIONS if given.full else SHORT)))
    finally:
        if postgres is not None:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _measure_all(bench: Bench, sections: tuple[str, ...]) -> None:
    url = None if bench.postgres is None else bench.postgres.url
    print(machine.facts(_version(url)))
    machine.measure(bench.limits, bench.folder, url, 0.5 if bench.is_quick else 3.0)
    if {"checks", "engine"} & set(sections):  # an invoice is read for each payout
        checks.measure(0.3 if bench.is_quick else 2.0)
    if "browser" in sections and not browsing.is_here():
        print("Chromium is not installed here: no section `browser`", flush=True)
        sections = tuple(section for section in sections if section != "browser")
    for section in sections:
        for database in bench.databases:
            asyncio.run(_measure(bench, section, database))


def _version(url: str | None) -> str:
    if url is None:
        return "none"
    with psycopg.connect(url) as connection:
        return f"{connection.info.server_version // 10000}"


async def _measure(bench: Bench, section: str, database: str) -> None:
    quick = bench.is_quick
    match section:
        case "engine":
            with bench.database(database) as place:
                async with opened(database, *place) as shop:
                    await engine.measure(shop, bench.limits, 160 if quick else 1600, (1, 16))
            sizes = (bench.payouts,) if quick else (bench.payouts, 1_000_000)
            await engine.measure_books(database, bench.shop_with, sizes)
        case "lists":
            sizes = (10_000, 100_000) if quick else (10_000, 1_000_000)
            if os.environ.get("BENCH_BIG"):
                sizes = (*sizes, 10_000_000)
            await lists.measure(database, bench.shop_with, sizes, 200 if quick else 2000)
        case "live" | "browser":
            for size in {bench.payouts} if quick else {bench.payouts, 1_000_000}:
                async with bench.shop_with(database, size) as shop, serving(shop):
                    await _look(section, shop, size, is_quick=quick)
        case _:
            with bench.database(database) as (url, folder):
                await _tap(bench, section, Shop(database, url, folder))


async def _look(section: str, shop: Shop, size: int, *, is_quick: bool) -> None:
    behind = f"{size:,} payouts"
    if section == "browser":
        await browsing.measure(shop, *((4, 15) if is_quick else (10, 100)), behind)
    elif is_quick:
        await live.measure(shop, behind, 10, (1, 20, 100), 100, 3.0)
    else:
        await live.measure(shop, behind, 100, (1, 20, 100), 200, 20.0)


async def _tap(bench: Bench, section: str, made: Shop) -> None:
    quick, place = bench.is_quick, (made.database, made.url, made.folder)
    if section == "flood":
        await flood.measure(made.folder, made.url, 3_000 if quick else 50_000)
    elif section == "start":
        await starts.measure(*place, 2 if quick else 5)
    elif section == "taps":
        async with opened(*place) as shop:
            await taps.measure(shop, bench.limits, 400 if quick else 4000, (1, 10, 16))
    elif section == "exact":
        async with opened(*place) as shop:
            await exact.measure(shop, 20 if quick else 200, 20 if quick else 250)


if __name__ == "__main__":
    main()
