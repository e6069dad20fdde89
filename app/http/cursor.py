"""Opaque cursors: where the next page of a list begins, and in which order."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from models.errors import InvalidField
from models.ids import is_id
from models.instants import from_us, to_us
from models.payout_order import Mark, PayoutOrder

LIMIT = 200
_NOT_OURS = "use a next_cursor of this list as it is"
_MOST = 2**63 - 1


def write_cursor(before: tuple[datetime, str] | None) -> str | None:
    """Return the cursor of a place by creation, or nothing at the end."""
    if before is None:
        return None
    return write_mark(Mark(PayoutOrder.CREATED, to_us(before[0]), before[1]))


def read_cursor(text: str | None, prefix: str) -> tuple[datetime, str] | None:
    """Read a cursor that a list of things with this id prefix gave out.

    Raises:
        InvalidField: `cursor` was not given out by this list.
    """
    found = read_mark(text, prefix, PayoutOrder.CREATED)
    if found is None:
        return None
    try:
        return from_us(found.value), found.id
    except OverflowError:
        raise InvalidField("cursor", _NOT_OURS) from None


def write_mark(mark: Mark | None) -> str | None:
    """Return the cursor of a place in any order, or nothing at the end."""
    if mark is None:
        return None
    text = f"{mark.order}:{mark.value}:{mark.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_mark(text: str | None, prefix: str, order: PayoutOrder) -> Mark | None:
    """Read a cursor that a list of things with this id prefix gave out in an order.

    Raises:
        InvalidField: `cursor` was not given out by this list, or in another order.
    """
    if text is None:
        return None
    try:
        padded = text[: LIMIT + 1] + "=" * (-len(text) % 4)
        plain = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        word, value, row_id = plain.split(":")
        mark = Mark(PayoutOrder(word), int(value), row_id)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidField("cursor", _NOT_OURS) from None
    if len(text) > LIMIT or not is_id(row_id, prefix) or not 0 <= mark.value <= _MOST:
        raise InvalidField("cursor", _NOT_OURS)
    if mark.order is not order:
        raise InvalidField("cursor", f"it was given out with sort={mark.order}: ask with that sort")
    return mark
