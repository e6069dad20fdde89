"""Whole amounts, and which way each conversion rounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import (
    MAX_MSAT,
    MAX_SATS,
    Rate,
    ceil_div,
    format_minor,
    minor_exponent,
    parse_minor,
    to_sat_ceil,
)
from tests.support.clock import NOON

AMOUNTS = st.integers(1, MAX_MSAT)
PARTS = st.integers(1, 10**18)


def a_rate(numerator: int, denominator: int) -> Rate:
    return Rate("USD", numerator, denominator, "test", NOON)


@given(AMOUNTS)
def test_sats_are_rounded_up_and_never_by_more_than_one(amount_msat: int) -> None:
    sats = to_sat_ceil(amount_msat)

    assert sats * 1000 >= amount_msat > (sats - 1) * 1000
    assert 1 <= sats <= MAX_SATS


@given(st.integers(0, 10**30), PARTS)
def test_division_rounds_up(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)

    assert exact <= ceil_div(numerator, denominator) < exact + 1


@given(AMOUNTS, PARTS, PARTS)
def test_a_debit_is_rounded_up_and_a_worth_down(
    amount_msat: int, numerator: int, denominator: int
) -> None:
    rate = a_rate(numerator, denominator)
    exact = Fraction(amount_msat * numerator, 1000 * denominator)

    assert exact <= rate.minor_ceil(amount_msat) < exact + 1
    assert exact - 1 < rate.minor_floor(amount_msat) <= exact


@given(st.integers(0, 10**15), PARTS, PARTS)
def test_what_a_budget_buys_never_costs_more_than_the_budget(
    minor: int, numerator: int, denominator: int
) -> None:
    rate = a_rate(numerator, denominator)

    assert rate.minor_ceil(rate.msat_floor(minor)) <= minor


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1234, "USD", "12.34"),
        (5, "USD", "0.05"),
        (0, "EUR", "0.00"),
        (-150, "USD", "-1.50"),
        (1234, "JPY", "1234"),
        (1234, "SATS", "1234"),
        (1234, "BHD", "1.234"),
        (10**15, "USD", "10000000000000.00"),
    ],
)
def test_minor_units_are_printed_with_the_places_of_their_currency(
    amount: int, currency: str, shown: str
) -> None:
    assert format_minor(amount, currency) == shown


def test_a_currency_that_is_not_listed_has_two_places() -> None:
    assert minor_exponent("JMD") == 2


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("25000", "SATS", 25_000),
        ("1,250,000", "SATS", 1_250_000),
        (" 12.34 ", "USD", 1_234),
        ("12.3", "USD", 1_230),
        ("12", "USD", 1_200),
        ("0.125", "KWD", 125),
        ("12.5", "SATS", None),
        ("12.345", "USD", None),
        ("1,25", "USD", None),
        ("1.250,00", "USD", None),
        ("-5", "USD", None),
        ("٣", "SATS", None),
        ("", "USD", None),
        ("9" * 40, "SATS", None),
    ],
)
def test_an_amount_is_read_as_it_is_typed_and_never_rounded(
    text: str, currency: str, minor: int | None
) -> None:
    assert parse_minor(text, currency) == minor
