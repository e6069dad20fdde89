"""Exports: exactly the payouts of a filter as one file, adding up to the row.

An export has two halves. First all rows are copied out of one snapshot of the database, as fast
as it reads (a million in some ten seconds), and added up; then they are formatted at whatever
speed the reader takes them. So every row that existed at `as_of` is there once, in its state of
then, the totals are those of the very rows in the file, and nobody's slow line keeps SQLite's WAL
or PostgreSQL's dead rows. Between the halves the export is written down in the audit: no byte
leaves before. All work is done by a thread of the export's own, a page of rows at a time.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import structlog

from models.errors import ExportCancelled, NotFoundError, RateLimited, UnavailableError
from models.export import ExportFormat, ExportOrder, ExportStage, Progress
from models.instants import MICROSECOND, Clock
from models.rollup import Figure
from services.audit import audit
from services.boltcards import Boltcards
from services.database import Database
from services.export_files import Contents, filter_fields, write_csv, write_json
from services.export_rows import CellsOf, Sheet, cells_of
from services.export_spool import Spool, Tally
from services.export_thread import OwnThread
from services.export_workbook import write_xlsx
from services.figures import Figures
from services.payouts import NO_CARD, resolve_card
from services.storage import export as rows
from services.storage.snapshot import snapshot
from services.vault import Vault

T = TypeVar("T")
OnProgress = Callable[[Progress], None]

_log = structlog.get_logger(__name__)

AT_ONCE = 2  # each takes up to a core and a gigabyte of disk
RETRY_AFTER_S = 10
PAGE_ROWS = 200  # two pages are fewer objects than set off Python's collector
STEP_PAGES = 20  # read between two looks at who is waiting
PAUSE_ROWS = 25
PAUSE_S = 0.00005
OFFER_LIFE_S = 60.0
_TICKET_BYTES = 16
_WRITERS: dict[ExportFormat, Callable[[Contents], Iterator[bytes]]] = {
    ExportFormat.CSV: write_csv,
    ExportFormat.JSON: write_json,
    ExportFormat.XLSX: write_xlsx,
}


class Exports:
    """Starts exports, a few at once."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        boltcards: Boltcards,
        figures: Figures,
        folder: Path,
    ) -> None:
        self.database = database
        self.vault = vault
        self.clock = clock
        self.boltcards = boltcards
        self.figures = figures
        self.folder = folder
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._offers: dict[str, Export] = {}

    def start(self, order: ExportOrder, on_progress: OnProgress | None = None) -> Export:
        """Begin an export; whoever gets it closes it.

        `on_progress` is called in the event loop when a whole percent more is done.

        Raises:
            RateLimited: As many as may run at once are running.
        """
        if not self._slots.acquire(blocking=False):
            raise RateLimited(
                RETRY_AFTER_S, f"{AT_ONCE} exports are running; try again when one is done."
            )
        try:
            return Export(self, order, self._slots.release, on_progress)
        except BaseException:
            self._slots.release()
            raise

    async def offer(self, order: ExportOrder, on_progress: OnProgress | None = None) -> str:
        """Prepare an export and return the ticket with which the same person's browser gets it.

        The ticket is good for a minute. Whoever cancels the call ends the export.

        Raises:
            RateLimited: As many as may run at once are running.
            UnavailableError: The database cannot be read, or the disk is full.
            LimitReached: There are more rows than one file may have.
        """
        return await self.ticket_for(self.start(order, on_progress))

    async def ticket_for(self, export: Export) -> str:
        """Prepare an export that was started, and return its ticket; it raises as `offer` does."""
        try:
            await export.prepare()
        except BaseException:
            export.close()
            raise
        ticket = secrets.token_urlsafe(_TICKET_BYTES)
        self._offers[ticket] = export
        asyncio.get_running_loop().call_later(OFFER_LIFE_S, self._withdraw, ticket)
        return ticket

    def redeem(self, ticket: str, store_id: str, actor_id: str | None) -> Export:
        """Hand over the export of a ticket, once, to whoever it was made for.

        Raises:
            NotFoundError: There is no such ticket, or it is another person's.
        """
        export = self._offers.get(ticket)
        owner = None if export is None else (export.order.store.id, export.order.actor.id)
        if export is None or export.is_closed or owner != (store_id, actor_id):
            raise NotFoundError("This download is no longer there; export again.")
        return self._offers.pop(ticket)

    def _withdraw(self, ticket: str) -> None:
        export = self._offers.pop(ticket, None)
        if export is not None:
            export.close()


class Export:
    """One export: prepare it first, then take its chunks; close it in any case."""

    def __init__(
        self,
        parts: Exports,
        order: ExportOrder,
        release: Callable[[], None],
        on_progress: OnProgress | None,
    ) -> None:
        self.order = order
        self.as_of = parts.clock.utc_now()
        self.file_name = file_name(order, self.as_of)
        self.progress = Progress(ExportStage.READING, 0, 0, 0)
        self._parts = parts
        self._release = release
        self._on_progress = on_progress
        self._sheet = Sheet(shows_all=order.shows_all)
        self._tally = Tally(self._sheet.names)
        self._filter: dict[str, Any] = {}
        self._spool: Spool | None = None
        self._steps: list[Generator[Any]] = []
        self._first = b""
        self._rest: AsyncIterator[bytes] | None = None
        self._thread = OwnThread(f"export {order.store.id}")
        self._written = 0
        self._taken = False
        self._cancelled = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing more comes of it."""
        return self._closed

    @property
    def total(self) -> Figure:
        """Return what the rows that were read add up to."""
        return self._tally.total()

    async def prepare(self) -> None:
        """Read all rows, record who takes them, and work until the file's first bytes are there.

        Raises:
            UnavailableError: The database cannot be read, or the disk is full.
            LimitReached: There are more rows than one file may have.
        """
        assert self._rest is None, "prepared twice"
        await self._read()
        await self._record()
        self._rest = self._written_chunks()
        self._first = await anext(self._rest)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Return the file in pieces, once; it was prepared before.

        Raises:
            ExportCancelled: It was cancelled; a file that just ended would pass for whole.
        """
        assert self._rest is not None, "not prepared"
        self._taken = True
        yield self._first
        async for chunk in self._rest:
            if self._cancelled:
                raise ExportCancelled
            yield chunk
        self._tell(ExportStage.DONE, self._written, self._written, self._written)

    def cancel(self) -> None:
        """Have the file end in an error; whoever waits for `prepare` cancels that instead."""
        self._cancelled = True
        if self._rest is not None and not self._taken:
            self.close()

    def close(self) -> None:
        """End the work after the step it is at, and leave nothing behind."""
        if self._closed:
            return
        self._closed = True
        self._thread.submit(self._clean_up)
        self._thread.end()
        done = self.progress
        if done.stage is not ExportStage.DONE:
            self._tell(ExportStage.FAILED, done.rows_read, done.rows_written, done.rows_expected)

    async def _read(self) -> None:
        if self._on_progress is not None:
            stats = await self._parts.figures.stats(self.order.store.id, self.order.wanted)
            self._tell(ExportStage.READING, 0, 0, stats.total.count)
        async for read in self._drive(self._copy()):
            self._tell(ExportStage.READING, read, 0, max(read, self.progress.rows_expected))
        count = self.total.count
        self._tell(ExportStage.WRITING, count, 0, count)

    async def _record(self) -> None:
        total = self.total
        fields = {
            "format": self.order.format,
            "filter": self._filter,
            "rows": total.count,
            "amount_sats": total.amount_sats,
            "shows_all": self.order.shows_all,
        }
        store_id, actor = self.order.store.id, self.order.actor
        await self._parts.database.write(
            audit, store_id, actor, "payouts.exported", now=self.as_of, after=fields
        )
        _log.info("payouts.exported", store_id=store_id, rows=total.count, format=self.order.format)

    async def _written_chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._drive(self._write()):
            done = self.progress
            self._tell(ExportStage.WRITING, done.rows_read, self._written, done.rows_expected)
            if chunk:
                yield chunk

    def _drive(self, steps: Generator[T]) -> AsyncIterator[T]:
        self._steps.append(steps)
        return self._thread.steps(_with_room(steps))

    def _copy(self) -> Generator[int]:
        parts, order = self._parts, self.order
        spool = self._spool = Spool(parts.folder)
        with snapshot(parts.database.url) as view:
            card_id = resolve_card(view.tx, parts.boltcards, order.store.id, order.wanted.card)
            self._filter = filter_fields(
                order.wanted, order.wanted.card if card_id == NO_CARD else card_id
            )
            if card_id == NO_CARD:
                return
            statement = rows.rows_statement(self._sheet.sources, order.wanted, card_id)
            params = rows.rows_params(order.store.id, order.wanted, card_id)
            for number, page in enumerate(view.pages(statement, params, PAGE_ROWS), start=1):
                spool.add(page)
                self._tally.add(page)
                if number % STEP_PAGES == 0:
                    yield spool.rows

    def _write(self) -> Generator[bytes]:
        written = Tally(self._sheet.names)
        yield from _WRITERS[self.order.format](self._contents(written))
        # The totals in the file were those of the rows read; they are those of the rows written.
        assert written == self._tally, "an export does not add up"

    def _contents(self, written: Tally) -> Contents:
        assert self._spool is not None
        return Contents(
            order=self.order,
            as_of=self.as_of,
            filter=self._filter,
            sheet=self._sheet,
            tally=self._tally,
            pages=self._counted_pages(self._spool, written),
            cells=_polite(cells_of(self._sheet, self._parts.vault.of(self.order.store.id))),
        )

    def _counted_pages(self, spool: Spool, written: Tally) -> Iterator[list[Any]]:
        for page in spool.pages():
            written.add(page)
            self._written += len(page)
            yield page

    def _clean_up(self) -> None:
        with ExitStack() as duties:
            duties.callback(self._release)
            if self._spool is not None:
                duties.callback(self._spool.close)
            for steps in self._steps:
                duties.callback(steps.close)

    def _tell(self, stage: ExportStage, read: int, written: int, expected: int) -> None:
        before, self.progress = self.progress, Progress(stage, read, written, expected)
        is_same = (before.stage, before.percent) == (stage, self.progress.percent)
        if self._on_progress is not None and not (is_same and before.rows_expected == expected):
            self._on_progress(self.progress)


def _polite(cells: CellsOf) -> CellsOf:
    """Let the event loop have the interpreter every millisecond, not every five.

    A thread that only reckons gives it up when Python's switch interval ends, and a tap needs it
    a dozen times.
    """
    turns = cycle(range(PAUSE_ROWS))

    def polite(row: tuple[Any, ...]) -> list[Any]:
        if not next(turns):
            time.sleep(PAUSE_S)
        return cells(row)

    return polite


def _with_room(steps: Generator[T]) -> Generator[T]:
    """Give a disk that is full or cannot be written its name in our tree."""
    try:
        yield from steps
    except OSError as error:
        _log.error("export.no_room", detail=str(error))
        raise UnavailableError("There is no room on the disk for this export.") from error


def file_name(order: ExportOrder, as_of: datetime) -> str:
    """Return a name such as `payouts-2026-11-01-to-2026-11-20.csv`, days of the store's zone."""
    wanted = order.wanted
    last = as_of if wanted.ends_at is None else wanted.ends_at - MICROSECOND
    days = f"to-{_day(last, order)}"
    if wanted.starts_at is not None:
        days = f"{_day(wanted.starts_at, order)}-{days}"
    return f"payouts-{days}.{order.format}"


def _day(moment: datetime, order: ExportOrder) -> str:
    try:
        return moment.astimezone(ZoneInfo(order.store.time_zone)).date().isoformat()
    except OverflowError:  # the first or last day there is
        return moment.date().isoformat()
