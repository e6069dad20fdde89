"""A past for tests, made once and looked at by many."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.container import build
from app.demo.history import Written, write_history
from app.demo.terms import Files
from models.store import DatabaseKind
from tests.support.clock import HandClock

PAYOUTS = 1_500
DAYS = 90


def files_in(folder: Path, database_url: str = "") -> Files:
    files = Files.fixed(folder)
    return replace(files, database=database_url, path=None) if database_url else files


async def write(files: Files, **more: Any) -> Written:
    wanted: dict[str, Any] = {"payouts": 60, "days": DAYS, "seed": 1, "clock": HandClock()}
    return await write_history(files, **wanted | more)


async def findings_in(files: Files, store_id: str) -> list[Any]:
    """Return what our own audit finds."""
    container = build(files.settings, DatabaseKind.DEMO)
    try:
        return list(await container.books.audit(store_id))
    finally:
        await asyncio.to_thread(container.database.close)


def rows(connection: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()
