"""A list whose rows are made once and then told what changed; newest stand on top."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

from nicegui.element import Element

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Row(Protocol[Item_contra]):
    """One row: its element, and how it takes an item."""

    root: Element

    def show(self, item: Item_contra) -> None:
        """Show the item as it is now; only what changed goes to the browser."""
        ...


class LiveList(Generic[Item]):
    """Keeps rows and items together by key, inside an element."""

    def __init__(
        self,
        place: Element,
        key_of: Callable[[Item], Hashable],
        make: Callable[[], Row[Item]],
    ) -> None:
        self._place = place
        self._key_of = key_of
        self._make = make
        self._rows: dict[Hashable, Row[Item]] = {}
        self._shown: dict[Hashable, Item] = {}

    def show(self, items: Sequence[Item]) -> None:
        """Show these items, in their order."""
        wanted = {self._key_of(item): item for item in items}
        for key in [key for key in self._rows if key not in wanted]:
            self._rows.pop(key).root.delete()
            del self._shown[key]
        for place, (key, item) in enumerate(wanted.items()):
            row = self._rows.get(key)
            if row is None:
                row = self._add(key, place)
            if self._shown.get(key) != item:
                row.show(item)
                self._shown[key] = item

    def _add(self, key: Hashable, place: int) -> Row[Item]:
        with self._place:
            row = self._rows[key] = self._make()
        if place < len(self._rows) - 1:
            row.root.move(self._place, place)
        return row
