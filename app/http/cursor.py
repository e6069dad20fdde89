"""Opaque cursors: where the next page of a list begins."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from models.errors import InvalidField
from models.ids import is_id
from models.instants import from_us, to_us

LIMIT = 200


def write_cursor(before: tuple[datetime, str] | None) -> str | None:
    """Return the cursor of a place, or nothing at the end."""
    if before is None:
        return None
    text = f"{to_us(before[0])}:{before[1]}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, prefix: str) -> tuple[datetime, str] | None:
    """Read a cursor that a list of things with this id prefix gave out.

    Raises:
        InvalidField: `cursor` was not given out by this list.
    """
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        plain = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        us, _, row_id = plain.partition(":")
        moment = from_us(int(us))
    except (binascii.Error, UnicodeDecodeError, ValueError, OverflowError):
        raise InvalidField("cursor", "use a next_cursor of this list as it is") from None
    if len(text) > LIMIT or not is_id(row_id, prefix):
        raise InvalidField("cursor", "use a next_cursor of this list as it is")
    return moment, row_id
