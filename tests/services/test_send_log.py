"""When the wallet's list shows that an unknown payment did not leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.flash import StatementRow
from models.money import Rate
from services.send_log import STATEMENT_ROWS, Near, has_no_unclaimed_row
from tests.support.builders import a_payout, a_store, an_attempt
from tests.support.clock import NOON

# A sat is a tenth of a cent, so a thousand sats are a dollar.
RATE = Rate("USD", 1, 10, "test", NOON)
DOLLAR = 1_000_000_000
ATTEMPT = an_attempt(a_payout(a_store(), sats=1_000))


def row(amount: int | None = DOLLAR, minutes: float = 0, **more: Any) -> StatementRow:
    given = {"id": "row", "is_send": True, "at": NOON + timedelta(minutes=minutes)} | more
    return StatementRow(amount_nanousd=amount, **given)


FAR = row(50 * DOLLAR)
NONE = Near()
TWIN = Near(settled=((NOON - timedelta(minutes=2), NOON + timedelta(minutes=3)),))
CASES: dict[str, tuple[list[StatementRow], Near, bool]] = {
    "an empty list proves nothing": ([], NONE, False),
    "a full list may have lost its end": ([FAR] * STATEMENT_ROWS, NONE, False),
    "a full list that reaches back far enough is whole": (
        [FAR] * (STATEMENT_ROWS - 1) + [row(50 * DOLLAR, minutes=-3)],
        NONE,
        True,
    ),
    "but a row in it may be the payment": (
        [row()] + [row(50 * DOLLAR, minutes=-3)] * (STATEMENT_ROWS - 1),
        NONE,
        False,
    ),
    "rows of other amounts are of no matter": ([FAR], NONE, True),
    "a row that fits may be the payment": ([FAR, row()], NONE, False),
    "a row that fits may be another payout's": ([FAR, row()], TWIN, True),
    "two rows and one other payout": ([row(), row()], TWIN, False),
    "a row of long after another payout settled is not its": ([row(minutes=4)], TWIN, False),
    "a row that another has claimed is not it": ([row()], Near(frozenset({"row"})), True),
    "a claim does not speak for a second row": (
        [row(), row(id="other")],
        Near(frozenset({"row"})),
        False,
    ),
    "two rows for two payouts, each at its time": (
        [row(minutes=9), row()],
        Near(settled=(*TWIN.settled, (NOON, NOON + timedelta(minutes=10)))),
        True,
    ),
    "a row without an amount may be the payment": ([row(None)], NONE, False),
    "the price may have moved": ([row(DOLLAR * 5 // 4)], NONE, False),
    "but not without end": ([row(DOLLAR * 13 // 10)], NONE, True),
    "the direction is not believed": ([row(is_send=False)], NONE, False),
    "a row of long before is of no matter": ([row(minutes=-3)], NONE, True),
    "the clocks may differ by a little": ([row(minutes=-1)], NONE, False),
    "a row may come late": ([row(minutes=119)], NONE, False),
    "but not for ever": ([row(minutes=121)], NONE, True),
}


@pytest.mark.parametrize(("rows", "known", "is_clear"), CASES.values(), ids=CASES)
def test_the_list_is_clear_only_without_doubt(
    rows: list[StatementRow], known: Near, is_clear: bool
) -> None:
    assert has_no_unclaimed_row(rows, known, ATTEMPT, RATE) is is_clear
