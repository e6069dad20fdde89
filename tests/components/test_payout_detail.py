"""What the modal of a payout tells, what it keeps folded, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from components.payout_detail import PayoutDetailDialog, took
from models.hold import Hold
from models.payout import AttemptState, PayeeHome
from models.payout_act import PossibleActs
from models.payout_detail import Advice, AttemptFacts, PayoutDetail
from models.payout_view import RateView
from models.quote import QUOTE_LOCK, Quote
from models.statement import Debit, DebitState, Proposal
from models.store import ActorKind
from models.success_action import ShownAction
from tests.components.pages import paper
from tests.components.test_filter_chips import view
from tests.support.builders import a_store
from tests.support.clock import NOON

RATE = RateView(105, 1_000, "flash", NOON - timedelta(seconds=40))
QUOTE = Quote("st_1", "po_1", 1, 12_000_500, 104, 1_000, "coingecko", NOON, NOON, NOON + QUOTE_LOCK)
HOLD = Hold(
    *("ho_1", "st_1", "po_1", "Ask <Bob> first", None, NOON, ActorKind.PERSON, "us_1", None, None)
)
DEBIT = Debit(
    attempt_id="at_1",
    store_id="st_1",
    payout_id="po_1",
    flash_wallet_id="w",
    state=DebitState.CLAIMED,
    expected_nanousd=12_345_678_000,
    msat_per_cent=1_000,
    row_id="row-7",
    amount_nanousd=12_345_678_900,
    fee_nanousd=2_000_000,
    logged_at=NOON,
    claimed_at=NOON,
)
ATTEMPT = AttemptFacts(
    number=1,
    state=AttemptState.SETTLED,
    home=PayeeHome.FOREIGN,
    payment_hash="ab" * 32,
    amount_msat=12_000_500,
    made_at=NOON,
    expires_at=NOON + timedelta(minutes=5),
    sends=2,
    debit=DEBIT,
)
PROPOSAL = Proposal("po_1", "st_1", "at_1", NOON, NOON + timedelta(minutes=5), "cb_1", None)
BARE = PayoutDetail(
    payout=view(currency="EUR", original_amount=1_250, attempts=0, destination="anna@example.com"),
    pull_payment=None,
    steps=[],
    invoice=None,
    advice=Advice("It was sent.", "Wait."),
    claim_text="Look for the hash.",
)


async def _act(*_args: Any) -> None:
    return


async def test_what_is_not_known_is_said_and_what_is_not_there_is_left_out() -> None:
    with paper() as page:
        dialog = PayoutDetailDialog(a_store(currency="USD"), _act, lambda: None)
        dialog.open(BARE, PossibleActs())
        told = page.read("payout-detail")

    assert "Asked €12.50" in told
    assert "Sent not fixed yet Fee not known yet" in told
    assert "Evidence none yet" in told
    for part in ("Rate", "Attempts and debits", "Holds", "Debited", "Preimage"):
        assert part not in told


async def test_quote_debits_holds_and_proposal_stand_in_folded_parts() -> None:
    full = replace(
        BARE,
        payout=replace(BARE.payout, rate=RATE, fee_msat=250, error_code="NO_ROUTE"),
        quotes=(QUOTE,),
        attempts=(ATTEMPT,),
        holds=(HOLD,),
        proposal=PROPOSAL,
        wallet_currency="USDT",
        names={"us_1": "alice@example.com"},
    )
    with paper() as page:
        dialog = PayoutDetailDialog(a_store(currency="USD"), _act, lambda: None)
        dialog.open(full, PossibleActs())
        told = page.read("payout-detail")
        parts = [e for e in page.by_testid("payout-detail").descendants() if e.tag == "details"]
        is_open = ["open" in part.props for part in parts]
        dialog._folds._open.add("Holds")
        dialog.refresh(full, PossibleActs())
        still = [e for e in page.by_testid("payout-detail").descendants() if e.tag == "details"]
        opened_again = ["open" in part.props for part in still]

    for words in (
        "$105,000.00 per BTC",
        "40 s old when used",
        "Quote 1 12,000.5 sats At €104,000.00 per BTC, Coingecko",
        "settled, found in the statement",
        "settled, 2 sends",
        "an invoice of another wallet",
        "Debited $12.3456789 Fee of it $0.002 Statement row row-7",
        "held now Reason Ask <Bob> first Placed",
        "by alice@example.com Until somebody releases it",
        "they agreed 20 Nov, 12:00:00 and 20 Nov, 12:05:00",
        "USDT wallet · code NO_ROUTE",
        "Fee 0.25 sats",
    ):
        assert words in told, words
    assert is_open == [True, False, False, False, False]
    assert opened_again == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (ShownAction("message", "Thank <you>", None, None), "The recipient says Thank <you>"),
        (ShownAction("url", "Seat", "https://a.example/1", None), "Seat https://a.example/1"),
        (ShownAction("aes", "Code", None, "open sesame"), "Code Secret open sesame Copy"),
        (ShownAction("aes", "Code", None, None), "a secret that only the preimage opens"),
    ],
    ids=str,
)
async def test_what_the_recipient_says_is_shown_once_it_is_paid(
    action: ShownAction, words: str
) -> None:
    with paper() as page:
        dialog = PayoutDetailDialog(a_store(currency="USD"), _act, lambda: None)
        dialog.open(replace(BARE, success_action=action), PossibleActs())
        told = page.read("payout-detail")
        links = [e for e in page.by_testid("success-action").descendants() if e.tag == "a"]

    assert words in told
    assert [link.props["rel"] for link in links] == ["noopener noreferrer"] * bool(action.url)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(7, "7 ms"), (1_190, "1.1 s"), (125_000, "2 min 5 s"), (10_920_000, "3 h 2 min")],
)
def test_how_long_it_took_is_told_in_what_one_counts_in(ms: int, words: str) -> None:
    assert took(timedelta(milliseconds=ms)) == words
