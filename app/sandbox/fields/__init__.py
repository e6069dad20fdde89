"""The resolvers, by the part of Flash's API they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from app.sandbox.fields import (
    directory,
    keys,
    me,
    probes,
    receiving,
    rejected,
    sends,
    subscriptions,
    transactions,
    transfers,
)
from app.sandbox.fields import prices as price_fields
from app.sandbox.fields.root import Root

ROOTS: Final[dict[str, Root]] = {
    **directory.ROOTS,
    **keys.ROOTS,
    **me.ROOTS,
    **price_fields.ROOTS,
    **probes.ROOTS,
    **receiving.ROOTS,
    **rejected.ROOTS,
    **sends.ROOTS,
    **transactions.ROOTS,
    **transfers.ROOTS,
}
TYPES: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    **me.TYPES,
    **transactions.TYPES,
}
SUBSCRIBERS: Final[dict[str, Callable[..., Any]]] = subscriptions.SUBSCRIBERS

__all__ = ["ROOTS", "SUBSCRIBERS", "TYPES", "Root"]
