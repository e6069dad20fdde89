from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import GatewayError, InvalidField, InvoiceError
from models.success_action import SuccessAction
from services import bolt11, lnurl_pay
from services.success_action import read_success_action
from tests.invoices import sign_invoice
from tests.mutations import mutated
from tests.vector_files import vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
NOW_S = 1_760_000_000
OFFER: dict[str, Any] = {
    "tag": "payRequest",
    "callback": "https://x.example/cb?id=7",
    "minSendable": 1000,
    "maxSendable": 1_000_000,
    "metadata": '[["text/plain","a"],["text/long-desc","b"],["text/identifier","kim@x.example"]]',
    "commentAllowed": 5,
}
ANSWER: dict[str, Any] = {
    "pr": "lnbc1",
    "routes": [],
    "verify": "https://x.example/verify/1",
    "successAction": {"tag": "message", "message": "Thanks"},
}
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def offer(**changes: Any) -> lnurl_pay.PayOffer:
    return lnurl_pay.read_offer(orjson.dumps({**OFFER, **changes}))


def answer(**changes: Any) -> lnurl_pay.PayAnswer:
    return lnurl_pay.read_pay_answer(orjson.dumps({**ANSWER, **changes}), offer())


def verdict(row: dict[str, Any]) -> str:
    """What a payer does about a vector's offer and the invoice it led to."""
    response, requested_msat = row["response"], row["requested_msat"]
    try:
        read = lnurl_pay.read_offer(orjson.dumps(response))
        lnurl_pay.pay_url(read, requested_msat)
    except (GatewayError, InvalidField):
        return "refuse_before_callback"
    digest = (
        "00" * 32
        if "h tag differs" in row["why"]
        else lnurl_pay.description_hash(response["metadata"])
    )
    text = sign_invoice(
        amount_msat=row["invoice_msat"],
        timestamp_s=NOW_S,
        expiry_s=60,
        description_hash=bytes.fromhex(digest),
    )
    try:
        notes = check(text, read, requested_msat, 90 if "expired" in row["why"] else 0)
    except InvoiceError:
        return "refuse"
    action = response.get("successAction_in_callback")
    if action and read_success_action(action, read.callback) is None:
        return "pay_hide_action"
    return "pay_with_note" if notes else "pay"


def check(text: str, read: lnurl_pay.PayOffer, amount_msat: int, age_s: int) -> tuple[str, ...]:
    invoice = bolt11.decode(text)
    notes = lnurl_pay.check_amount(invoice, read, amount_msat)
    bolt11.check_payable(
        invoice,
        now_s=NOW_S + age_s,
        network="bitcoin",
        min_msat=1,
        max_msat=10**12,
        min_seconds_left=10,
    )
    return notes


@pytest.mark.parametrize("row", vectors(FILE, "lud06_payer_checks"))
def test_a_payer_does_what_the_vector_expects(row: dict[str, Any]) -> None:
    assert verdict(row) == row["expect"]


@pytest.mark.parametrize("row", vectors(FILE, "lud06_metadata"))
def test_metadata_is_judged_and_hashed_as_the_vector_expects(row: dict[str, Any]) -> None:
    hashed = lnurl_pay.description_hash(row["metadata"], row["payerdata"] or "")

    assert hashed == row["sha256"]
    if row["valid"]:
        assert lnurl_pay.read_metadata(row["metadata"]).text
        return
    with pytest.raises(GatewayError):
        lnurl_pay.read_metadata(row["metadata"])


def test_an_offer_is_read_with_all_that_is_shown_of_it() -> None:
    read = offer()

    assert (read.min_msat, read.max_msat, read.comment_length_max) == (1000, 1_000_000, 5)
    assert read.metadata == lnurl_pay.Metadata("a", "b", "kim@x.example")
    assert read.raw_metadata == OFFER["metadata"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ERROR", "reason": "no\u202e such name"},
        {"tag": "withdrawRequest"},
        {"callback": None},
        {"callback": "http://x.example/cb"},
        {"callback": "https://10.0.0.1/cb"},
        {"metadata": [["text/plain", "a"]]},
        {"metadata": "["},
        {"metadata": "[]"},
        {"metadata": '["text/plain"]'},
        {"metadata": '[["text/plain"]]'},
        {"metadata": '[["text/plain",1]]'},
        {"metadata": '[[1,"text/plain"],["text/plain","a"]]'},
        {"minSendable": 0},
        {"minSendable": "1000"},
        {"minSendable": True},
        {"minSendable": 1000.0},
        {"maxSendable": None},
        {"payerData": []},
    ],
)
def test_an_offer_that_breaks_the_rules_is_not_asked_any_further(changes: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as refused:
        offer(**changes)

    assert refused.value.message


def test_a_service_s_own_reason_is_passed_on_in_plain_text() -> None:
    with pytest.raises(GatewayError, match=r"says: no such name$"):
        offer(status="ERROR", reason="no\u202e such name")
    with pytest.raises(GatewayError, match=r"says: error$"):
        offer(status="ERROR", reason=None)


def test_details_about_the_payer_are_given_to_nobody() -> None:
    assert offer(payerData={"name": {"mandatory": False}, "odd": 1}) == offer()
    with pytest.raises(InvalidField) as refused:
        offer(payerData={"auth": {"mandatory": True, "k1": "x"}})

    assert refused.value.field == "destination"


@pytest.mark.parametrize(
    ("amount_msat", "comment", "field"),
    [(999, None, "amount"), (1_000_001, None, "amount"), (1000, "six of", "comment")],
)
def test_what_the_offer_does_not_take_is_not_asked_for(
    amount_msat: int, comment: str | None, field: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        lnurl_pay.pay_url(offer(), amount_msat, comment)

    assert refused.value.field == field


def test_amount_and_comment_are_put_behind_the_callback_s_own_query() -> None:
    url = lnurl_pay.pay_url(offer(), 1000, "a b")

    assert url == "https://x.example/cb?id=7&amount=1000&comment=a%20b"


@pytest.mark.parametrize("comment_allowed", [None, -1, "9", True, 1.5])
def test_comments_are_off_unless_a_number_allows_them(comment_allowed: object) -> None:
    assert offer(commentAllowed=comment_allowed).comment_length_max == 0


def test_an_answer_holds_an_invoice_and_where_to_verify_it() -> None:
    assert answer() == lnurl_pay.PayAnswer(
        "lnbc1", "https://x.example/verify/1", SuccessAction("message", "Thanks")
    )
    assert answer(verify="https://127.0.0.1/", successAction=7).verify_url is None
    assert answer(verify=None, successAction=None).success_action is None


@pytest.mark.parametrize("pr", [None, "", 5, ["lnbc1"]])
def test_an_answer_without_an_invoice_is_unusable(pr: object) -> None:
    with pytest.raises(GatewayError):
        answer(pr=pr)


def test_an_invoice_must_be_over_exactly_the_amount_asked_for() -> None:
    for amount_msat, reason in ((None, "no_amount"), (1001, "amount_mismatch")):
        invoice = bolt11.decode(sign_invoice(amount_msat=amount_msat))
        with pytest.raises(InvoiceError) as refused:
            lnurl_pay.check_amount(invoice, offer(), 1000)
        assert refused.value.reason == reason


def only_named_errors(call: Callable[[], object]) -> None:
    with suppress(GatewayError, InvalidField):
        call()


@BOUNDED
@given(st.sampled_from(sorted(OFFER)), ANY_JSON)
def test_any_value_in_any_field_of_an_offer_raises_nothing_but_named_errors(
    field: str, value: object
) -> None:
    only_named_errors(lambda: offer(**{field: value}))
    only_named_errors(lambda: offer(payerData=value, metadata=orjson.dumps(value).decode()))


@BOUNDED
@given(st.sampled_from([*sorted(ANSWER), "status"]), ANY_JSON)
def test_any_value_in_any_field_of_an_answer_raises_nothing_but_named_errors(
    field: str, value: object
) -> None:
    only_named_errors(lambda: answer(**{field: value}))
    only_named_errors(
        lambda: answer(successAction={"tag": "url", "description": "x", "url": value})
    )


@BOUNDED
@given(mutated([orjson.dumps(OFFER).decode(), orjson.dumps(ANSWER).decode(), "[" * 2000]))
def test_a_damaged_body_raises_nothing_but_named_errors(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")

    only_named_errors(lambda: lnurl_pay.read_offer(body))
    only_named_errors(lambda: lnurl_pay.read_pay_answer(body, offer()))
