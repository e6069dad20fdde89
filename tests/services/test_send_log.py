"""When the wallet's list shows that an unknown payment did not leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.flash import StatementRow
from models.money import Rate
from services.send_log import STATEMENT_ROWS, has_no_unclaimed_row
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
CASES: dict[str, tuple[list[StatementRow], int, bool]] = {
    "an empty list proves nothing": ([], 0, False),
    "a full list may have lost its end": ([FAR] * STATEMENT_ROWS, 0, False),
    "rows of other amounts are of no matter": ([FAR], 0, True),
    "a row that fits may be the payment": ([FAR, row()], 0, False),
    "a row that fits may be another payout's": ([FAR, row()], 1, True),
    "two rows and one other payout": ([row(), row()], 1, False),
    "a row without an amount may be the payment": ([row(None)], 0, False),
    "the price may have moved": ([row(DOLLAR * 5 // 4)], 0, False),
    "but not without end": ([row(DOLLAR * 13 // 10)], 0, True),
    "the direction is not believed": ([row(is_send=False)], 0, False),
    "a row of long before is of no matter": ([row(minutes=-3)], 0, True),
    "the clocks may differ by a little": ([row(minutes=-1)], 0, False),
    "a row may come late": ([row(minutes=119)], 0, False),
    "but not for ever": ([row(minutes=121)], 0, True),
}


@pytest.mark.parametrize(("rows", "settled", "is_clear"), CASES.values(), ids=CASES)
def test_the_list_is_clear_only_without_doubt(
    rows: list[StatementRow], settled: int, is_clear: bool
) -> None:
    assert has_no_unclaimed_row(rows, settled, ATTEMPT, RATE) is is_clear
