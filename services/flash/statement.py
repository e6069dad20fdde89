"""Reads the rows of a wallet's statement, in each of the forms in which Flash gives them."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from models.flash import RowDetails, StatementRow
from models.instants import from_seconds

NANOUSD_PER_USD: Final = 1_000_000_000
_NO_NUMBER: Final = frozenset({"undefined", "None", "null", ""})
_DOLLARS_MOST: Final = 1_000_000_000
_JS_DATE: Final = "%a %b %d %Y %H:%M:%S"
_JS_DATE_LENGTH: Final = 24


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


def read_csv(encoded: str, wallet_id: str) -> list[StatementRow]:
    """Return the rows of one wallet from the export, which always holds those of all wallets.

    Raises:
        KeyError, ValueError, ArithmeticError: It is not what the export looks like.
    """
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("the export cannot be read") from error
    # All headers but the first begin with a space.
    try:
        lines = list(csv.DictReader(io.StringIO(text), skipinitialspace=True))
    except csv.Error as error:
        raise ValueError("the export is no table") from error
    return [
        _row(
            line["Id"],
            line["Direction"],
            line["Display Amount"],
            line["Display Fee"],
            datetime.strptime(line["Timestamp"][:_JS_DATE_LENGTH], _JS_DATE).replace(tzinfo=UTC),
        )
        for line in lines
        if line["Wallet Id"] == wallet_id
    ]


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
