"""Reads the rows of a wallet's statement, in each of the forms in which Flash gives them."""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import heapq
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from models.flash import RowDetails, StatementRow
from models.instants import from_seconds

NANOUSD_PER_USD: Final = 1_000_000_000
_NO_NUMBER: Final = frozenset({"undefined", "None", "null", ""})
_DOLLARS_MOST: Final = 1_000_000_000
_JS_DAY: Final = "%a %b %d %Y"
_DAY_LENGTH: Final = 15
_JS_DATE_LENGTH: Final = 24
_CLOCK: Final = re.compile(r" ([0-9]{2}):([0-9]{2}):([0-9]{2})")
PIECE: Final = 64 * 1024  # of base64, in whole groups of four
PAUSE_ROWS: Final = 250  # about a millisecond of reckoning
PAUSE_S: Final = 0.00005


def read_node(node: Any) -> StatementRow:
    """Return one row of `transactions`; only the display amount is in a unit that is known.

    Raises:
        KeyError, TypeError, ValueError, ArithmeticError: It is not what a row looks like.
    """
    if not isinstance(node, Mapping):
        raise TypeError("a row is an object")
    row_id = node["id"]
    if not isinstance(row_id, str) or not row_id:
        raise ValueError("a row without an id")
    return _row(
        row_id,
        str(node.get("direction")),
        str(node.get("settlementDisplayAmount")),
        str(node.get("settlementDisplayFee")),
        from_seconds(int(node["createdAt"])),
    )


def read_csv(encoded: str, wallet_id: str, since: datetime, least: int) -> list[StatementRow]:
    """Return the rows of one wallet from the export, newest first: those since a moment.

    If they are fewer than `least`, the newest before it make up the number. The export always
    holds all rows of all wallets, so it is gone through piece by piece and mostly passed over;
    whoever waits for the interpreter gets it in between.

    Raises:
        KeyError, ValueError, ArithmeticError: It is not what the export looks like.
    """
    try:
        lines = csv.reader(_lines(encoded), skipinitialspace=True)
        place = {name: number for number, name in enumerate(next(lines, []))}
        found = _picked(lines, place, wallet_id, since, least)
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("the export cannot be read") from error
    except (csv.Error, IndexError) as error:
        raise ValueError("the export is no table") from error
    return [
        _row(
            line[place["Id"]],
            line[place["Direction"]],
            line[place["Display Amount"]],
            line[place["Display Fee"]],
            at,
        )
        for at, line in found
    ]


def _picked(
    lines: Iterator[list[str]], place: dict[str, int], wallet_id: str, since: datetime, least: int
) -> list[tuple[datetime, list[str]]]:
    width, of_wallet, of_time = len(place), place["Wallet Id"], place["Timestamp"]
    recent: list[tuple[datetime, list[str]]] = []
    # The newest of what is older; numbered, because lines of one second cannot be compared.
    older: list[tuple[datetime, int, list[str]]] = []
    for number, line in enumerate(lines):
        if not number % PAUSE_ROWS:
            time.sleep(PAUSE_S)
        if not line:  # as the csv module's own dictionaries pass over it
            continue
        if len(line) < width:
            raise ValueError("a row is cut off")
        if line[of_wallet] != wallet_id:
            continue
        at = _moment(line[of_time])
        if at >= since:
            recent.append((at, line))
        elif len(older) < least:
            heapq.heappush(older, (at, -number, line))
        elif at > older[0][0]:
            heapq.heapreplace(older, (at, -number, line))
    recent.sort(key=itemgetter(0), reverse=True)
    missing = max(0, least - len(recent))
    return recent + [(at, line) for at, _, line in sorted(older, reverse=True)[:missing]]


def _lines(encoded: str) -> Iterator[str]:
    """Decode an export a piece at a time: all of it at once would hold up every other thread."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    for start in range(0, len(encoded), PIECE):
        piece = base64.b64decode(encoded[start : start + PIECE], validate=True)
        *lines, rest = (rest + decode(piece)).split("\n")
        for line in lines:
            yield line + "\n"
    rest += decode(b"", final=True)
    if rest:
        yield rest


def _moment(text: str) -> datetime:
    """Return the moment that JavaScript writes as `Sat Nov 21 2026 16:51:45 GMT+0000 (…)`."""
    clock = _CLOCK.fullmatch(text, _DAY_LENGTH, _JS_DATE_LENGTH)
    if clock is None:
        raise ValueError("no time that a row can have")
    hour, minute, second = map(int, clock.groups())
    return _midnight(text[:_DAY_LENGTH]).replace(hour=hour, minute=minute, second=second)


@lru_cache(maxsize=1024)
def _midnight(day: str) -> datetime:
    return datetime.strptime(day, _JS_DAY).replace(tzinfo=UTC)


def read_details(payload: Mapping[str, Any] | None) -> RowDetails | None:
    """Return what `transactionDetails` says of a row, or nothing if it says nothing."""
    found = None if payload is None else payload.get("transactionDetails")
    if not isinstance(found, Mapping):
        return None
    try:
        fee = _nanousd(str(found.get("fee")))
    except (ArithmeticError, ValueError):
        fee = None
    return RowDetails(found.get("status") == "completed", None if fee is None else abs(fee))


def _row(row_id: str, direction: str, amount: str, fee: str, at: datetime) -> StatementRow:
    signed, fee_nanousd = _nanousd(amount), _nanousd(fee)
    return StatementRow(
        id=row_id,
        is_send=direction == "SEND",
        amount_nanousd=None if signed is None else abs(signed),
        at=at,
        signed_nanousd=signed,
        fee_nanousd=None if fee_nanousd is None else abs(fee_nanousd),
    )


def _nanousd(shown: str) -> int | None:
    if shown in _NO_NUMBER:
        return None
    dollars = Decimal(shown)
    if not abs(dollars) <= _DOLLARS_MOST:
        raise ValueError("no amount that a wallet can move")
    return int(dollars * NANOUSD_PER_USD)
