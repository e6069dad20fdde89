"""`flash-payouts export`: the same file as over HTTP, whole or not at all, and its exit status."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from app.export_command import STDOUT, _written
from models.errors import InvalidField, UnavailableError
from models.payout_filter import PayoutFilter
from models.states import PayoutStatus
from models.store import DatabaseKind
from services.stores import NewStore
from tests.support.clock import HandClock
from tests.support.exported import csv_rows, json_object, xlsx_sheets
from tests.support.past import Past, plant_past
from tests.support.program import Program
from tests.support.shop import Shop, closed_shop, settings_for


@pytest.fixture
async def past(shop: Shop) -> Past:
    planted = await plant_past(shop)
    await planted.grow(40)
    return planted


@pytest.fixture
async def one_shop(sqlite_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Shop]:
    """A shop on one kind of database, for what has nothing to do with it."""
    async with closed_shop(settings_for(sqlite_url, tmp_path), clock) as opened:
        yield opened


async def run(shop: Shop, *words: str) -> subprocess.CompletedProcess[bytes]:
    settings = shop.container.settings
    program = Program(
        Path(mkdtemp(dir=settings.data_dir)),
        {
            "DATABASE_URL": settings.database,
            "DATA_DIR": str(settings.data_dir),
            "MASTER_KEY_FILE": str(settings.key_file),
        },
    )
    ended = await asyncio.to_thread(program.run, "export", *words)
    out, err = bytes_of(program.folder / "stdout"), bytes_of(program.folder / "stderr")
    return subprocess.CompletedProcess(words, ended.status, out, err)


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_filter_becomes_a_file(shop: Shop, past: Past, tmp_path: Path) -> None:
    file = tmp_path / "october.csv"
    words = ("--status", "completed", "--from", "2026-11-01", "--to", "2026-11-18")

    done = await run(shop, "--format", "csv", *words, "-o", str(file), "--json")

    assert done.returncode == 0, done.stderr
    lines = csv_rows(bytes_of(file))
    told = json.loads(done.stdout)
    assert told == {
        "rows": len(lines),
        "file": str(file),
        "total_sats": sum(int(line["amount_sats"] or 0) for line in lines),
    }
    assert {line["status"] for line in lines} == {"completed"}
    assert file.stat().st_mode & 0o077 == 0


async def test_a_file_can_go_to_stdout(shop: Shop, past: Past) -> None:
    done = await run(shop, "--format", "json", "-o", "-", "--json")

    file = json_object(done.stdout)
    stats = await shop.container.figures.stats(shop.store.id, PayoutFilter())
    for status in PayoutStatus:
        assert file["totals"][status]["amount_sats"] == stats.by_status[status].amount_sats
    assert b'{"rows": 40, "file": "-"' in done.stderr


async def test_a_workbook_is_written_whole(shop: Shop, past: Past, tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    store = shop.store.id

    done = await run(shop, "--format", "xlsx", "--store", store, "--output", str(file))

    assert len(xlsx_sheets(bytes_of(file))["Payouts"]) == 42
    assert done.stdout.startswith(b"40 payouts, ")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--format", "pdf", "-o", "x"), b"--format"),
        (("--format", "csv"), b"--output"),
        (("--format", "csv", "-o", "x", "--status", "paid"), b"status: "),
        (("--format", "csv", "-o", "x", "--min-sats", "-1"), b"min_sats: "),
        (("--format", "csv", "-o", "x", "--q", "ab"), b"q: "),
        (("--format", "csv", "-o", "x", "--from", "soon"), b"from: "),
        (("--format", "csv", "-o", "x", "--store", "st_none"), b"store: "),
        (("--format", "csv", "-o", "/nowhere/x.csv"), b"output: "),
    ],
)
async def test_what_cannot_be_is_named(
    one_shop: Shop, words: tuple[str, ...], named: bytes
) -> None:
    done = await run(one_shop, *words)

    assert done.returncode == 2
    assert named in done.stderr
    assert b"Traceback" not in done.stderr


async def test_of_several_stores_one_has_to_be_named(one_shop: Shop) -> None:
    other = NewStore("Other", "bob@example.com")
    await one_shop.container.stores.init(other, DatabaseKind.REAL)

    done = await run(one_shop, "--format", "csv", "-o", "-")

    assert done.returncode == 2
    assert b"store: say which: " in done.stderr


def test_a_file_that_fails_in_the_middle_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("old")

    def write_too_much() -> None:
        with _written(str(file)) as opened:
            opened.write(b"new")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UnavailableError, match="No space left"):
        write_too_much()

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_device_is_written_and_not_replaced() -> None:
    with _written(os.devnull) as opened:
        opened.write(b"x")

    assert Path(os.devnull).is_char_device()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError), _written(str(tmp_path)):
        pass
    with pytest.raises(InvalidField), _written(str(tmp_path / "no" / "file")):
        pass


def test_stdout_stays_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with _written(STDOUT) as opened:
        opened.write(b"x")

    assert capfdbinary.readouterr().out == b"x"
