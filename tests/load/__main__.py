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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.load import checks, exact, lists, machine, starts, taps
from tests.load.shop import opened
from tests.support.postgres import PrivatePostgres, postgres_available

SECTIONS = ("checks", "start", "taps", "exact", "lists")
DATABASES = ("sqlite", "postgresql")


@dataclass(slots=True)
class Bench:
    """What one run of the bench works with."""

    folder: Path
    is_quick: bool
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


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="some sections")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    given = parser.parse_args()
    wanted = DATABASES if given.database == "both" else (given.database,)
    if not postgres_available():
        wanted = tuple(name for name in wanted if name != "postgresql")
    folder = Path(tempfile.mkdtemp(prefix="flash-payouts-bench-"))
    postgres = PrivatePostgres(fsync=True) if "postgresql" in wanted else None
    try:
        if postgres is not None:
            postgres.start()
        bench = Bench(folder, given.quick, wanted, postgres)
        _measure_all(bench, tuple(given.only or SECTIONS))
    finally:
        if postgres is not None:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _measure_all(bench: Bench, sections: tuple[str, ...]) -> None:
    url = None if bench.postgres is None else bench.postgres.url
    print(machine.facts(_version(url)))
    machine.measure(bench.limits, bench.folder, url, 0.5 if bench.is_quick else 3.0)
    if "checks" in sections:
        checks.measure(0.3 if bench.is_quick else 2.0)
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
    with bench.database(database) as (url, folder):
        match section:
            case "start":
                await starts.measure(database, url, folder, 2 if quick else 5)
            case "taps":
                async with opened(database, url, folder) as shop:
                    await taps.measure(shop, bench.limits, 400 if quick else 4000, (1, 10, 16))
            case "exact":
                async with opened(database, url, folder) as shop:
                    await exact.measure(shop, 20 if quick else 200, 20 if quick else 250)
            case "lists":
                sizes = (10_000, 100_000) if quick else (10_000, 1_000_000)
                if os.environ.get("BENCH_BIG"):
                    sizes = (*sizes, 10_000_000)
                await lists.measure(database, url, folder, sizes, 200 if quick else 2000)


if __name__ == "__main__":
    main()
