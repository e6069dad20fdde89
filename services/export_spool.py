"""Where the rows of an export wait between database and file, and what they add up to.

Rows are copied out of the database at once and formatted later, so that a slow download holds no
snapshot open. They wait as the database had them, secrets sealed, in a file without a name.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from models.errors import LimitReached
from models.export import QuarterFigure
from models.instants import QUARTER_HOUR_US, from_us
from models.rollup import Figure
from models.states import PayoutStatus

ROW_LIMIT = 10_000_000
IN_MEMORY_BYTES = 4 * 1024 * 1024  # a small export never touches the disk
_LENGTH_BYTES = 4
_NO_REFERENCES = 2  # the version of the format that does not look for repeated values


class Spool:
    """Keeps pages of rows in a folder; closing it leaves nothing there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=str(folder))  # noqa: SIM115
        self.rows = 0

    def add(self, rows: list[Any]) -> None:
        """Keep a page.

        Raises:
            LimitReached: There are too many rows for one file.
        """
        self.rows += len(rows)
        if self.rows > ROW_LIMIT:
            raise LimitReached("rows", f"A file holds at most {ROW_LIMIT:,} payouts; ask for less.")
        page = marshal.dumps(rows, _NO_REFERENCES)
        self._file.write(len(page).to_bytes(_LENGTH_BYTES, "big"))
        self._file.write(page)

    def pages(self) -> Iterator[list[Any]]:
        """Return the pages in the order they were added."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH_BYTES):
            # Only this object wrote the file, and nobody else can open it.
            yield marshal.loads(self._file.read(int.from_bytes(head, "big")))  # noqa: S302

    def close(self) -> None:
        """Remove everything."""
        self._file.close()


class Tally:
    """Adds rows up by quarter hour and status; its size depends on the time they span."""

    def __init__(self, names: tuple[str, ...]) -> None:
        wanted = ("created_at", "status", "amount_sats", "value_cents")
        self._places = tuple(names.index(name) for name in wanted)
        self._quarters: dict[tuple[int, str], list[int]] = {}
        self._statuses = {str(status): [0, 0, 0] for status in PayoutStatus}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self._quarters == other._quarters

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, rows: Iterable[Any]) -> None:
        """Count rows."""
        at_time, at_status, at_sats, at_cents = self._places
        quarters = self._quarters
        for row in rows:
            us, status = row[at_time], row[at_status]
            sats, cents = row[at_sats] or 0, row[at_cents] or 0
            key = (us - us % QUARTER_HOUR_US, status)
            found = quarters.get(key)
            if found is None:
                found = quarters[key] = [0, 0, 0]
            for sums in (found, self._statuses[status]):
                sums[0] += 1
                sums[1] += sats
                sums[2] += cents

    def quarters(self) -> Iterator[QuarterFigure]:
        """Yield the figures of every quarter hour and status that has rows."""
        for (us, status), sums in self._quarters.items():
            yield QuarterFigure(from_us(us), PayoutStatus(status), Figure(*sums))

    def by_status(self) -> dict[PayoutStatus, Figure]:
        """Return the figures of all five."""
        return {PayoutStatus(status): Figure(*sums) for status, sums in self._statuses.items()}

    def total(self) -> Figure:
        """Return the sum of all rows."""
        return sum(self.by_status().values(), Figure())
