"""One first page becomes another: applied to the old rows, the changes give the new ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.row_changes import RowChanges, row_changes
from models.payout_order import PayoutOrder, mark_of
from models.payout_view import PayoutView
from tests.components.test_filter_chips import view
from tests.support.clock import NOON

SIZE = 4


def row(number: int, amount: int = 0, memo: str = "") -> PayoutView:
    at = NOON + timedelta(seconds=number)
    return view(
        id=f"po_{number:03d}",
        created_at=at,
        completed_at=at + timedelta(seconds=amount),
        amount_msat=amount + 1,
        memo=memo,
    )


def page(rows: list[PayoutView], order: PayoutOrder) -> list[PayoutView]:
    ranked = sorted(rows, key=lambda one: (mark_of(one, order).value, one.id), reverse=True)
    return ranked[:SIZE]


def applied(shown: list[PayoutView], changes: RowChanges) -> list[PayoutView]:
    """Do what the grid does with a transaction."""
    changed = {one.id: one for one in changes.changed}
    found = [changed.get(one.id, one) for one in shown if one.id not in changes.dropped]
    for insertion in changes.inserted:
        found.insert(insertion.place, insertion.view)
    return found


ROWS = st.lists(
    st.builds(row, st.integers(0, 12), st.integers(0, 3), st.sampled_from("ab")),
    unique_by=lambda one: one.id,
    max_size=9,
)


@pytest.mark.parametrize("order", PayoutOrder)
@given(before=ROWS, after=ROWS)
def test_the_changes_turn_one_page_into_the_other(
    order: PayoutOrder, before: list[PayoutView], after: list[PayoutView]
) -> None:
    old, new = page(before, order), page(after, order)

    changes = row_changes(old, new, order, SIZE, has_more=False)

    assert applied(old, changes) == new


@pytest.mark.parametrize("order", PayoutOrder)
def test_what_is_pushed_off_the_page_stays_above_what_was_loaded_before(
    order: PayoutOrder,
) -> None:
    rows = [row(number, amount=number) for number in range(9, 1, -1)]
    old, below = rows[:SIZE], rows[SIZE:]
    top = row(10, amount=10)
    new = [top, *old[:-1]]

    changes = row_changes(old, new, order, SIZE, has_more=True)

    assert applied(old + below, changes) == [top, *rows]
    assert (changes.fresh, changes.dropped) == (1, [])


def test_what_does_not_fit_any_more_goes_though_older_rows_stand_below() -> None:
    rows = [row(number) for number in range(9, 1, -1)]
    old, order = rows[:SIZE], PayoutOrder.CREATED
    new = [*rows[:1], *rows[2 : SIZE + 1]]

    changes = row_changes(old, new, order, SIZE, has_more=True)

    assert changes.dropped == [rows[1].id]
    assert changes.fresh == 0
    # The row that moves up from below is in the grid already: it is not put there twice.
    assert changes.inserted == []
    assert changes.changed == [rows[SIZE]]


def test_a_change_that_moves_nothing_is_made_in_place() -> None:
    old = [row(2), row(1)]
    new = [replace(old[0], memo="new"), old[1]]

    changes = row_changes(old, new, PayoutOrder.CREATED, SIZE, has_more=False)

    assert (changes.changed, changes.inserted, changes.dropped) == ([new[0]], [], [])
    assert changes.seen_again == [new[0]]
