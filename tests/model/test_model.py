"""The rules of a payout's life hold in every interleaving, and each is needed."""

from __future__ import annotations

import pytest

from models.states import ALLOWED
from tests.model.checker import check

FLAWS = {
    "unknown_is_failure": "released while paid",
    "unknown_is_success": "completed without a payment",
    "no_write_ahead": "released while paid",
    "no_fence": "released while paid",
    "ignore_outstanding": "released while paid",
    "trust_reply": "released while paid",
    "quiet_at_write": "released while paid",
    "not_found_is_dead": "released while paid",
    "cancel_after_send": "released while paid",
    "blind_look_up": "released while paid",
}


@pytest.mark.slow
def test_nothing_is_paid_twice_released_while_paid_or_stuck() -> None:
    found = check()

    assert (found.wrong, found.way, found.stuck) == (None, [], 0)
    assert found.edges <= set(ALLOWED)
    assert found.states > 20_000


@pytest.mark.parametrize(("flaw", "wrong"), FLAWS.items(), ids=FLAWS)
def test_without_any_one_of_the_rules_money_is_lost(flaw: str, wrong: str) -> None:
    found = check(flaw)

    assert found.wrong in {wrong, "paid twice"}, flaw
    assert found.way


@pytest.mark.slow
def test_a_list_that_shows_only_what_is_settled_leaves_some_to_people() -> None:
    found = check("blind_look_up", "person_for_none")

    assert found.wrong is None
    assert found.stuck > 0
