"""The state table is complete, and has no state without a way in or out."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from models.payout import Payout
from models.states import (
    ALLOWED,
    FINAL,
    ON_THE_WIRE,
    PLACE,
    RELEASED,
    STATUS,
    TRANSITIONS,
    PayoutState,
    PayoutStatus,
    Place,
    states_of,
)

S = PayoutState
STAMPS = {field.name for field in fields(Payout) if field.name.endswith("_at")}


def reachable_from(start: PayoutState) -> set[PayoutState]:
    found, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        after = {target for source, target in ALLOWED if source is state} - found
        found |= after
        waiting += after
    return found


def test_every_state_can_be_reached_from_the_first() -> None:
    assert reachable_from(S.PENDING) == set(S)


@pytest.mark.parametrize("state", set(S) - FINAL)
def test_from_every_open_state_money_can_still_go_either_way(state: PayoutState) -> None:
    assert {S.COMPLETED, S.FAILED} <= reachable_from(state)


def test_only_a_failure_may_be_tried_again_and_only_completion_reversed() -> None:
    out_of_final = {step for step in ALLOWED if step[0] in FINAL}

    assert out_of_final == {(S.FAILED, S.APPROVED), (S.COMPLETED, S.REVERSED)}


@pytest.mark.parametrize("table", [STATUS, PLACE])
def test_every_state_has_its_word_and_its_place(table: dict[PayoutState, object]) -> None:
    assert set(table) == set(S)


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (PayoutStatus.PENDING, {S.PENDING, S.AWAITING_APPROVAL, S.APPROVED}),
        (PayoutStatus.PROCESSING, {S.PROCESSING, S.IN_FLIGHT, S.NEEDS_REVIEW}),
        (PayoutStatus.COMPLETED, {S.COMPLETED, S.REVERSED}),
        (PayoutStatus.FAILED, {S.FAILED}),
        (PayoutStatus.CANCELLED, {S.REJECTED, S.CANCELLED, S.EXPIRED}),
    ],
)
def test_people_see_five_words(status: PayoutStatus, states: set[PayoutState]) -> None:
    assert set(states_of(status)) == states


def test_money_is_in_transit_exactly_while_something_may_be_on_the_wire() -> None:
    assert {state for state in S if PLACE[state] is Place.IN_TRANSIT} == ON_THE_WIRE


def test_money_is_back_in_the_budget_exactly_when_it_was_released() -> None:
    assert {state for state in S if PLACE[state] is Place.BUDGET} == RELEASED
    assert RELEASED < FINAL


def test_nothing_on_the_wire_is_rejected_cancelled_or_expired() -> None:
    given_up = {S.REJECTED, S.CANCELLED, S.EXPIRED}

    assert not {step for step in ALLOWED if step[0] in ON_THE_WIRE and step[1] in given_up}


def test_only_an_approved_or_unknown_payout_is_sent() -> None:
    assert {source for source, target in ALLOWED if target is S.PROCESSING} == {
        S.APPROVED,
        S.IN_FLIGHT,
    }


def test_a_step_stands_in_the_table_once_and_stamps_a_column_there_is() -> None:
    assert len(ALLOWED) == len(TRANSITIONS)
    assert {step.stamp for step in TRANSITIONS if step.stamp} <= STAMPS
    assert all(re.fullmatch(r"[a-z_]+", state) for state in S)
