"""Exports: what is asked for, in which form, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from models.payout_filter import PayoutFilter
from models.rollup import Figure
from models.states import PayoutStatus
from models.store import Actor, Store


class ExportFormat(StrEnum):
    """The form of a file."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """Return what the file is called in HTTP."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportStage(StrEnum):
    """What an export is doing."""

    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """Which payouts somebody wants in a file.

    `shows_all` lets whole card numbers and preimages in; `for_excel` starts a CSV with the mark
    by which Excel knows UTF-8.
    """

    store: Store
    wanted: PayoutFilter
    format: ExportFormat
    actor: Actor
    shows_all: bool = False
    for_excel: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is; `rows_expected` is exact once all rows are read."""

    stage: ExportStage
    rows_read: int
    rows_written: int
    rows_expected: int

    @property
    def percent(self) -> int:
        """Return whole percent; reading a row is about a third of the work."""
        if self.stage is ExportStage.DONE:
            return 100
        done = self.rows_read + 2 * self.rows_written
        return min(99, 100 * done // max(1, 3 * self.rows_expected))


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of a store's zone, by status."""

    day: date
    by_status: dict[PayoutStatus, Figure]

    @property
    def total(self) -> Figure:
        """Return the sum of the five."""
        return sum(self.by_status.values(), Figure())


@dataclass(frozen=True, slots=True)
class QuarterFigure:
    """What was created in one quarter hour, of one status."""

    start: datetime
    status: PayoutStatus
    figure: Figure
