"""What every answer of Flash to a send means: the table of design 6, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.flash import Pause, SendOutcome
from models.payout import SendAnswer
from services.flash.answers import (
    by_http_status,
    classify,
    is_unsupported,
    judge_probe,
    unreadable,
)

A = SendAnswer
GENERIC = "An unexpected error occurred. Please try again later."


def payload(status: str | None, code: str | None = None, message: str = "") -> dict[str, Any]:
    return {"status": status, "errors": [{"code": code, "message": message}]}


TABLE: list[tuple[str, Any, Any, SendAnswer, str | None]] = [
    ("success", {"status": "SUCCESS", "errors": []}, None, A.SETTLED, None),
    ("pending", {"status": "PENDING", "errors": []}, None, A.PENDING, None),
    (
        "failure without a word",
        {"status": "FAILURE", "errors": []},
        None,
        A.REFUSED,
        "payment_failed",
    ),
    ("failure, errors null", {"status": "FAILURE"}, None, A.REFUSED, "payment_failed"),
    (
        "too little money",
        payload("FAILURE", "INSUFFICIENT_BALANCE", "short"),
        None,
        A.REFUSED,
        "INSUFFICIENT_BALANCE",
    ),
    ("a bad LNURL", payload("FAILURE", "INVALID_LNURL"), None, A.REFUSED, "INVALID_LNURL"),
    ("bad input", payload("FAILURE", "INVALID_INPUT", "no"), None, A.REFUSED, "INVALID_INPUT"),
    (
        "a payment under way",
        payload("FAILURE", "INVALID_INPUT", "There is a Pending Payment for this invoice"),
        None,
        A.ERROR,
        "INVALID_INPUT",
    ),
    ("no status", payload(None, None, "Invalid WalletId"), None, A.REFUSED, "rejected"),
    (
        "failure, errors that cannot be read",
        {"status": "FAILURE", "errors": "x"},
        None,
        A.ERROR,
        "generic",
    ),
    (
        "failure, an error of no kind",
        {"status": "FAILURE", "errors": [0]},
        None,
        A.ERROR,
        "generic",
    ),
    (
        "failure, and an error beside it",
        {"status": "FAILURE", "errors": None},
        [{"message": "Cannot return null"}],
        A.ERROR,
        "generic",
    ),
    ("no status, no error", {"status": None, "errors": []}, None, A.UNKNOWN, "no_status"),
    (
        "the busy lock",
        payload("FAILURE", None, "ResourceAttemptsLockServiceError"),
        None,
        A.UNKNOWN,
        "busy_lock",
    ),
    ("a generic error", payload("FAILURE", None, GENERIC), None, A.ERROR, "generic"),
    ("IBEX", payload("FAILURE", "IBEX_ERROR"), None, A.ERROR, "IBEX_ERROR"),
    (
        "Lightning",
        payload("FAILURE", "LIGHTNING_PAYMENT_ERROR"),
        None,
        A.ERROR,
        "LIGHTNING_PAYMENT_ERROR",
    ),
    ("already paid", {"status": "ALREADY_PAID", "errors": []}, None, A.ERROR, "ALREADY_PAID"),
    ("client error", payload("FAILURE", "UNKNOWN_CLIENT_ERROR"), None, A.ERROR, None),
    ("database", payload("FAILURE", "DB_ERROR"), None, A.ERROR, "DB_ERROR"),
    ("internal", payload("FAILURE", "INTERNAL_SERVER_ERROR"), None, A.ERROR, None),
    ("a new status", {"status": "HELD", "errors": []}, None, A.ERROR, "HELD"),
    ("a new code", payload("FAILURE", "NEWS"), None, A.ERROR, "NEWS"),
    ("limited", payload("FAILURE", "TOO_MANY_REQUEST"), None, A.NOT_EXECUTED, "limited"),
    ("limited, no status", payload(None, "TOO_MANY_REQUEST"), None, A.NOT_EXECUTED, "limited"),
    (
        "limited at the door",
        None,
        [{"message": "slow", "extensions": {"code": "TOO_MANY_REQUESTS"}}],
        A.NOT_EXECUTED,
        "limited",
    ),
    (
        "not signed in",
        None,
        [{"message": "x", "extensions": {"code": "NOT_AUTHENTICATED"}}],
        A.NOT_EXECUTED,
        "unauthenticated",
    ),
    (
        "a key without the scope",
        None,
        [{"message": "API key missing required scope: write:wallet"}],
        A.NOT_EXECUTED,
        "unauthenticated",
    ),
    (
        "a field it does not know",
        None,
        [{"message": 'Field "idempotencyKey" is not defined by type "X".'}],
        A.REFUSED,
        "unsupported",
    ),
    (
        "a document it does not take",
        None,
        [{"message": "x", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}],
        A.REFUSED,
        "unsupported",
    ),
    (
        "its own mistake",
        None,
        [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}],
        A.ERROR,
        "INTERNAL_SERVER_ERROR",
    ),
    ("nothing at all", None, [], A.UNKNOWN, "empty"),
    ("nothing, null errors", None, None, A.UNKNOWN, "empty"),
]


@pytest.mark.parametrize(
    ("payload", "errors", "answer", "code"),
    [pytest.param(*row[1:], id=row[0]) for row in TABLE],
)
def test_every_answer_has_its_meaning(
    payload: Any, errors: Any, answer: SendAnswer, code: str | None
) -> None:
    outcome = classify(payload, errors)

    assert outcome.answer is answer
    assert code is None or outcome.code == code
    assert (outcome.message is None) is (answer in {A.SETTLED, A.PENDING})


@pytest.mark.parametrize(
    "message",
    [
        (
            'Variable "$input" got invalid value { paymentRequest: "%s", idempotencyKey: "k" };'
            ' Field "idempotencyKey" is not defined by type "LnInvoicePaymentInput".'
        ),
        (
            "Variable '$input' has invalid value: Expected value of type 'LnInvoicePaymentInput'"
            " not to include unknown field 'idempotencyKey', found: {'paymentRequest': '%s'}."
        ),
    ],
)
def test_an_unknown_field_is_seen_behind_however_long_an_input(message: str) -> None:
    errors = [{"message": message % ("lnbc1" * 200)}]

    assert is_unsupported(errors)
    outcome = classify(None, errors)
    assert (outcome.answer, outcome.code) == (A.REFUSED, "unsupported")
    assert "lnbc1" not in (outcome.message or "")


@pytest.mark.parametrize(
    ("status", "answer", "code", "pause"),
    [
        (400, A.REFUSED, "rejected", None),
        (401, A.NOT_EXECUTED, "unauthenticated", Pause.UNAUTHENTICATED),
        (429, A.NOT_EXECUTED, "limited", Pause.LIMITED),
        (403, A.UNKNOWN, "http_403", None),
        (404, A.UNKNOWN, "http_404", None),
        (500, A.UNKNOWN, "http_500", None),
        (502, A.UNKNOWN, "http_502", None),
        (503, A.UNKNOWN, "http_503", None),
        (504, A.UNKNOWN, "http_504", None),
    ],
)
def test_an_http_status_has_its_meaning(
    status: int, answer: SendAnswer, code: str, pause: Pause | None
) -> None:
    outcome = by_http_status(status)

    assert (outcome.answer, outcome.code, outcome.pause) == (answer, code, pause)


def test_a_limiter_says_how_long_to_wait() -> None:
    errors = [{"extensions": {"code": "TOO_MANY_REQUESTS", "retryAfterSeconds": 7}}]

    assert classify(None, errors).retry_after_s == 7
    assert by_http_status(429, 30).retry_after_s == 30


@pytest.mark.parametrize("outcome", [unreadable("cut"), unreadable("timeout")])
def test_silence_is_unknown_and_pauses_nothing(outcome: SendOutcome) -> None:
    assert outcome.answer is A.UNKNOWN
    assert outcome.pause is None


def test_long_words_of_a_stranger_are_cut() -> None:
    outcome = classify(payload("FAILURE", "NEWS", "x" * 10_000), None)

    assert outcome.message is not None
    assert len(outcome.message) <= 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=8,
)
ERROR = st.fixed_dictionaries(
    {}, optional={"code": JSON, "message": JSON, "extensions": JSON, "path": JSON}
)


@given(
    st.none() | st.fixed_dictionaries({"status": JSON}, optional={"errors": st.lists(ERROR)}),
    st.none() | st.lists(ERROR),
)
def test_no_answer_that_can_be_read_is_taken_for_money_that_moved_or_not(
    payload: Any, errors: Any
) -> None:
    outcome = classify(payload, errors)

    if outcome.answer is A.SETTLED:
        assert payload["status"] == "SUCCESS"
    if outcome.answer is A.PENDING:
        assert payload["status"] == "PENDING"


@pytest.mark.parametrize(
    ("payload", "errors", "is_refused"),
    [
        ({"amount": 0, "errors": []}, None, False),
        ({"amount": "NaN", "errors": "x"}, None, False),
        ({"amount": 3, "errors": [{"message": "x", "code": "IBEX_ERROR"}]}, None, True),
        ({"amount": None, "errors": [{"message": "no route", "code": None}]}, None, True),
        ({"errors": [{"message": "x", "code": "TOO_MANY_REQUEST"}]}, None, False),
        ({"errors": [{"message": "x", "code": "NOT_AUTHENTICATED"}]}, None, False),
        ({"errors": [{"message": "x", "code": "INSUFFICIENT_BALANCE"}]}, None, False),
        ({"errors": [{"message": "x", "code": "INTERNAL_SERVER_ERROR"}]}, None, False),
        (None, [{"message": "x"}], False),
        (None, None, False),
    ],
)
def test_only_a_probe_that_says_no_is_a_refusal(
    payload: Any, errors: Any, is_refused: bool
) -> None:
    outcome = judge_probe(payload, errors)

    assert outcome.refused is is_refused
    assert (outcome.code is not None) is is_refused
