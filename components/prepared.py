"""What all pages that look at the same would make alike: made by the first, taken by the rest."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")


class Prepared:
    """Keeps what was made of one reading; it goes when the reading goes."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is kept under a key; the first to ask makes it."""
        if key not in self._made:
            self._made[key] = make()
        found: Made = self._made[key]
        return found
