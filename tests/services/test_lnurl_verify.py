from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from services.lnurl_verify import VerifyOutcome, judge_verify, proves_payment
from tests.mutations import ANY_TEXT, mutated
from tests.vector_files import rows, vectors

FILE = "lnurl.json"
BOUNDED = settings(max_examples=300, deadline=None, database=None)
PREIMAGE = "5d38e75ea63975d448c4938d115a9bfacc32f26de13f77c0ecf17d8add7e28ec"
PAYMENT_HASH = "66387dd6baae5e4035f2f77bb9bbadd60680de3d3a4505485523302ed784716d"
WORDS = {
    "settled, preimage proves it": VerifyOutcome.SETTLED,
    "claimed only": VerifyOutcome.CLAIMED,
    "pending": VerifyOutcome.PENDING,
    "unknown": VerifyOutcome.UNKNOWN,
}


@pytest.mark.parametrize("row", vectors(FILE, "lud21_verify"))
def test_a_verify_answer_is_judged_as_the_vector_expects(row: dict[str, Any]) -> None:
    verdict = judge_verify(orjson.dumps(row["json"]), row.get("payment_hash", PAYMENT_HASH))

    assert verdict.outcome == WORDS[row["expect"]]
    is_settled = verdict.outcome is VerifyOutcome.SETTLED
    assert verdict.preimage == (row["json"]["preimage"] if is_settled else None)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, VerifyOutcome.SETTLED),
        ({"preimage": PREIMAGE.upper()}, VerifyOutcome.SETTLED),
        ({"preimage": "00" * 32}, VerifyOutcome.FALSE_PROOF),
        ({"preimage": PREIMAGE + "00"}, VerifyOutcome.FALSE_PROOF),
        ({"preimage": 7}, VerifyOutcome.FALSE_PROOF),
        ({"preimage": ""}, VerifyOutcome.CLAIMED),
        ({"settled": "true"}, VerifyOutcome.UNKNOWN),
        ({"settled": 1}, VerifyOutcome.UNKNOWN),
        ({"settled": False}, VerifyOutcome.PENDING),
        ({"status": "ok"}, VerifyOutcome.UNKNOWN),
    ],
)
def test_only_a_preimage_that_hashes_to_ours_settles(
    changes: dict[str, Any], outcome: VerifyOutcome
) -> None:
    body = orjson.dumps({"status": "OK", "settled": True, "preimage": PREIMAGE, **changes})

    verdict = judge_verify(body, PAYMENT_HASH)

    assert verdict.outcome is outcome
    assert (verdict.preimage == PREIMAGE) == (outcome is VerifyOutcome.SETTLED)


def test_a_preimage_in_any_other_form_proves_nothing() -> None:
    assert proves_payment(PREIMAGE, PAYMENT_HASH.upper())
    for text in ("", " " + PREIMAGE, PREIMAGE[:-1], PREIMAGE + "\n", "zz" * 32):
        assert not proves_payment(text, PAYMENT_HASH)


@BOUNDED
@given(mutated([orjson.dumps(row["json"]).decode() for row in rows(FILE, "lud21_verify")]))
def test_a_damaged_answer_settles_only_with_the_right_preimage(text: str) -> None:
    verdict = judge_verify(text.encode("utf-8", "surrogatepass"), PAYMENT_HASH)

    assert verdict.preimage in {None, PREIMAGE}
    assert (verdict.outcome is VerifyOutcome.SETTLED) == (verdict.preimage is not None)


@BOUNDED
@given(ANY_TEXT)
def test_any_text_is_an_unknown_answer(text: str) -> None:
    verdict = judge_verify(text.encode("utf-8", "surrogatepass"), PAYMENT_HASH)

    assert verdict.outcome is VerifyOutcome.UNKNOWN
