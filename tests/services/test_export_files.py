"""The parts of an export: cells, numbers and times of workbooks, and memory that stays flat."""

from __future__ import annotations

import asyncio
import gc
import secrets
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from models.errors import LimitReached, UnavailableError
from models.export import ExportFormat, ExportOrder, ExportStage, Progress
from models.instants import from_us, iso
from models.payout_filter import PayoutFilter
from services import export_spool
from services.database import Database
from services.export_cells import column_letters, excel_time, text_cell
from services.export_files import Contents
from services.export_rows import Sheet, cells_of, harmless, moment_text
from services.export_spool import Spool, Tally
from services.export_thread import OwnThread
from services.exports import _WRITERS, _with_room
from services.storage.snapshot import snapshot
from services.storage.statement import Statement
from services.vault import Sealer
from tests.support.builders import a_store
from tests.support.clock import NOON
from tests.support.past import DANGEROUS
from tests.support.shop import ALICE

DAY_US = 86_400 * 10**6
SEALER = Sealer(secrets.token_bytes(32))
SOME_YEARS = st.integers(-70 * 365 * DAY_US, 200 * 365 * DAY_US)


@given(SOME_YEARS)
def test_a_moment_is_printed_as_everywhere(us: int) -> None:
    assert moment_text(us) == iso(from_us(us))


@given(st.integers(0, 200 * 365 * DAY_US))
def test_a_workbook_keeps_milliseconds(us: int) -> None:
    days = float(excel_time(us))

    back = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(milliseconds=round(days * 86_400_000))
    assert iso(back) == iso(from_us(us))


@pytest.mark.parametrize(
    ("place", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")]
)
def test_columns_have_letters(place: int, letters: str) -> None:
    assert column_letters(place) == letters


@pytest.mark.parametrize("words", DANGEROUS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(words: str) -> None:
    assert harmless(words) == f"'{words}"


@pytest.mark.parametrize("words", ["", "a=b", "lnbc1", "'quoted", "1+1", "{}", "user@host"])
def test_other_texts_are_left_as_they_are(words: str) -> None:
    assert harmless(words) == words


@pytest.mark.parametrize(
    ("words", "xml"),
    [
        ("a", "<t>a</t>"),
        ("<f>1</f>", "<t>&lt;f&gt;1&lt;/f&gt;</t>"),
        ("<r>1</r>", "<t>&lt;r&gt;1&lt;/r&gt;</t>"),
        ("a\rb", "<t>a_x000D_b</t>"),
        ("\x00\ufffe", "<t>_x0000__xFFFE_</t>"),
        ("_x0041_", "<t>_x005F_x0041_</t>"),
        ("a b", "<t>a b</t>"),
        (" a", '<t xml:space="preserve"> a</t>'),
        ("a ", '<t xml:space="preserve">a </t>'),
        ("a\nb", '<t xml:space="preserve">a\nb</t>'),
    ],
)
def test_a_text_in_a_workbook_is_only_a_text(words: str, xml: str) -> None:
    assert text_cell("B7", words) == f'<c r="B7" t="inlineStr"><is>{xml}</is></c>'


def a_row(number: int) -> tuple[Any, ...]:
    """Return a row as the database has it, none like another."""
    payout_id = f"po_{number:026d}"
    us = 1_790_000_000_000_000 - number * 1_000
    place = f"payouts/{payout_id}/destination"
    cells: dict[str, Any] = dict.fromkeys(Sheet(shows_all=True).sources)
    cells |= {"id": payout_id, "status": "completed", "state": "completed", "revision": 1}
    cells |= {"amount_sats": number, "amount_msat": number * 1000, "value_cents": number}
    cells |= {"destination_sealed": SEALER.seal_text("lnbc1" * 40, place), "memo": f"for {number}"}
    cells |= {"metadata_json": "{}", "created_at": us, "completed_at": us + 1}
    return tuple(cells.values())


def pages_of(count: int) -> Iterator[list[Any]]:
    for first in range(0, count, 200):
        yield [a_row(number) for number in range(first, min(first + 200, count))]


def peak_of(form: ExportFormat, folder: Path, count: int) -> int:
    """Return how much memory an export of so many rows needs at most, file left out."""
    sheet = Sheet(shows_all=True)
    tally = Tally(sheet.names)
    gc.collect()
    tracemalloc.start()
    with closing(Spool(folder)) as spool:
        for page in pages_of(count):
            spool.add(page)
            tally.add(page)
        contents = Contents(
            order=ExportOrder(a_store(), PayoutFilter(), form, ALICE),
            as_of=NOON,
            filter={},
            sheet=sheet,
            tally=tally,
            pages=spool.pages(),
            cells=cells_of(sheet, SEALER),
        )
        for _ in _WRITERS[form](contents):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("form", ExportFormat)
def test_four_times_the_rows_need_no_more_memory(
    form: ExportFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_spool, "IN_MEMORY_BYTES", 100_000)
    peak_of(form, tmp_path, 200)  # imports and caches

    little, much = (peak_of(form, tmp_path, count) for count in (1_500, 6_000))

    assert much < little * 1.25 + 200_000


LAZY = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9)"
    " SELECT CASE WHEN n = 7 THEN abs(-9223372036854775807 - 1) ELSE n END FROM c",
    "postgresql": "SELECT 1 / (7 - n) FROM generate_series(1, 9) n",
}


async def test_rows_are_computed_when_they_are_taken(database: Database, dialect: str) -> None:
    def read() -> list[int]:
        lengths = []
        with snapshot(database.url) as view:
            for page in view.pages(Statement(text(LAZY[dialect])), {}, 2):
                lengths.append(len(page))
                if len(lengths) == 2:
                    return lengths
        return lengths

    assert await asyncio.to_thread(read) == [2, 2]


def test_a_file_has_so_many_rows_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_spool, "ROW_LIMIT", 3)

    with closing(Spool(tmp_path)) as spool:
        spool.add([(1,), (2,), (3,)])
        with pytest.raises(LimitReached):
            spool.add([(4,)])


def test_a_disk_that_is_full_is_said_so() -> None:
    def full() -> Iterator[bytes]:
        yield b"a"
        raise OSError(28, "No space left on device")

    steps = _with_room(full())  # type: ignore[arg-type]

    assert next(steps) == b"a"
    with pytest.raises(UnavailableError):
        next(steps)


def test_two_tallies_are_the_same_if_all_their_figures_are() -> None:
    sheet = Sheet(shows_all=True)
    one, other = Tally(sheet.names), Tally(sheet.names)
    one.add([a_row(1), a_row(2)])
    other.add([a_row(2)])

    assert one != other
    other.add([a_row(1)])
    assert one == other
    assert one != "a tally"
    assert [quarter.figure for quarter in one.quarters()] == [one.total()]


async def test_a_thread_of_its_own_hands_on_errors_and_ends() -> None:
    def count() -> Iterator[int]:
        yield 1
        raise ValueError("stop")

    thread = OwnThread("count")
    steps: AsyncIterator[int] = thread.steps(count())  # type: ignore[arg-type]

    assert await anext(steps) == 1
    with pytest.raises(ValueError, match="stop"):
        await anext(steps)
    last = thread.submit(lambda: "last")
    thread.end()
    assert await asyncio.wrap_future(last) == "last"


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        (Progress(ExportStage.READING, 0, 0, 0), 0),
        (Progress(ExportStage.READING, 300, 0, 300), 33),
        (Progress(ExportStage.WRITING, 300, 150, 300), 66),
        (Progress(ExportStage.WRITING, 300, 300, 300), 99),
        (Progress(ExportStage.DONE, 0, 0, 0), 100),
    ],
)
def test_progress_is_whole_percent(progress: Progress, percent: int) -> None:
    assert progress.percent == percent
