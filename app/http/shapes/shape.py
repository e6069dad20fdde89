"""What all shapes have in common, and how a route says which one it answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

ONCE_KEY_LIMIT = 255
_KEY = "Repeats with the same key and body get the same answer for seven days."


class Shape(BaseModel):
    """A JSON object that has exactly these fields; null says that something is not known."""

    model_config = ConfigDict(extra="forbid")


class RateShape(Shape):
    """A price: minor units for one sat, as a ratio, with its source."""

    numerator: int
    denominator: int
    source: str
    at: datetime


class ActorShape(Shape):
    """Who acted: a person, a key, the payee, or the service itself."""

    kind: Literal["person", "api_key", "system", "payee"]
    id: str | None


def answers(
    shape: Any, status: int = 200, *, key: Literal["demanded", "taken"] | None = None
) -> dict[str, Any]:
    """Return what a route adds to the description: its answer, and its Idempotency-Key."""
    words: dict[str, Any] = {"responses": {status: {"model": shape}}}
    if key is not None:
        header = {
            "name": "Idempotency-Key",
            "in": "header",
            "required": key == "demanded",
            "description": _KEY,
            "schema": {"type": "string", "minLength": 1, "maxLength": ONCE_KEY_LIMIT},
        }
        words["openapi_extra"] = {"parameters": [header]}
    return words
