"""What the panels say: short, rounded the safe way, and honest where something is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from components.budget_list import amount, left_of, scale
from components.dollars import dollars
from components.export_progress import contents
from components.moment import age, short_day, short_moment
from components.needs_you import words
from components.wallet_panel import note, shares_of
from models.attention import Need, NeedKind
from models.rollup import Figure
from models.standing import Budget, Owed
from models.wallet import RECOVERY
from tests.models.test_standing import DOLLAR, STANDING
from tests.support.clock import NOON


def test_what_one_has_is_rounded_down_and_what_one_owes_up() -> None:
    assert dollars(1_234 * DOLLAR + 569_999_999) == "$1,234.56"
    assert dollars(1_234 * DOLLAR + 560_000_001, up=True) == "$1,234.57"
    assert dollars(-1) == "\u2212$0.01"


def test_moments_are_short_and_of_the_stores_zone() -> None:
    assert short_moment(NOON, NOON, "Asia/Kathmandu") == "17:45"
    assert short_moment(NOON - timedelta(days=1), NOON, "UTC") == "19 Nov 12:00"
    assert short_day(NOON, NOON, "Pacific/Auckland") == "21 Nov"
    assert short_day(NOON + timedelta(days=60), NOON, "UTC") == "19 Jan 2027"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "now"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (200_000, "2 d")],
)
def test_ages_are_whole(seconds: int, text: str) -> None:
    assert age(seconds) == text


def test_every_need_is_said_in_a_few_words() -> None:
    needs = [Need(kind, 3, 12_300_000_000, NOON, "Tips") for kind in NeedKind]

    said = [words(need, NOON, "UTC") for need in needs]

    assert said == [
        "Payouts stopped since 12:00",
        "Gate shut since 12:00: 3 not settled",
        "Flash does not accept the credential since 12:00",
        "Flash not reached since 12:00",
        "Flash asks us to wait",
        "Wallet $12.30 short",
        "The books contradict themselves: 3 found",
        "3 to review",
        "3 may be paid already",
        "3 stuck",
        "3 to approve",
        "3 failed in 24 h",
        "3 pull payments nearly empty",
        "Your sign-in has no second factor",
    ]
    assert words(Need(NeedKind.BUDGET, 1, subject="{since}"), NOON, "UTC") == "{since} nearly empty"
    assert words(Need(NeedKind.SHORT), NOON, "UTC") == "Wallet short"


def test_the_bar_is_whole_and_in_proportion() -> None:
    # 10.05 of 100 dollars are sent, 20.10 wait.
    assert shares_of(STANDING) == (100, 201, 699)
    assert shares_of(replace(STANDING, balance_nanousd=0)) == (333, 667, 0)
    assert shares_of(replace(STANDING, rate=None)) == (0, 0, 0)
    nothing = replace(STANDING, balance_nanousd=0, waiting=Owed(), unsettled=Owed())
    assert shares_of(nothing) == (0, 0, 0)


def test_a_restored_copy_says_who_opens_its_gate() -> None:
    need = Need(NeedKind.GATE_SHUT, since=NOON, subject=RECOVERY)

    assert words(need, NOON, "UTC") == "Restored from a copy since 12:00: an owner opens the gate"
    assert "not settled" in words(replace(need, subject="unknown_outcomes"), NOON, "UTC")


def test_what_is_not_known_is_said() -> None:
    old = NOON - timedelta(hours=2)

    assert note(STANDING, "UTC") == ""
    assert "$0.15 less" in note(replace(STANDING, balance_nanousd=30 * DOLLAR), "UTC")
    assert "10:00" in note(replace(STANDING, rate=None, newest_rate_at=old), "UTC")
    assert "no price yet" in note(replace(STANDING, rate=None, newest_rate_at=None), "UTC")
    assert note(replace(STANDING, waiting=Owed(4, 0, unquoted=2)), "UTC").startswith("2 of these")


def test_budgets_and_files_are_named_with_their_units() -> None:
    assert amount(12_000, "SATS") == "12,000 sats"
    assert [scale(count) for count in (999, 182_599, 20_000_000)] == ["999", "182.5 k", "20 M"]
    tips = Budget("pp_1", "Tips", "SATS", 9_000_000, paid=6_635_100, reserved=0, expires_at=None)
    assert left_of(tips) == "2,364,900 of 9 M sats left"
    assert left_of(replace(tips, currency="USD")) == "23,649.00 of 90,000.00 USD left"
    assert amount(123_450, "USD") == "1,234.50 USD"
    assert amount(1_234, "JPY") == "1,234 JPY"
    assert contents(Figure(1, 2_100)) == "1 payout, 2,100 sats"
