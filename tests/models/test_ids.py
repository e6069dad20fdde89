"""Ids carry a word and sort by the time they were made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import ATTEMPT, PAYOUT, Ids, is_id, make_id
from tests.support.clock import NOON, HandClock

MILLISECONDS = st.integers(0, 2**48 - 1)
BITS = st.integers(0, 2**80 - 1)


@given(MILLISECONDS, BITS, MILLISECONDS, BITS)
def test_ids_sort_by_time_then_by_chance(ms: int, bits: int, later: int, other: int) -> None:
    in_time = (ms, bits) < (later, other)

    assert (make_id(PAYOUT, ms, bits) < make_id(PAYOUT, later, other)) is in_time


@given(MILLISECONDS, BITS)
def test_every_id_has_the_shape_of_its_kind_only(ms: int, bits: int) -> None:
    made = make_id(PAYOUT, ms, bits)

    assert is_id(made, PAYOUT)
    assert not is_id(made, ATTEMPT)
    assert len(made) == len("po_") + 26


def test_ids_of_one_moment_differ() -> None:
    ids = Ids(HandClock())

    assert len({ids.new(PAYOUT) for _ in range(1000)}) == 1000


def test_an_id_is_made_of_the_clock_and_the_randomness_it_was_given() -> None:
    clock = HandClock(NOON)
    ids = Ids(clock, bytes)
    first = ids.new(PAYOUT)

    clock.advance(milliseconds=1)

    assert ids.new(PAYOUT) > first
    assert first == Ids(HandClock(NOON + timedelta(microseconds=9)), bytes).new(PAYOUT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "po_",
        "po_01jd3k",
        make_id(PAYOUT, 1, 1).upper(),
        make_id(PAYOUT, 1, 1) + "\n",
        make_id(PAYOUT, 1, 1) + "0",
        "po_" + "i" * 26,
        "po_" + "u" * 26,
        " " + make_id(PAYOUT, 1, 1),
    ],
)
def test_what_only_resembles_an_id_is_none(text: str) -> None:
    assert not is_id(text, PAYOUT)
