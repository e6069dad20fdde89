"""The columns of an export, and one payout's cells: the sealed ones opened, as the API shows them.

Cells hold plain values; nothing means not known. Moments are microseconds until a file writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any

import orjson

from models.instants import from_us
from services.payouts import mask_uid
from services.vault import Sealer

DAY_US = 24 * 60 * 60 * 1_000_000
CARDS_KEPT = 4096

# What a spreadsheet would run: formula marks, full-width ones too, also after blanks.
_FORMULA = re.compile("[\\s\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


CellsOf = Callable[[tuple[Any, ...]], list[Any]]


class CellKind(Enum):
    """What a column holds; a text may come from strangers, a word never does."""

    WORD = auto()
    TEXT = auto()
    NUMBER = auto()
    MOMENT = auto()
    FLAG = auto()
    JSON = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name in the API, and the column of the database that it comes from."""

    name: str
    source: str
    kind: CellKind


def _columns(kind: CellKind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, name, kind) for name in names)


COLUMNS: tuple[Column, ...] = (
    *_columns(CellKind.WORD, "id", "store_id", "pull_payment_id", "kind", "status", "state"),
    *_columns(CellKind.NUMBER, "revision", "amount_sats", "amount_msat", "fee_msat"),
    *_columns(CellKind.NUMBER, "debited_nanousd", "value_cents"),
    *_columns(CellKind.WORD, "currency"),
    *_columns(CellKind.NUMBER, "original_amount", "rate_numerator", "rate_denominator"),
    *_columns(CellKind.TEXT, "rate_source"),
    *_columns(CellKind.MOMENT, "rate_at"),
    Column("boltcard_id", "card_id", CellKind.WORD),
    Column("boltcard_alias", "alias", CellKind.TEXT),
    Column("boltcard_uid", "uid_sealed", CellKind.TEXT),
    *_columns(CellKind.FLAG, "card_verified"),
    Column("destination", "destination_sealed", CellKind.TEXT),
    *_columns(CellKind.WORD, "payment_hash"),
    Column("preimage", "preimage_sealed", CellKind.WORD),
    *_columns(CellKind.WORD, "evidence"),
    *_columns(CellKind.NUMBER, "attempts"),
    *_columns(CellKind.TEXT, "memo", "error_code", "error_message"),
    Column("metadata", "metadata_json", CellKind.JSON),
    *_columns(CellKind.MOMENT, "created_at", "approved_at", "submitted_at", "completed_at"),
)
# What a claimant said of the card, shown where the card itself is not known.
_HINT = "card_hint"


class Sheet:
    """The columns that one reader may see, and where each stands in a row."""

    def __init__(self, *, shows_all: bool) -> None:
        self.shows_all = shows_all
        self.columns = tuple(column for column in COLUMNS if shows_all or column.name != "preimage")
        self.names = tuple(column.name for column in self.columns)
        self.sources = (*(column.source for column in self.columns), _HINT)

    def place(self, name: str) -> int:
        """Return where a column stands."""
        return self.names.index(name)

    def places(self, *kinds: CellKind) -> tuple[int, ...]:
        """Return where the columns of these kinds stand."""
        return tuple(i for i, column in enumerate(self.columns) if column.kind in kinds)


def cells_of(sheet: Sheet, sealer: Sealer) -> CellsOf:
    """Return the function that turns a row of the database into a row of cells."""
    uid_of = _uids(sealer, shows_all=sheet.shows_all)
    at_id, at_card, at_uid = map(sheet.place, ("id", "boltcard_id", "boltcard_uid"))
    at_flag, at_destination = sheet.place("card_verified"), sheet.place("destination")
    at_preimage = sheet.place("preimage") if sheet.shows_all else None
    at_rate = sheet.place("rate_numerator")
    open_text = sealer.open_text

    def cells(row: tuple[Any, ...]) -> list[Any]:
        *found, hint = row
        payout_id = found[at_id]
        if found[at_rate] is None or found[at_rate + 1] is None:
            found[at_rate : at_rate + 4] = (None, None, None, None)
        elif found[at_rate + 2] is None:
            found[at_rate + 2] = ""
        sealed_uid = found[at_uid]
        found[at_uid] = hint if sealed_uid is None else uid_of(found[at_card], sealed_uid)
        found[at_flag] = bool(found[at_flag])
        found[at_destination] = open_text(found[at_destination], f"payouts/{payout_id}/destination")
        if at_preimage is not None and found[at_preimage] is not None:
            found[at_preimage] = open_text(found[at_preimage], f"evidence/{payout_id}/preimage")
        return found

    return cells


def _uids(sealer: Sealer, *, shows_all: bool) -> Callable[[str, bytes], str]:
    @lru_cache(maxsize=CARDS_KEPT)
    def uid_of(card_id: str, sealed: bytes) -> str:
        uid = sealer.open(sealed, f"cards/{card_id}/uid").hex()
        return uid if shows_all else mask_uid(uid)

    return uid_of


@lru_cache(maxsize=1024)
def _day_text(day: int) -> str:
    return from_us(day * DAY_US).date().isoformat()


def moment_text(us: int) -> str:
    """Print microseconds as `2026-11-20T21:00:00.000Z`, as the API does, but faster."""
    day, rest = divmod(us, DAY_US)
    seconds, ms = divmod(rest // 1000, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day_text(day)}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z"


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def csv_row(sheet: Sheet) -> Callable[[list[Any]], list[Any]]:
    """Return the function that makes a row of cells one of a CSV file: nothing is empty."""
    moments = sheet.places(CellKind.MOMENT)
    texts = sheet.places(CellKind.TEXT, CellKind.JSON)
    flags = sheet.places(CellKind.FLAG)

    def row(cells: list[Any]) -> list[Any]:
        for place in moments:
            if cells[place] is not None:
                cells[place] = moment_text(cells[place])
        for place in texts:
            text = cells[place]
            if text is not None and _FORMULA.match(text):
                cells[place] = f"'{text}"
        for place in flags:
            cells[place] = "true" if cells[place] else "false"
        return cells

    return row


def json_item(sheet: Sheet) -> Callable[[list[Any]], bytes]:
    """Return the function that writes a row of cells as the API shows that payout."""
    moments = sheet.places(CellKind.MOMENT)
    at_metadata, at_rate = sheet.place("metadata"), sheet.place("rate_numerator")
    rate_names = ("numerator", "denominator", "source", "at")
    names = (*sheet.names[:at_rate], "rate", *sheet.names[at_rate + len(rate_names) :])

    def item(cells: list[Any]) -> bytes:
        for place in moments:
            if cells[place] is not None:
                cells[place] = moment_text(cells[place])
        cells[at_metadata] = orjson.Fragment(cells[at_metadata])
        rate = cells[at_rate : at_rate + len(rate_names)]
        shown = None if rate[0] is None else dict(zip(rate_names, rate, strict=True))
        cells[at_rate : at_rate + len(rate_names)] = [shown]
        return orjson.dumps(dict(zip(names, cells, strict=True)))

    return item
