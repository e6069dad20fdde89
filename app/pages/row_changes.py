"""How one page of rows became another, in any order: what to put where, and what to drop."""

from __future__ import annotations

from dataclasses import dataclass

from models.payout_order import Mark, PayoutOrder, mark_of
from models.payout_view import PayoutView


@dataclass(frozen=True, slots=True)
class Insertion:
    """A row that appears at a place; a fresh one is new among those that were seen."""

    place: int
    view: PayoutView
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class RowChanges:
    """What happened to the first page; drops come first, then insertions from the top."""

    dropped: list[str]
    inserted: list[Insertion]
    changed: list[PayoutView]

    @property
    def seen_again(self) -> list[PayoutView]:
        """Return the rows that were there before and are other now."""
        return self.changed + [new.view for new in self.inserted if not new.is_fresh]

    @property
    def fresh(self) -> int:
        """Return how many rows are new."""
        return sum(insertion.is_fresh for insertion in self.inserted)


def row_changes(
    before: list[PayoutView],
    now: list[PayoutView],
    order: PayoutOrder,
    page_size: int,
    *,
    has_more: bool,
) -> RowChanges:
    """Compare two first pages.

    With `has_more` older rows stand below: what was only pushed off the page stays among them,
    what does not fit the filter any more does not.
    """
    old = {view.id: view for view in before}
    new = {view.id: view for view in now}
    moved = _moved(before, now, order)
    end = _place(now[-1], order) if len(now) >= page_size else None
    dropped = [
        view.id
        for view in before
        if view.id in moved
        or (view.id not in new and not (has_more and end and _place(view, order) < end))
    ]
    floor = _place(before[-1], order) if before else None
    # What moves up from below the page stands in the table already, if older rows are there.
    from_below = {
        view.id
        for view in now
        if view.id not in old and floor is not None and _place(view, order) < floor
    }
    known = old.keys() | (from_below if has_more else set())
    inserted = [
        Insertion(place, view, view.id not in old and view.id not in from_below)
        for place, view in enumerate(now)
        if view.id not in known or view.id in moved
    ]
    changed = [
        view
        for view in now
        if view.id in known and view.id not in moved and old.get(view.id) != view
    ]
    return RowChanges(dropped, inserted, changed)


def _place(view: PayoutView, order: PayoutOrder) -> tuple[int, str]:
    mark: Mark = mark_of(view, order)
    return mark.value, mark.id


def _moved(before: list[PayoutView], now: list[PayoutView], order: PayoutOrder) -> set[str]:
    """Return the rows whose place in the order is another than before."""
    old = {view.id: view for view in before}
    return {
        view.id
        for view in now
        if view.id in old and _place(old[view.id], order) != _place(view, order)
    }
