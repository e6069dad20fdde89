"""JSON answers, written by orjson; moments become text with milliseconds and a Z."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from models.instants import iso


def to_json(value: Any) -> bytes:
    """Write a value as JSON."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def json_answer(
    value: Any,
    status: int = 200,
    *,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a JSON answer that nobody stores."""
    return raw_answer(to_json(value), status, media_type=media_type, headers=headers)


def raw_answer(
    body: bytes,
    status: int = 200,
    *,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    """Return JSON that is already written."""
    return Response(
        body, status, media_type=media_type, headers={"Cache-Control": "no-store"} | (headers or {})
    )


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError
