"""Read what another LNURL server answers: a JSON object, or an error with a reason."""

from __future__ import annotations

from typing import Any, TypeGuard

import orjson

from models.errors import GatewayError
from services.plain_text import plain_text

_MAX_REASON = 90


def read_answer(body: bytes) -> dict[str, Any]:
    """Return the fields of an answer; the HTTP status means nothing (LUD-01).

    Raises:
        GatewayError: If it is no JSON object, or says ERROR.
    """
    answer = parse_json(body)
    if not isinstance(answer, dict):
        raise GatewayError("The recipient's service gave no usable answer.")
    if answer.get("status") == "ERROR":
        reason = answer.get("reason")
        words = plain_text(reason, _MAX_REASON) if isinstance(reason, str) else ""
        raise GatewayError(f"The recipient's service says: {words or 'error'}")
    return answer


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text, and None for a text that is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a JSON value is an integer; `true` is none, and neither is `1.0`."""
    return isinstance(value, int) and not isinstance(value, bool)
