from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvoiceError
from models.invoice import Invoice
from services import bech32, bolt11
from tests.invoices import (
    TEST_KEY,
    TEST_PAYEE,
    ordinary_fields,
    sign_fields,
    sign_invoice,
)
from tests.mutations import ANY_TEXT, mutated
from tests.vector_files import rows, vectors

FILE = "bolt11.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
NOW_S = 1_760_000_010
VALID = [row["invoice"] for row in rows(FILE, "valid")]


def refusal(text: str) -> str | None:
    try:
        bolt11.decode(text)
    except InvoiceError as error:
        return error.reason if error.message.endswith(".") else error.message
    return None


def payable_refusal(invoice: Invoice, **changes: Any) -> str | None:
    context: dict[str, Any] = {
        "now_s": NOW_S,
        "network": "bitcoin",
        "min_msat": 1000,
        "max_msat": 100_000_000,
        "min_seconds_left": 30,
    }
    try:
        bolt11.check_payable(invoice, **{**context, **changes})
    except InvoiceError as error:
        return error.reason
    return None


@pytest.mark.parametrize("row", vectors(FILE, "valid"))
def test_a_valid_invoice_says_what_the_vector_expects(row: dict[str, Any]) -> None:
    expected = row["expect"]

    invoice = bolt11.decode(row["invoice"])

    assert invoice.text == row["invoice"].lower()
    assert invoice.network == expected["network"]
    assert invoice.amount_msat == expected["amount_msat"]
    assert invoice.timestamp_s == expected["timestamp"]
    assert invoice.expiry_s == expected["expiry"]
    assert invoice.payment_hash == expected["payment_hash"]
    assert invoice.payment_secret == expected["payment_secret"]
    assert invoice.description == expected["description"]
    assert invoice.description_hash == expected["description_hash"]
    assert invoice.payee == expected["payee"]
    assert invoice.min_final_cltv == expected["min_final_cltv_expiry"]
    assert list(invoice.features) == expected["features"]


@pytest.mark.parametrize("row", vectors(FILE, "invalid"))
def test_an_invalid_invoice_is_refused_with_the_reason_of_the_vector(row: dict[str, Any]) -> None:
    assert refusal(row["invoice"]) == row["reason"]


@pytest.mark.parametrize("row", vectors(FILE, "policy"))
def test_policy_accepts_and_refuses_as_the_vector_expects(row: dict[str, Any]) -> None:
    context = row["context"]
    invoice = bolt11.decode(row["invoice"])

    reason = payable_refusal(
        invoice,
        now_s=context["now"],
        network=context["network"],
        min_msat=context["min_msat"],
        max_msat=context["max_msat"],
        min_seconds_left=context["min_seconds_left"],
        seen_payment_hashes=context.get("seen_payment_hashes", ()),
    )

    assert reason == row["reason"]
    assert (reason is None) == (row["expect"] == "accept")


@pytest.mark.parametrize("scheme", ["lightning:", "LIGHTNING:", "Lightning:"])
def test_a_lightning_prefix_is_dropped_in_any_case(scheme: str) -> None:
    text = sign_invoice()

    assert bolt11.decode(scheme + text).text == text
    assert bolt11.decode(scheme + text.upper()).text == text


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("lnltc10u", "unknown_network"),
        ("ln10u", "unknown_network"),
        ("lnbcm", "bad_amount"),
        ("lnbc1x2u", "bad_amount"),
        ("lnbc-1u", "bad_amount"),
        ("lnbc0u", "amount_zero"),
        ("lnbc00u", "amount_leading_zero"),
        ("lnbc10k", "bad_multiplier"),
        ("lnbc1p", "sub_millisatoshi"),
        ("lnbc21000001", "amount_too_large"),
        (f"lnbc{'9' * 40}p", "amount_too_large"),
        ("bc10u", "not_an_invoice"),
        ("lnurl", "unknown_network"),
    ],
)
def test_a_prefix_that_cannot_be_understood_is_refused(prefix: str, reason: str) -> None:
    assert refusal(sign_fields(prefix, ordinary_fields())) == reason


def test_all_bitcoin_there_will_be_can_be_written_in_any_unit() -> None:
    everything_msat = 21_000_000 * 10**11

    for prefix in ("lnbc21000000", "lnbc21000000000000000000p"):
        invoice = bolt11.decode(sign_fields(prefix, ordinary_fields()))
        assert invoice.amount_msat == everything_msat


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"p": None}, "no_payment_hash"),
        ({"s": None}, "no_payment_secret"),
        ({"d": None}, "no_description"),
        ({"h": bech32.bytes_to_digits(bytes(32))}, "two_descriptions"),
        ({"d": bech32.bytes_to_digits(b"\xff\xfe")}, "bad_description"),
        ({"d": bech32.bytes_to_digits(b"a\x00b")}, "bad_description"),
        ({"x": "v" * 1023}, "expiry_too_large"),
        ({"c": "v" * 7}, "bad_min_final_cltv"),
        ({"9": "1" + "0" * 1000}, "unknown_even_feature"),
        ({"n": bech32.bytes_to_digits(b"\x02" + b"\xff" * 32)}, "bad_signature"),
    ],
)
def test_a_field_that_breaks_the_rules_is_refused(
    changes: dict[str, str | None], reason: str
) -> None:
    fields = {**ordinary_fields(), **changes}

    text = sign_fields("lnbc10u", {tag: value for tag, value in fields.items() if value})

    assert refusal(text) == reason


def test_empty_numbers_and_unknown_fields_do_no_harm() -> None:
    fields = {**ordinary_fields(), "x": "", "c": "", "9": "", "q": "vvv", "r": "00", "f": ""}

    invoice = bolt11.decode(sign_fields("lnbc10u", fields))

    assert (invoice.expiry_s, invoice.min_final_cltv, invoice.features) == (0, 0, ())
    assert invoice.route_hint_count == 1


def test_a_named_payee_is_checked_against_the_signature() -> None:
    invoice = bolt11.decode(sign_invoice(names_payee=True))

    assert invoice.payee == TEST_PAYEE


def test_text_beyond_the_limit_is_refused_before_any_work() -> None:
    assert refusal("lnbc1" + "q" * 1_000_000) == "too_long"
    assert refusal("lightning:") == "empty"


@pytest.mark.parametrize("junk", [" ", "\n", "\x00", "?x=y", "#"])
def test_trailing_junk_is_refused(junk: str) -> None:
    assert refusal(sign_invoice() + junk) == "bad_char"


def test_an_invoice_expires_in_the_very_second_it_names() -> None:
    invoice = bolt11.decode(sign_invoice(timestamp_s=NOW_S, expiry_s=60))

    assert payable_refusal(invoice, now_s=NOW_S + 30) is None
    assert payable_refusal(invoice, now_s=NOW_S + 31) == "expires_too_soon"
    assert payable_refusal(invoice, now_s=NOW_S + 60) == "expired"


def test_a_clock_ten_minutes_apart_is_forgiven_and_no_more() -> None:
    assert payable_refusal(bolt11.decode(sign_invoice(timestamp_s=NOW_S + 600))) is None
    late = bolt11.decode(sign_invoice(timestamp_s=NOW_S + 601))

    assert payable_refusal(late) == "timestamp_in_future"


def test_amount_bounds_are_inclusive() -> None:
    def with_amount(amount_msat: int | None) -> str | None:
        return payable_refusal(bolt11.decode(sign_invoice(amount_msat=amount_msat)))

    assert with_amount(None) == "no_amount"
    assert with_amount(999) == "below_min"
    assert with_amount(1000) is None
    assert with_amount(100_000_000) is None
    assert with_amount(100_000_001) == "above_max"


def test_a_payment_secret_does_not_show_in_a_repr() -> None:
    assert "11" * 32 not in repr(bolt11.decode(sign_invoice()))


@BOUNDED
@given(
    amount_msat=st.one_of(st.none(), st.integers(1, 21_000_000 * 10**11)),
    payment_hash=st.binary(min_size=32, max_size=32),
    timestamp_s=st.integers(0, 2**35 - 1),
    expiry_s=st.integers(0, 10**8),
    description=st.text(max_size=80).filter(lambda text: "\0" not in text),
    network=st.sampled_from(["bc", "tb", "tbs", "bcrt"]),
    names_payee=st.booleans(),
)
def test_what_is_signed_is_what_is_read(
    amount_msat: int | None,
    payment_hash: bytes,
    timestamp_s: int,
    expiry_s: int,
    description: str,
    network: str,
    names_payee: bool,
) -> None:
    text = sign_invoice(
        TEST_KEY,
        network=network,
        amount_msat=amount_msat,
        payment_hash=payment_hash,
        timestamp_s=timestamp_s,
        expiry_s=expiry_s,
        description=description,
        names_payee=names_payee,
    )

    invoice = bolt11.decode(text)

    assert invoice.text == text
    assert invoice.amount_msat == amount_msat
    assert invoice.payment_hash == payment_hash.hex()
    assert (invoice.timestamp_s, invoice.expires_at_s) == (timestamp_s, timestamp_s + expiry_s)
    assert (invoice.description, invoice.payee) == (description, TEST_PAYEE)


@pytest.mark.parametrize("row_id", ["spec-valid-01", "spec-valid-02", "spec-valid-04"])
def test_the_encoder_writes_the_examples_of_bolt_11_letter_by_letter(row_id: str) -> None:
    row = next(row for row in rows(FILE, "valid") if row["id"] == row_id)
    expected = row["expect"]
    digest = expected["description_hash"]

    text = sign_invoice(
        amount_msat=expected["amount_msat"],
        payment_hash=bytes.fromhex(expected["payment_hash"]),
        timestamp_s=expected["timestamp"],
        expiry_s=expected["expiry"],
        description=expected["description"] or "",
        description_hash=bytes.fromhex(digest) if digest else None,
    )

    assert text == row["invoice"]


def test_the_encoder_writes_what_differs_from_the_defaults_and_no_more() -> None:
    invoice = bolt11.decode(sign_invoice(min_final_cltv=144, features=()))

    assert (invoice.min_final_cltv, invoice.features) == (144, ())
    assert len(sign_invoice(min_final_cltv=144)) > len(sign_invoice(min_final_cltv=18))


@BOUNDED
@given(mutated(VALID))
def test_a_damaged_invoice_raises_nothing_but_invoice_error(text: str) -> None:
    refusal(text)


@BOUNDED
@given(ANY_TEXT)
def test_any_text_raises_nothing_but_invoice_error(text: str) -> None:
    refusal(text)
    refusal("lnbc1" + text)


@BOUNDED
@given(mutated([text.lower() for text in VALID], "qpzry9x8gf2tvdw0s3jn54khce6mua7l1"))
def test_damage_under_a_right_checksum_raises_nothing_but_invoice_error(text: str) -> None:
    prefix, _, letters = text.rpartition("1")
    digits = bech32.letters_to_digits(letters)

    refusal(bech32.join(prefix or "lnbc", digits[:-6]))
