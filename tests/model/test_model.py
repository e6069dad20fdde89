"""The rules of a payout's life hold in every interleaving, and each is needed."""

from __future__ import annotations

import pytest

from models.states import ALLOWED, PayoutState
from tests.model.checker import check
from tests.model.variants import BROKEN, EVIDENCE, Walk


@pytest.mark.slow
def test_nothing_is_paid_twice_released_while_paid_or_stuck() -> None:
    found = check()

    assert (found.wrong, found.way, found.stuck) == (None, [], 0)
    assert found.edges <= set(ALLOWED)
    assert found.states > 20_000


@pytest.mark.parametrize("walk", EVIDENCE.values(), ids=EVIDENCE)
def test_what_is_concluded_of_an_invoice_is_true_in_every_order(walk: Walk) -> None:
    found = walk()

    assert (found.wrong, found.way, found.stuck) == (None, [], 0)
    sending = PayoutState.PROCESSING
    for source, target in found.edges:
        # A send and its answer are one step there.
        by_way_of = {(source, sending), (sending, target)}
        assert (source, target) in ALLOWED or by_way_of <= set(ALLOWED)


@pytest.mark.parametrize("flaw", BROKEN)
def test_without_any_one_of_the_rules_money_is_lost(flaw: str) -> None:
    walk, wrong = BROKEN[flaw]

    found = walk()

    assert found.wrong in {wrong, "paid twice"}, flaw
    assert found.way


@pytest.mark.slow
def test_a_list_that_shows_only_what_is_settled_leaves_some_to_people() -> None:
    found = check("blind_look_up", "person_for_none")

    assert found.wrong is None
    assert found.stuck > 0
