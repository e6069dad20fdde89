"""CSV and JSON files of payouts, written page by page.

CSV follows RFC 4180: comma, CRLF, UTF-8, one header line with the names of the API, nothing but
payouts below it. It has no byte order mark, because programs would read it as part of the first
name; whoever opens the file in Excel asks for the mark, or for XLSX.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.export import ExportOrder
from models.instants import iso
from models.payout_filter import PayoutFilter
from models.rollup import Figure
from services.export_rows import CellsOf, Sheet, csv_row, json_item
from services.export_spool import Tally

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file is written from; the tally is of exactly the rows in the pages.

    `cells` turns a row into cells, to be used up before the next: a page of cells at once would
    set off the collector of Python, which stops the whole process.
    """

    order: ExportOrder
    as_of: datetime
    filter: dict[str, Any]
    sheet: Sheet
    tally: Tally
    pages: Iterator[list[Any]]
    cells: CellsOf


def filter_fields(wanted: PayoutFilter, card_id: str | None) -> dict[str, Any]:
    """Return the part of a filter that was given, under the names of the API.

    A card is told by its id, as it may have been asked for by its whole UID.
    """
    fields: dict[str, Any] = {
        "status": [str(status) for status in wanted.statuses] or None,
        "state": [str(state) for state in wanted.states] or None,
        "card": card_id,
        "pull_payment": wanted.pull_payment_id,
        "min_sats": wanted.min_sats,
        "max_sats": wanted.max_sats,
        "q": wanted.q,
        "from": None if wanted.starts_at is None else iso(wanted.starts_at),
        "to": None if wanted.ends_at is None else iso(wanted.ends_at),
    }
    return {name: value for name, value in fields.items() if value is not None}


def write_csv(contents: Contents) -> Iterator[bytes]:
    """Write a CSV file."""
    row = csv_row(contents.sheet)
    page_text = io.StringIO(newline="")
    writer = csv.writer(page_text)
    if contents.order.for_excel:
        page_text.write(BYTE_ORDER_MARK)
    writer.writerow(contents.sheet.names)
    yield _taken(page_text)
    for page in contents.pages:
        writer.writerows(map(row, map(contents.cells, page)))
        yield _taken(page_text)


def _taken(text: io.StringIO) -> bytes:
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written


def write_json(contents: Contents) -> Iterator[bytes]:
    """Write one JSON object; the totals come first, so that a reader knows what to expect."""
    item = json_item(contents.sheet)
    head = {
        "as_of": iso(contents.as_of),
        "filter": contents.filter,
        "totals": {
            "total": _figure(contents.tally.total()),
            **{str(word): _figure(f) for word, f in contents.tally.by_status().items()},
        },
    }
    yield orjson.dumps(head)[:-1] + b',"items":['
    between = b"\n"
    for page in contents.pages:
        yield between + b",\n".join(map(item, map(contents.cells, page)))
        between = b",\n"
    yield b"]}\n"


def _figure(figure: Figure) -> dict[str, int]:
    return {
        "count": figure.count,
        "amount_sats": figure.amount_sats,
        "value_cents": figure.value_cents,
    }
