"""The kill loop leaves out none of the faults there are."""

from __future__ import annotations

from app.sandbox.faults import KINDS
from tests.crash import bad_days


def test_every_kind_of_fault_may_be_drawn() -> None:
    assert {name.partition(" ")[0] for name in bad_days.every_name()} == KINDS


def test_rounds_that_follow_one_another_draw_all_of_them() -> None:
    for seed in range(20):
        turns = range(seed, seed + bad_days.TURNS)
        drawn = {bad_days.name_of(fault) for turn in turns for fault in bad_days.mixed(turn)}
        assert drawn == bad_days.every_name()


def test_a_seed_always_draws_the_same() -> None:
    assert bad_days.mixed(7) == bad_days.mixed(7) != bad_days.mixed(8)
