from __future__ import annotations

import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidField, WithdrawError
from services import lnurl_withdraw
from services.plain_text import plain_text
from tests.mutations import ANY_TEXT
from tests.vector_files import vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
PIN_OUTCOMES = {
    "pin_required": "error_pin_required",
    "bad_pin_format": "error_bad_pin_format",
    "wrong_pin": "error_wrong_pin",
}


def request(**changes: Any) -> lnurl_withdraw.JsonObject:
    fields: dict[str, Any] = {
        "callback": "https://x.example/cb",
        "k1": "k",
        "description": "d",
        "min_msat": 1000,
        "max_msat": 2000,
    }
    return lnurl_withdraw.withdraw_request(**{**fields, **changes})


def built_from(answer: dict[str, Any]) -> lnurl_withdraw.JsonObject:
    if "status" in answer:
        return lnurl_withdraw.error(answer["reason"])
    return request(
        callback=answer["callback"],
        k1=answer.get("k1", ""),
        description=answer["defaultDescription"],
        min_msat=answer["minWithdrawable"],
        max_msat=answer["maxWithdrawable"],
        pay_link=answer.get("payLink"),
        balance_check=answer.get("balanceCheck"),
    )


@pytest.mark.parametrize("row", vectors(FILE, "lud03_responses"))
def test_only_answers_that_wallets_take_can_be_built(row: dict[str, Any]) -> None:
    answer = row["json"]
    if row["valid"]:
        assert built_from(answer) == answer
        return

    with pytest.raises(InvalidField):
        built_from(answer)


@pytest.mark.parametrize(
    ("min_msat", "max_msat", "bounds"),
    [
        (1000, 2000, (1000, 2000)),
        (0, 2000, (1, 2000)),
        (-5, 2000, (1, 2000)),
        (1000, 999, (0, 0)),
        (1000, 0, (0, 0)),
        (1000, -7, (0, 0)),
        (0, 0, (0, 0)),
        (5, 5, (5, 5)),
    ],
)
def test_bounds_that_leave_nothing_become_zero(
    min_msat: int, max_msat: int, bounds: tuple[int, int]
) -> None:
    answer = request(min_msat=min_msat, max_msat=max_msat)

    assert (answer["minWithdrawable"], answer["maxWithdrawable"]) == bounds


@BOUNDED
@given(st.integers(-(10**19), 10**19), st.integers(-(10**19), 10**19))
def test_bounds_are_never_negative_and_never_crossed(min_msat: int, max_msat: int) -> None:
    answer = request(min_msat=min_msat, max_msat=max_msat)

    lower, upper = answer["minWithdrawable"], answer["maxWithdrawable"]
    assert isinstance(lower, int)
    assert isinstance(upper, int)
    assert 0 <= lower <= upper <= max(max_msat, 0)


def test_optional_fields_are_left_out_unless_asked_for() -> None:
    assert set(request()) == {
        "tag",
        "callback",
        "k1",
        "defaultDescription",
        "minWithdrawable",
        "maxWithdrawable",
    }
    full = request(
        pin_limit_msat=0, pay_link="lnurlp://x.example/p", balance_check="https://x.example/w"
    )
    assert (full["pinLimit"], full["payLink"]) == (1, "lnurlp://x.example/p")
    assert (full["balanceCheck"], full["currentBalance"]) == ("https://x.example/w", 2000)


def test_clear_text_is_taken_for_onions_and_on_loopback_only() -> None:
    callback = "http://127.0.0.1:8080/lnurlw/cb"

    assert request(callback=callback)["callback"] == callback
    assert request(callback="http://shop.onion/cb")["callback"] == "http://shop.onion/cb"
    assert request(callback="https://till.local/cb")["callback"] == "https://till.local/cb"
    for url in ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1@evil.example/cb"):
        with pytest.raises(InvalidField):
            request(callback=url)


def test_ok_is_all_that_ok_says() -> None:
    assert lnurl_withdraw.ok() == {"status": "OK"}


def test_a_reason_is_one_short_plain_line() -> None:
    reason = lnurl_withdraw.error("limit\u202e reached\r\n<b>" + "x" * 200)["reason"]

    assert isinstance(reason, str)
    assert reason.startswith("limit reached <b>xxx")
    assert len(reason) == 90
    assert lnurl_withdraw.error("\u200b\n")["reason"] == "Something went wrong."


@BOUNDED
@given(ANY_TEXT, st.integers(1, 120))
def test_plain_text_keeps_only_what_can_be_shown(text: str, limit: int) -> None:
    line = plain_text(text, limit)

    assert len(line) <= limit
    assert all(unicodedata.category(c)[0] not in "CZ" or c == " " for c in line)
    assert plain_text(line, limit) == line
    orjson.dumps(lnurl_withdraw.error(text))


@pytest.mark.parametrize("row", vectors(FILE, "pin_limit_draft"))
def test_a_pin_is_judged_as_the_vector_expects(row: dict[str, Any]) -> None:
    outcome = "pay"
    try:
        lnurl_withdraw.check_pin(
            row["invoice_msat"],
            row["pinLimit_msat"],
            row["pin_sent"],
            lambda pin: bool(pin == row["pin_set"]),
        )
    except WithdrawError as error:
        outcome = PIN_OUTCOMES[error.reason]

    assert outcome == row["expect"]


def test_the_right_pin_passes_and_is_asked_about_once() -> None:
    asked: list[str] = []

    def is_right(pin: str) -> bool:
        asked.append(pin)
        return True

    lnurl_withdraw.check_pin(5, 5, "0042", is_right)

    assert asked == ["0042"]


def test_a_card_without_a_pin_asks_for_none() -> None:
    assert not lnurl_withdraw.pin_needed(10**12, None)
    assert lnurl_withdraw.pin_needed(0, 0)
    lnurl_withdraw.check_pin(10**12, None, "abc", lambda _: False)


@pytest.mark.parametrize("pin", ["123456789", "12 4", "\u0661\u0662", "-123", "1234\n"])
def test_a_malformed_pin_is_not_even_compared(pin: str) -> None:
    with pytest.raises(WithdrawError) as refused:
        lnurl_withdraw.check_pin(5, 5, pin, lambda _: pytest.fail("compared"))

    assert refused.value.reason == "bad_pin_format"
