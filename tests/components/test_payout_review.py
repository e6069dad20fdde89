"""What a new payout asks for, and what stands in its review before it is made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.pages.new_payout_form import fields_of, request_from
from components.countdown import Countdown
from components.payout_review import PayoutReview, Review
from models.errors import InvalidField
from models.payout_request import PayoutPreview
from models.quote import QUOTE_LOCK
from services.payout_requests import PayoutRequest
from tests.components.pages import paper
from tests.services.test_quotes import PREVIEW
from tests.support.builders import a_store
from tests.support.clock import NOON


async def _sent() -> bool:
    return True


def review(preview: PayoutPreview = PREVIEW) -> Review:
    return Review(
        preview=preview,
        fee="about $0.02, an estimate",
        cap="$0.38; if Flash expects more, it is not sent",
        memo="",
        pull_payment=None,
        currency="USD",
        zone_name="UTC",
        now=NOON + timedelta(minutes=5),
        warning="The wallet does not hold this much.",
    )


async def test_a_review_counts_down_what_its_amount_is_held_for() -> None:
    with paper() as page:
        PayoutReview(_sent, lambda: None).show(review())
        told = page.read("payout-review")
        inside = page.by_testid("payout-review").descendants()
        (left,) = [each for each in inside if isinstance(each, Countdown)]

    for words in (
        "worth $12.50 now",
        "The wallet does not hold this much.",
        "Fee about $0.02, an estimate Fee at most $0.38; if Flash expects more, it is not sent",
        "Rate $104,000.00 per BTC, Flash, 5 min old",
        "Amount holds until 12:15",
    ):
        assert words in told, words
    assert left.props["left"] == (QUOTE_LOCK - timedelta(minutes=5)) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("0.00025", "BTC", 25_000), ("1,000.50", "USD", 100_050), ("25,000", "SATS", 25_000)],
)
def test_an_amount_is_read_in_the_unit_that_was_chosen(
    text: str, currency: str, amount: int
) -> None:
    offered = next(each for each in fields_of(a_store(), (), {}) if each.name == "currency")
    asked = {"destination": "anna@example.com", "amount": text, "currency": currency}

    assert currency in dict(offered.options)
    assert request_from(asked) == PayoutRequest("anna@example.com", amount, currency)
    with pytest.raises(InvalidField, match=r"0\.00025"):
        request_from(asked | {"amount": "0.000000001", "currency": "BTC"})
