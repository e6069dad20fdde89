"""Points at which a program may end: before and after each commit and each call on a wire.

A running service takes no notice of them. Whoever proves that no end costs a payee anything
hands in a watch that ends the program at a point of its choice.
"""

from __future__ import annotations

from collections.abc import Callable

Watch = Callable[[str], None]


def unwatched(point: str) -> None:
    """Take no notice."""


def commit_of(function: Callable[..., object]) -> str:
    """Return what the commit of a function is called: its file and its name."""
    file = getattr(function, "__module__", "").rpartition(".")[2]
    name = getattr(function, "__name__", type(function).__name__)
    return f"commit:{file}.{name.lstrip('_')}"
