"""Rows of a sheet in the XML of spreadsheets (ECMA-376, part 1, 18.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.export_rows import DAY_US, CellKind, Sheet

# Excel keeps 15 digits of a number, and so many characters in a cell.
MAX_NUMBER = 10**15 - 1
MAX_TEXT = 32_767
# Excel counts days since the last of 1899, with a leap day in 1900 that never was.
EXCEL_1970 = 25_569
_DAY_MS = DAY_US // 1000
_FRACTION = 10**12

_ESCAPED = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_KEPT_BLANKS = re.compile(r"\s|.*[\n\t]|.*\s\Z", re.DOTALL)

WriteCell = Callable[[str, Any], str]


@dataclass(frozen=True, slots=True)
class RowStyles:
    """The numbers that a book gave to its styles."""

    number: str
    moment: str
    total: str


def row_writer(sheet: Sheet, styles: RowStyles) -> Callable[[int, list[Any]], str]:
    """Return the function that writes a row of cells; a cell that is not known is left out."""
    writers: dict[CellKind, WriteCell] = {
        CellKind.NUMBER: _number_writer(styles.number),
        CellKind.MOMENT: _moment_writer(styles.moment),
        CellKind.FLAG: _flag,
    }
    columns = [
        (column_letters(place), writers.get(column.kind, text_cell))
        for place, column in enumerate(sheet.columns)
    ]

    def write(row: int, cells: list[Any]) -> str:
        written = "".join(
            [
                write_cell(f"{letters}{row}", cell)
                for (letters, write_cell), cell in zip(columns, cells, strict=True)
                if cell is not None
            ]
        )
        return f'<row r="{row}">{written}</row>'

    return write


def totals_row(row: int, totals: dict[int, int], styles: RowStyles) -> str:
    """Return the row below all others, with sums at their places."""
    write = _number_writer(styles.total)
    sums = "".join(write(f"{column_letters(p)}{row}", total) for p, total in sorted(totals.items()))
    return f'<row r="{row}">{text_cell(f"A{row}", "Total")}{sums}</row>'


def text_cell(place: str, text: str) -> str:
    """Return a text as a cell; one that is too long for it shows that some is missing."""
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT - 1]}…"
    keep = ' xml:space="preserve"' if _KEPT_BLANKS.match(text) else ""
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape, text)
    return f'<c r="{place}" t="inlineStr"><is><t{keep}>{text}</t></is></c>'


def column_letters(place: int) -> str:
    """Return the letters of a column, the first being 0: A, B, … Z, AA."""
    letters = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def excel_time(us: int) -> str:
    """Return microseconds since 1970 as Excel's days, to the millisecond."""
    days, ms = divmod(us // 1000, _DAY_MS)
    return f"{days + EXCEL_1970}.{(ms * _FRACTION + _DAY_MS // 2) // _DAY_MS:012d}"


def _escape(found: re.Match[str]) -> str:
    """Escape what XML or the spreadsheet would read as something else (22.9.2.19)."""
    character = found[0]
    return _ENTITIES.get(character) or f"_x{ord(character):04X}_"


def _number_writer(style: str) -> WriteCell:
    def write(place: str, number: int) -> str:
        if abs(number) > MAX_NUMBER:  # the text of what Excel would round
            return text_cell(place, str(number))
        return f'<c r="{place}" s="{style}"><v>{number}</v></c>'

    return write


def _moment_writer(style: str) -> WriteCell:
    return lambda place, us: f'<c r="{place}" s="{style}"><v>{excel_time(us)}</v></c>'


def _flag(place: str, flag: bool) -> str:
    return f'<c r="{place}" t="b"><v>{int(flag)}</v></c>'
