"""The summary sheet of a workbook: what the file is, and its figures by status and by day."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import orjson

from models.rollup import Figure
from models.states import PayoutStatus
from services.export_cells import MAX_NUMBER, MAX_TEXT
from services.export_files import Contents
from services.reports import by_day

_PARTS = ("count", "amount_sats", "value_cents")


class Summary:
    """Adds the sheet to a book; its days are those of the store's zone."""

    def __init__(self, contents: Contents, book: Any) -> None:
        self._contents = contents
        self._sheet = book.add_worksheet("Summary")
        self._bold = book.add_format({"bold": True})
        self._number = book.add_format({"num_format": "#,##0"})
        self._total = book.add_format({"num_format": "#,##0", "bold": True})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})

    def write(self) -> None:
        """Write it all."""
        self._sheet.set_column(0, 0, 14)
        self._sheet.set_column(1, len(_PARTS) * (1 + len(PayoutStatus)), 18)
        row = self._write_about()
        row = self._write_statuses(row + 1)
        self._write_days(row + 1)

    def _write_about(self) -> int:
        contents = self._contents
        store = contents.order.store
        about = {
            "store": store.name,
            "time_zone": store.time_zone,
            "currency": store.currency,
            "filter": orjson.dumps(contents.filter).decode()[:MAX_TEXT],
        }
        self._sheet.write_string(0, 0, "as_of", self._bold)
        self._sheet.write_datetime(0, 1, contents.as_of, self._moment)
        for row, (name, value) in enumerate(about.items(), start=1):
            self._sheet.write_string(row, 0, name, self._bold)
            self._sheet.write_string(row, 1, value)
        return 1 + len(about)

    def _write_statuses(self, row: int) -> int:
        self._write_header(row, ("status", *_PARTS))
        for status, figure in self._contents.tally.by_status().items():
            row += 1
            self._sheet.write_string(row, 0, str(status))
            self._write_figures(row, [figure], self._number)
        row += 1
        self._sheet.write_string(row, 0, "Total", self._bold)
        self._write_figures(row, [self._contents.tally.total()], self._total)
        return row + 1

    def _write_days(self, row: int) -> None:
        by_status = [f"{status}_{part}" for status in PayoutStatus for part in _PARTS]
        self._write_header(row, ("day", *_PARTS, *by_status))
        zone = ZoneInfo(self._contents.order.store.time_zone)
        for day in by_day(self._contents.tally.quarters(), zone):
            row += 1
            self._sheet.write_datetime(row, 0, day.day, self._day)
            figures = [day.total, *(day.by_status[status] for status in PayoutStatus)]
            self._write_figures(row, figures, self._number)

    def _write_header(self, row: int, names: tuple[str, ...]) -> None:
        for place, name in enumerate(names):
            self._sheet.write_string(row, place, name, self._bold)

    def _write_figures(self, row: int, figures: list[Figure], form: Any) -> None:
        numbers = [n for f in figures for n in (f.count, f.amount_sats, f.value_cents)]
        for place, number in enumerate(numbers, start=1):
            if abs(number) > MAX_NUMBER:  # the text of what Excel would round
                self._sheet.write_string(row, place, str(number), form)
            else:
                self._sheet.write_number(row, place, number, form)
