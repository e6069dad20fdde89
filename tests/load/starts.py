"""How long a start takes, and how much memory it holds: with little in the database, and a lot."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.load.neighbours import memory_mib
from tests.load.shop import ROOT, Shop, opened, serving
from tests.load.table import Cell, print_table

_IMPORTS = {
    "python alone": "pass",
    "import nicegui": "import nicegui",
    "import app.server": "import app.commands, app.server",
}


async def measure(database: str, url: str, folder: Path, runs: int) -> None:
    """Measure imports, and starts of the server until `/readyz` answers 200."""
    rows: list[list[Cell]] = [
        [name, *_imports(code, runs), None] for name, code in _IMPORTS.items()
    ]
    async with opened(database, url, folder, pays=False) as shop:
        pass
    rows.append([f"serve until ready, {database}", *await _starts(shop, runs)])
    print_table("Starts", ("what", "median s", "worst s", "memory MiB"), rows)


def _imports(code: str, runs: int) -> tuple[float, float]:
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        found.append(time.perf_counter() - started)
    return statistics.median(found), max(found)


async def _starts(shop: Shop, runs: int) -> tuple[float, float, float]:
    found, memory = [], []
    for _ in range(runs):
        async with serving(shop):
            found.append(shop.start_s)
            memory.append(memory_mib(shop.pid))
    return statistics.median(found), max(found), statistics.median(memory)
