"""Scales, numbers and strangers' text of the charts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.chart_style import GRID_LINES, compact, counted, label, plain, scale


@pytest.mark.parametrize(
    ("peak", "top", "lines"),
    [
        (0, 1, [0, 1]),
        (1, 1, [0, 1]),
        (4, 4, [0, 1, 2, 3, 4]),
        (5, 5, [0, 2, 4]),
        (62, 70, [0, 20, 40, 60]),
        (17, 20, [0, 5, 10, 15, 20]),
        (271_000, 300_000, [0, 100_000, 200_000, 300_000]),
    ],
)
def test_a_scale_is_round(peak: int, top: int, lines: list[int]) -> None:
    assert scale(peak) == (top, lines)


@given(st.integers(0, 2_100_000_000_000_000))
def test_a_scale_holds_its_peak_and_wastes_little(peak: int) -> None:
    top, lines = scale(peak)

    assert peak <= top <= max(1, 2 * peak)
    assert lines[0] == 0
    assert lines[-1] <= top
    assert 2 <= len(lines) <= GRID_LINES + 1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (1_500, "1.5k"),
        (250_000, "250k"),
        (1_050_000, "1.05M"),
        (2_100_000_000_000_000, "2.1Q"),
    ],
)
def test_a_round_number_is_short(number: int, text: str) -> None:
    assert compact(number) == text


@given(st.integers(0, 10**20))
def test_a_short_number_is_exact(number: int) -> None:
    text = compact(number)
    power = {"k": 3, "M": 6, "B": 9, "T": 12, "Q": 15}.get(text[-1], 0)
    whole, _, rest = text.rstrip("kMBTQ").partition(".")

    assert int(whole) * 10**power + int(rest.ljust(power, "0") or 0) == number


def test_one_is_singular() -> None:
    assert [counted(number, "count") for number in (0, 1, 1_234)] == [
        "0 payouts",
        "1 payout",
        "1,234 payouts",
    ]
    assert counted(1, "amount") == "1 sat"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ("<a href='x'>pay</a> & go", "&lt;a href='x'&gt;pay&lt;/a&gt;…"),
        ("&lt;", "&amp;lt;"),
        ("", "–"),
        ("two\nlines", "two lines"),
        ("evil\u202etxt\u0000", "eviltxt"),
        ("a" * 30, "a" * 19 + "…"),
        ("東" * 30, "東" * 9 + "…"),
    ],
)
def test_strangers_text_is_shown_literally(text: str, shown: str) -> None:
    assert label(text, 20) == shown


@given(st.text(), st.integers(4, 40))
def test_no_text_opens_a_tag_or_an_entity(text: str, width: int) -> None:
    shown = label(text, width)

    assert "<" not in shown
    assert ">" not in shown
    assert "&" not in shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert len(plain(shown)) == len(shown) > 0
