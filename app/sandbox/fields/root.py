"""What a root field of the schema is made of: who may ask, and what answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Root:
    """A query or mutation; `resolve` takes the call and the field's arguments."""

    resolve: Callable[..., Any]
    needs_account: bool = True
    # The scope an API key needs; none means that no key may.
    scope: str | None = None


def public(resolve: Callable[..., Any]) -> Root:
    """Return a field that anybody may ask."""
    return Root(resolve, needs_account=False)
