"""XLSX files of payouts, streamed: sheets of rows with a totals row, a summary by status and day.

XlsxWriter makes the book: its styles, headers and the summary. The rows are written between, as
they come, into the sheet it began, because a book of XlsxWriter has no byte before it is whole,
takes ten times as long, and would take a stranger's text in `<r>` tags for its own XML. Numbers
and times are typed cells and every text is a text: nothing is ever a formula or a link.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

from services.export_cells import RowStyles, row_writer, totals_row
from services.export_files import Contents
from services.export_rows import CellKind
from services.export_summary import Summary

# Excel has 1,048,576 rows: one is the header, one the totals.
SHEET_ROWS = 1_048_574
# A part of a ZIP file that may pass 2 GiB needs extensions that Excel is known to refuse.
SHEET_BYTES = 1_500_000_000
CHUNK_BYTES = 128 * 1024
# Deflate's levels above it take twice the time for a twentieth of the size.
COMPRESSION = 3
_WIDTHS = {
    CellKind.WORD: 16,
    CellKind.TEXT: 22,
    CellKind.NUMBER: 14,
    CellKind.MOMENT: 23,
    CellKind.FLAG: 8,
    CellKind.JSON: 22,
}
_TOTALLED = ("amount_sats", "amount_msat", "fee_msat", "debited_nanousd", "value_cents")
_OPTIONS = {"in_memory": True, "remove_timezone": True}
_SAMPLE = re.compile(r'<row r="2".*</row>', re.DOTALL)
_STYLE = re.compile(r'<c r="([A-C])2" s="([0-9]+)"')
_DIMENSION = re.compile(r"<dimension [^>]*/>")


def write_xlsx(
    contents: Contents, *, sheet_rows: int = SHEET_ROWS, sheet_bytes: int = SHEET_BYTES
) -> Iterator[bytes]:
    """Write a workbook; a sheet that is full is continued on another."""
    out = _Outlet()
    file = cast("io.BytesIO", out)
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as parts,
        closing(_Sheets(contents, parts, sheet_rows, sheet_bytes)) as sheets,
    ):
        for page in contents.pages:
            sheets.add(page)
            if out.waiting >= CHUNK_BYTES:
                yield out.take()
            else:
                yield b""
        sheets.finish()
        for name, part in _book(contents, sheets.count, summary=True).items():
            if name not in sheets.names:
                parts.writestr(name, part)
    yield out.take()


class _Outlet:
    """Where a ZIP file is written to that goes straight on: it cannot be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting = 0

    def write(self, piece: bytes) -> int:
        """Take a piece of the file."""
        self._pieces.append(bytes(piece))
        self.waiting += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Do nothing; pieces are taken when there are enough."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        return taken


@dataclass(frozen=True, slots=True)
class _Frame:
    """A sheet's XML before and after its rows."""

    before: str
    after: str


class _Sheets:
    """The sheets of rows, one after the other."""

    def __init__(
        self, contents: Contents, parts: zipfile.ZipFile, sheet_rows: int, sheet_bytes: int
    ) -> None:
        template = _book(contents, 2, summary=False)
        # Only the first sheet is the one shown when the book is opened.
        self._frames = [_frame(template[_part(number)]) for number in (1, 2)]
        self._styles = _styles(template[_part(1)])
        self._row_of = row_writer(contents.sheet, self._styles)
        self._contents = contents
        self._parts = parts
        self._sheet_rows = sheet_rows
        self._sheet_bytes = sheet_bytes
        self._totals = dict.fromkeys(map(contents.sheet.place, _TOTALLED), 0)
        self.count = 0
        self._start()

    @property
    def names(self) -> set[str]:
        """Return the parts that are written here."""
        return {_part(number) for number in range(1, self.count + 1)}

    def add(self, page: list[Any]) -> None:
        """Write a page of rows."""
        written: list[str] = []
        for cells in map(self._contents.cells, page):
            if self._row > self._sheet_rows + 1 or self._bytes > self._sheet_bytes:
                self._flush(written)
                self._end()
                self._start()
            for place in self._totals:
                self._totals[place] += cells[place] or 0
            written.append(self._row_of(self._row, cells))
            self._row += 1
        self._flush(written)

    def finish(self) -> None:
        """Write the totals and end the last sheet."""
        self._flush([totals_row(self._row, self._totals, self._styles)])
        self._end()

    def close(self) -> None:
        """Let go of a sheet that was left in the middle."""
        self._file.close()

    def _start(self) -> None:
        self.count += 1
        self._file = self._parts.open(_part(self.count), "w")
        self._frame = self._frames[min(self.count, 2) - 1]
        self._bytes = 0
        self._row = 2
        self._flush([self._frame.before])

    def _flush(self, written: list[str]) -> None:
        if written:
            text = "".join(written).encode()
            self._bytes += len(text)
            self._file.write(text)
            written.clear()

    def _end(self) -> None:
        self._flush([self._frame.after])
        self.close()


def _part(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


def _frame(sheet: bytes) -> _Frame:
    text = _DIMENSION.sub("", sheet.decode())  # nobody knows yet how many rows there will be
    before, after = _SAMPLE.split(text)
    return _Frame(before, after)


def _styles(sheet: bytes) -> RowStyles:
    number, moment, total = (style for _, style in sorted(_STYLE.findall(sheet.decode())))
    return RowStyles(number, moment, total)


def _book(contents: Contents, sheets: int, *, summary: bool) -> dict[str, bytes]:
    """Return the parts of a book whose sheets have a header and one sample of each style."""
    import xlsxwriter  # type: ignore[import-untyped]

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, _OPTIONS)
    book.set_properties({"created": contents.as_of.replace(tzinfo=None)})
    bold = book.add_format({"bold": True})
    styles = (
        book.add_format({"num_format": "#,##0"}),
        book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}),
        book.add_format({"num_format": "#,##0", "bold": True}),
    )
    for number in range(1, sheets + 1):
        sheet = book.add_worksheet("Payouts" if number == 1 else f"Payouts {number}")
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(contents.sheet.columns):
            sheet.set_column(place, place, _WIDTHS[column.kind])
            sheet.write_string(0, place, column.name, bold)
        for place, style in enumerate(styles):
            sheet.write_number(1, place, 0, style)
    if summary:
        Summary(contents, book).write()
    book.close()
    with zipfile.ZipFile(file) as parts:
        return {name: parts.read(name) for name in parts.namelist()}
