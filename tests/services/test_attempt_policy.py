"""When a send may be repeated, when an attempt is dead, and when only people can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.payout import Attempt, PayeeHome, Send, SendAnswer
from services import attempt_policy as policy
from tests.support.builders import a_payout, a_send, a_store, an_attempt
from tests.support.clock import NOON

A = SendAnswer
HOME = an_attempt(a_payout(a_store()), home=PayeeHome.HOME)
FOREIGN = replace(HOME, home=PayeeHome.FOREIGN)
EXPIRY = HOME.invoice_expires_at
ANSWERS = st.lists(st.none() | st.sampled_from(A), max_size=8)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def sent(*answers: SendAnswer | None, every: timedelta = MINUTE) -> list[Send]:
    """Return sends a minute apart, each answered a second after it went."""
    return [
        a_send(
            HOME,
            answer,
            answer_code="payment_failed" if answer is A.REFUSED else None,
            number=number + 1,
            logged_at=NOON + number * every,
            answered_at=None if answer is None else NOON + number * every + SECOND,
        )
        for number, answer in enumerate(answers)
    ]


def due(sends: list[Send], attempt: Attempt = HOME, *, by: str = "flash-wallet") -> datetime | None:
    return policy.repeat_due(attempt, sends, flash_wallet_id=by)


@pytest.mark.parametrize(
    ("answer", "is_repeated"),
    [
        (None, True),
        (A.UNKNOWN, True),
        (A.NOT_EXECUTED, True),
        (A.PENDING, False),
        (A.ERROR, False),
        (A.REFUSED, False),
        (A.SETTLED, False),
    ],
)
def test_only_silence_is_repeated(answer: SendAnswer | None, is_repeated: bool) -> None:
    assert (due(sent(answer)) is not None) is is_repeated


@pytest.mark.parametrize("spoiler", [A.PENDING, A.ERROR, A.REFUSED, A.SETTLED])
def test_one_answer_that_forbids_it_forbids_it_for_ever(spoiler: SendAnswer) -> None:
    assert due(sent(A.UNKNOWN, spoiler, A.UNKNOWN)) is None


@pytest.mark.parametrize(("silences", "seconds"), [(1, 2), (2, 5), (3, 15), (4, 45), (5, 120)])
def test_repeats_wait_ever_longer(silences: int, seconds: int) -> None:
    sends = sent(*[A.UNKNOWN] * silences, every=10 * SECOND)
    last = sends[-1].answered_at
    assert last is not None

    assert due(sends) == last + timedelta(seconds=seconds)


def test_the_sixth_send_is_the_last() -> None:
    assert due(sent(*[A.UNKNOWN] * 6, every=SECOND)) is None


def test_what_was_not_executed_is_no_try() -> None:
    sends = sent(*[A.NOT_EXECUTED] * 9, A.UNKNOWN, every=SECOND)

    assert policy.tries(sends) == 1
    assert due(sends) is not None


def test_without_a_key_nothing_is_repeated() -> None:
    keyed, unkeyed = sent(A.UNKNOWN, A.UNKNOWN)

    assert due([keyed, replace(unkeyed, idempotency_key=None)]) is None
    assert due([]) is None


def test_a_key_is_good_for_the_wallet_it_was_used_with_only() -> None:
    assert due(sent(A.UNKNOWN), by="another-wallet") is None


@pytest.mark.parametrize(
    ("now", "may"),
    [
        (NOON + 2 * SECOND, False),
        (NOON + 3 * SECOND, True),
        (EXPIRY - 5 * SECOND, True),
        (EXPIRY - 4 * SECOND, False),
    ],
)
def test_a_repeat_that_fell_due_long_ago_may_be_too_late(now: datetime, may: bool) -> None:
    found = policy.may_repeat(HOME, sent(A.UNKNOWN), now, flash_wallet_id="flash-wallet")

    assert found is may


@pytest.mark.parametrize(("left_s", "is_repeated"), [(5, True), (4, False), (-60, False)])
def test_a_repeat_needs_five_seconds_of_the_invoice(left_s: int, is_repeated: bool) -> None:
    sends = sent(None)
    expires_at = NOON + 2 * SECOND + timedelta(seconds=left_s)

    found = due(sends, replace(HOME, invoice_expires_at=expires_at))

    assert (found is not None) is is_repeated


def test_twenty_hours_after_the_first_send_nothing_is_repeated() -> None:
    attempt = replace(HOME, invoice_expires_at=NOON + timedelta(days=3))
    early, late = timedelta(hours=19), timedelta(hours=20)

    assert due(sent(A.UNKNOWN, A.UNKNOWN, every=early), attempt) is not None
    assert due(sent(A.UNKNOWN, A.UNKNOWN, every=late), attempt) is None


@given(ANSWERS)
def test_a_repeat_never_falls_outside_its_bounds(answers: list[SendAnswer | None]) -> None:
    sends = sent(*answers)
    found = due(sends)

    if found is not None:
        assert policy.tries(sends) < 6
        assert not set(answers) & {A.PENDING, A.ERROR, A.REFUSED, A.SETTLED}
        assert found <= EXPIRY - 5 * SECOND
        assert found <= sends[0].logged_at + timedelta(hours=20)
        assert found > sends[-1].logged_at


@given(ANSWERS)
def test_only_when_every_send_did_nothing_is_it_known_that_nothing_happened(
    answers: list[SendAnswer | None],
) -> None:
    nothing = {A.REFUSED, A.NOT_EXECUTED}

    assert policy.all_did_nothing(sent(*answers)) is (set(answers) <= nothing)


@pytest.mark.parametrize(
    ("answers", "is_unknown"),
    [
        ([None], True),
        ([A.UNKNOWN], True),
        ([A.ERROR], True),
        ([A.REFUSED, A.ERROR], True),
        ([A.PENDING], False),
        ([A.REFUSED], False),
        ([A.SETTLED], False),
        ([], False),
    ],
)
def test_what_counts_as_unknown(answers: list[SendAnswer | None], is_unknown: bool) -> None:
    assert policy.is_unknown(sent(*answers)) is is_unknown


OVER = EXPIRY + 10 * MINUTE


@pytest.mark.parametrize(
    ("answers", "now", "is_dead"),
    [
        ([A.UNKNOWN, A.REFUSED], OVER, True),
        ([A.UNKNOWN, A.REFUSED], OVER - SECOND, False),
        ([A.UNKNOWN], OVER, False),
        ([A.ERROR], OVER, False),
        ([A.REFUSED, A.PENDING], OVER, False),
        ([A.REFUSED, A.ERROR], OVER, False),
        ([None, A.REFUSED], OVER, True),
    ],
)
def test_a_refusal_beside_silence_decides_ten_minutes_after_expiry(
    answers: list[SendAnswer | None], now: datetime, is_dead: bool
) -> None:
    assert policy.is_refused_and_over(HOME, sent(*answers), now) is is_dead


def test_a_failure_that_flash_forgets_before_the_invoice_is_over_decides_nothing() -> None:
    silence, failure = sent(A.UNKNOWN, A.REFUSED)
    lives = policy.KEY_LIFE + silence.logged_at - HOME.invoice_expires_at
    kept = replace(HOME, invoice_expires_at=HOME.invoice_expires_at + lives)
    forgotten = replace(kept, invoice_expires_at=kept.invoice_expires_at + SECOND)

    assert policy.is_refused_and_over(kept, [silence, failure], OVER + lives)
    assert not policy.is_refused_and_over(forgotten, [silence, failure], OVER + lives + SECOND)


def test_only_a_failure_that_flash_keeps_under_the_key_is_a_look_up() -> None:
    silence, refusal = sent(A.UNKNOWN, A.REFUSED)
    of_its_own = replace(refusal, answer_code="INSUFFICIENT_BALANCE")

    assert not policy.is_refused_and_over(HOME, [silence, of_its_own], OVER)


@pytest.mark.parametrize(
    ("attempt", "now", "counts"),
    [
        (HOME, OVER, True),
        (HOME, OVER - SECOND, False),
        (FOREIGN, OVER, False),
        (replace(HOME, home=PayeeHome.UNASKED), OVER, False),
    ],
)
def test_an_expired_counts_for_home_invoices_after_the_grace(
    attempt: Attempt, now: datetime, counts: bool
) -> None:
    assert policy.expired_counts(attempt, now) is counts


@pytest.mark.parametrize(
    ("seen", "now", "is_second"),
    [
        (None, OVER + 9 * MINUTE, False),
        (OVER, OVER + 5 * MINUTE, True),
        (OVER, OVER + 5 * MINUTE - SECOND, False),
        (OVER, OVER - SECOND, False),
    ],
)
def test_the_second_expired_comes_five_minutes_after_the_first(
    seen: datetime | None, now: datetime, is_second: bool
) -> None:
    assert policy.expired_twice(replace(HOME, expired_seen_at=seen), now) is is_second


@pytest.mark.parametrize(("asked", "wait_s"), [(0, 2), (1, 5), (2, 10), (5, 300), (50, 300)])
def test_home_invoices_are_asked_about_ever_more_slowly(asked: int, wait_s: int) -> None:
    assert policy.look_up_due(HOME, NOON, asked) == NOON + timedelta(seconds=wait_s)
    assert policy.look_up_due(FOREIGN, NOON, asked) is None


def test_a_day_after_expiry_it_is_for_people() -> None:
    assert policy.review_due(HOME) == EXPIRY + timedelta(hours=24)


SAT = 1_000_000  # nano-dollars, at 100,000 dollars a bitcoin


@pytest.mark.parametrize(
    ("shown", "expected", "may_be"),
    [
        (1000 * SAT, 1000 * SAT, True),
        (1002 * SAT, 1000 * SAT, True),
        (1002 * SAT + 1, 1000 * SAT, False),
        (998 * SAT, 1000 * SAT, True),
        (100_200 * SAT, 100_000 * SAT, True),
        (100_201 * SAT, 100_000 * SAT, False),
    ],
)
def test_a_row_fits_within_two_sats_or_two_in_a_thousand(
    shown: int, expected: int, may_be: bool
) -> None:
    assert policy.fits(shown, expected, SAT) is may_be


@pytest.mark.parametrize(
    ("amount_msat", "tolerance"), [(1_000, 2_000), (1_000_000, 2_000), (10_000_000, 20_000)]
)
def test_the_tolerance_in_millisats(amount_msat: int, tolerance: int) -> None:
    assert policy.tolerance_msat(amount_msat) == tolerance
