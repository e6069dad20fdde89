"""Rule S by itself: what counting may decide, and what it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.statement_policy import Claim, Expected, Judgement, Seen, judge
from tests.support.clock import NOON

NOTHING = Judgement((), (), ())


def sent(name: str, amount: int = 1_000_000, minute: int = 0, **more: bool) -> Expected:
    at = NOON + timedelta(minutes=minute)
    window = (at - timedelta(minutes=2), at + timedelta(minutes=10))
    return Expected(name, amount, 2_000, *window, **{"is_settled": False} | more)


def row(name: str, amount: int = 1_000_000, minute: int = 1, *, done: bool | None = True) -> Seen:
    return Seen(name, amount, NOON + timedelta(minutes=minute), done)


def claims(judged: Judgement) -> set[tuple[str, str]]:
    return {(claim.attempt_id, claim.row_id) for claim in judged.claims}


def test_as_many_rows_as_sends_settle_all_of_them() -> None:
    judged = judge([sent("a"), sent("b", minute=3)], [row("r1"), row("r2", minute=4)], [])

    assert {claim.attempt_id for claim in judged.claims} == {"a", "b"}
    assert {claim.row_id for claim in judged.claims} == {"r1", "r2"}


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ([sent("a"), sent("b")], [row("r1")]),
        ([sent("a", is_settled=True), sent("b")], [row("r1")]),
        ([sent("a")], [row("r1"), row("r2")]),
        ([sent("a"), sent("b", is_open=True)], [row("r1"), row("r2")]),
        ([sent("a")], []),
    ],
    ids=["too few", "one is settled", "too many", "one is on the wire", "none"],
)
def test_any_other_count_decides_nothing(expected: list[Expected], seen: list[Seen]) -> None:
    assert judge(expected, seen, []) == NOTHING


def test_a_row_that_may_be_of_the_wallet_before_settles_nothing_that_is_unknown() -> None:
    before, other = [sent("of old")], [sent("of old", amount=7_000_000)]

    assert judge([sent("a")], [row("r1")], [], before) == NOTHING
    assert claims(judge([sent("a")], [row("r1")], [], other)) == {("a", "r1")}
    settled = judge([sent("a", is_settled=True)], [row("r1")], [], before)
    assert claims(settled) == {("a", "r1")}


def test_a_row_is_asked_about_before_it_settles_what_is_unknown_and_only_then() -> None:
    unasked = row("r1", done=None)

    assert judge([sent("a")], [unasked], []) == Judgement((), ("r1",), ())
    # What was under way when Flash was asked may be completed by now.
    assert judge([sent("a")], [row("r1", done=False)], []) == Judgement((), ("r1",), ())
    settled = judge([sent("a", is_settled=True)], [unasked], [])
    assert settled == Judgement((Claim("a", "r1"),), (), ())


def test_a_row_that_fits_nothing_is_a_stranger_and_switches_its_window_off() -> None:
    stranger = row("r9", amount=5_000_000)

    assert judge([sent("a")], [row("r1"), stranger], []) == Judgement((), (), ("r9",))
    settled = judge([sent("a", is_settled=True)], [row("r1"), stranger], [])
    assert (settled.strangers, claims(settled)) == (("r9",), {("a", "r1")})
    assert judge([sent("a")], [row("r1")], [stranger.at]) == NOTHING
    later = NOON + timedelta(hours=1)
    assert claims(judge([sent("a")], [row("r1")], [later])) == {("a", "r1")}


def test_sends_that_no_row_could_mix_up_are_judged_apart() -> None:
    expected = [sent("a"), sent("b", amount=2_000_000), sent("c", minute=60)]

    judged = judge(expected, [row("r2", 2_001_000), row("r3", minute=61)], [])

    assert claims(judged) == {("b", "r2"), ("c", "r3")}


def test_equal_counts_that_cannot_be_paired_decide_nothing() -> None:
    expected = [sent("a", amount=1_000_000), sent("b", amount=1_003_500)]

    assert judge(expected, [row("r1", 999_000), row("r2", 999_500)], []) == NOTHING
    paired = judge(expected, [row("r1", 1_001_800), row("r2", 1_000_500)], [])
    assert claims(paired) == {("b", "r1"), ("a", "r2")}


def test_a_row_that_may_be_of_a_settled_send_at_another_price_settles_nothing_unknown() -> None:
    dear = sent("settled", 1_010_000, is_settled=True)

    assert judge([sent("unknown"), dear], [row("r1")], []).claims == ()
    placed = judge([sent("unknown"), dear], [row("r1"), row("r2", 1_010_000)], [])
    assert claims(placed) == {("unknown", "r1"), ("settled", "r2")}


def test_more_alike_than_the_limit_are_left_to_other_evidence() -> None:
    many = [sent(f"a{number}") for number in range(201)]
    rows = [row(f"r{number}") for number in range(201)]

    assert judge(many, rows, []) == NOTHING
    assert len(judge(many[:200], rows[:200], []).claims) == 200
