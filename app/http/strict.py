"""What every body and query has in common: nothing unknown, nothing twice, only keepable text."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, field_validator

from models.errors import InvalidField


class Strict(BaseModel):
    """A body or query that refuses unknown fields and text that no database keeps."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _keepable(cls, value: Any) -> Any:
        """Refuse NUL, which PostgreSQL cannot keep, and halves of characters, which nobody can."""
        if isinstance(value, str) and not is_keepable(value):
            msg = "it contains a character that cannot be kept"
            raise ValueError(msg)
        return value


def is_keepable(text: str) -> bool:
    """Tell whether every database can keep a text."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_query(request: Request) -> None:
    """Refuse a parameter that comes twice, and any where a route takes none.

    Raises:
        InvalidField: The parameter.
    """
    takes_none = not request.scope["route"].dependant.query_params
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if takes_none:
            raise InvalidField(name, "this parameter is not known")
        if name in seen:
            raise InvalidField(name, "give this parameter once")
        seen.add(name)
