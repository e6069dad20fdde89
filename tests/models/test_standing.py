"""What a wallet covers, to the nano-dollar, against sums made by hand; nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from models.money import Rate
from models.standing import Budget, Owed, WalletStanding
from tests.support.clock import NOON

DOLLAR = 1_000_000_000  # nano-dollars
# A sat is a tenth of a cent: a thousand sats are a dollar.
RATE = Rate("USD", 1, 10, "test", NOON)
STANDING = WalletStanding(
    balance_nanousd=100 * DOLLAR,
    balance_at=NOON,
    waiting=Owed(2, 20_000_000),
    unsettled=Owed(1, 10_000_000),
    paid_sats=140_000,
    completed=3,
    rate=RATE,
    newest_rate_at=NOON,
    budgets=(),
    nearly_empty=0,
    as_of=NOON,
)


def test_what_is_owed_is_set_aside_with_half_a_percent_for_fees() -> None:
    assert STANDING.owed == Owed(3, 30_000_000)
    assert STANDING.owed.with_fees_msat == 30_150_000
    assert STANDING.committed_nanousd == 30 * DOLLAR + 150_000_000
    assert STANDING.free_nanousd == 70 * DOLLAR - 150_000_000
    assert STANDING.short_nanousd == 0


def test_the_last_fraction_is_set_aside_too() -> None:
    odd = replace(STANDING, waiting=Owed(1, 1), unsettled=Owed(), rate=replace(RATE, denominator=7))

    # 1 msat and 1 more for its fee, at a seventh of a cent for a sat: 2 857.14 nano-dollars.
    assert odd.committed_nanousd == 2_858


def test_the_free_money_lasts_for_whole_tenths_of_a_day() -> None:
    # 140,000 sats in 14 days are 10 dollars a day; 69.85 dollars are free.
    assert STANDING.cover_tenths == 69
    assert replace(STANDING, paid_sats=0).cover_tenths is None
    assert replace(STANDING, balance_nanousd=0).cover_tenths == 0


def test_a_wallet_that_is_short_says_by_how_much() -> None:
    short = replace(STANDING, balance_nanousd=30 * DOLLAR)

    assert short.short_nanousd == 150_000_000
    assert short.free_nanousd == -150_000_000
    # What was sent already waits for nothing: the balance may have paid for it.
    assert replace(short, waiting=Owed()).short_nanousd == 0


def test_without_a_rate_nothing_is_guessed() -> None:
    blind = replace(STANDING, rate=None)

    assert (blind.committed_nanousd, blind.free_nanousd, blind.cover_tenths) == (None, None, None)
    assert blind.short_nanousd == 0
    nothing_owed = replace(blind, waiting=Owed(), unsettled=Owed())
    assert nothing_owed.free_nanousd == 100 * DOLLAR


@pytest.mark.parametrize(("seconds", "is_old"), [(300, False), (301, True)])
def test_a_balance_grows_old(seconds: int, is_old: bool) -> None:
    later = replace(STANDING, as_of=NOON + timedelta(seconds=seconds))

    assert later.balance_is_old is is_old


def test_a_budget_is_nearly_empty_below_a_tenth() -> None:
    budget = Budget("pp_1", "Tips", "SATS", 1_000, paid=700, reserved=200, expires_at=None)

    assert (budget.remaining, budget.used_percent, budget.is_nearly_empty) == (100, 90, False)
    assert replace(budget, reserved=201).is_nearly_empty
