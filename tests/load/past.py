"""Shops with a past of some size, kept between runs: a million payouts take minutes to make.

SQLite files stay in a folder below the system's temporary one, named by the schema, the code that
fills them, the size and the week, so that the last thirty days are never empty. A PostgreSQL is
filled anew for each run, as its server ends with the run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from models.migrations import run as migrations
from tests.load import history, town
from tests.load.shop import Shop, environment_of, opened

CARDS = 24
PREFIX = "flash-payouts-bench-past-"
_SHOP = "shop.json"


@asynccontextmanager
async def shop_with(
    database: str, size: int, empty: AbstractContextManager[tuple[str, Path]]
) -> AsyncIterator[Shop]:
    """Lend a shop with so many payouts behind it; nothing serves it yet."""
    if database == "sqlite":
        yield await _kept(size)
        return
    with empty as (url, folder):
        yield await _made(database, url, folder, size)


async def _kept(size: int) -> Shop:
    folder = Path(tempfile.gettempdir()) / f"{PREFIX}{size}-{_key(size)}"
    if not (folder / _SHOP).exists():
        for older in folder.parent.glob(f"{PREFIX}{size}-*"):
            shutil.rmtree(older, ignore_errors=True)
        # Made beside it and moved, so that what was cut off is never taken for whole.
        beside = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{size}-"))
        made = await _made("sqlite", f"sqlite:///{beside / 'payouts.db'}", beside, size)
        (beside / _SHOP).write_text(json.dumps({"store_id": made.store_id, "key": made.key}))
        await asyncio.to_thread(beside.replace, folder)
    shop = Shop("sqlite", f"sqlite:///{folder / 'payouts.db'}", folder)
    found = json.loads((folder / _SHOP).read_text())
    shop.store_id, shop.key = found["store_id"], found["key"]
    shop.environment = environment_of(shop.url, folder)
    return shop


async def _made(database: str, url: str, folder: Path, size: int) -> Shop:
    # Through a sandbox it becomes a demo's database, whose screens need no signing in.
    async with opened(database, url, folder) as shop:
        await town.cards(shop, CARDS, auto_approve=False)
    shop.environment = environment_of(url, folder)
    took_s = await asyncio.to_thread(history.History(shop).up_to, size)
    print(f"{size:,} payouts on {database}, written in {took_s:.1f} s", flush=True)
    return shop


def _key(size: int) -> str:
    week = datetime.now(UTC).isocalendar()[:2]
    code = Path(history.__file__).read_bytes()
    text = f"{migrations.head()} {size} {week}".encode() + code
    return hashlib.sha256(text).hexdigest()[:16]
