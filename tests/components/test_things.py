"""What lists of pull payments and cards send when something changes, and what they say."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from components.first_steps import FirstStepsPanel
from components.form_dialog import Field, FormDialog, Values
from components.pull_payment_list import PullPaymentList, row_of
from models.first_steps import FirstSteps, WalletSign, sign_of
from models.pull_payment import PullPayment, PullPaymentPhase, PullPaymentState, PullPaymentView
from tests.components.pages import Paper, paper
from tests.support.clock import NOON

PULL = PullPayment(
    id="pp_1",
    store_id="st_1",
    name="Tips <b>",
    currency="SATS",
    budget=100_000,
    reserved=0,
    paid=20_000,
    min_sats=1,
    max_sats=None,
    starts_at=NOON,
    expires_at=None,
    auto_approve=True,
    state=PullPaymentState.ACTIVE,
    claim_token_hash="",
    claim_token_sealed=b"",
    created_at=NOON,
)
JAVASCRIPT = "run_javascript"
NOTHING = FirstSteps(
    WalletSign.MISSING, has_pull_payment=False, has_card=False, has_keys_out=False, has_tap=False
)


def view(pull: PullPayment = PULL, waiting: int = 0) -> PullPaymentView:
    return PullPaymentView(pull, pull.phase(NOON), waiting)


async def _nothing() -> None:
    return


def listed(names: list[str]) -> list[PullPaymentView]:
    return [view(replace(PULL, id=f"pp_{name}", name=name)) for name in names]


async def sent_rows(page: Paper) -> list[str]:
    """Return the names of the rows that are sent again by themselves."""
    await asyncio.sleep(0.01)  # messages are put off until whoever sends could still await them
    codes = [data["code"] for _, kind, data in page.client.outbox.messages if kind == JAVASCRIPT]
    found = [json.loads(code.partition('"patch", ')[2][:-1]) for code in codes if "patch" in code]
    return [row["cells"][0]["lines"][0]["text"] for (rows,) in found for row in rows]


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, PullPaymentPhase.OPEN),
        ({"starts_at": NOON + timedelta(seconds=1)}, PullPaymentPhase.NOT_BEGUN),
        ({"expires_at": NOON}, PullPaymentPhase.ENDED),
        ({"paid": 100_000}, PullPaymentPhase.EMPTY),
        ({"paid": 99_995, "min_sats": 10}, PullPaymentPhase.EMPTY),
        ({"paid": 99_995, "min_sats": 10, "currency": "USD"}, PullPaymentPhase.OPEN),
        ({"state": PullPaymentState.ARCHIVED, "paid": 100_000}, PullPaymentPhase.ARCHIVED),
    ],
    ids=str,
)
def test_a_pull_payment_says_how_it_stands(
    changes: dict[str, object], phase: PullPaymentPhase
) -> None:
    assert replace(PULL, **changes).phase(NOON) is phase  # type: ignore[arg-type]


async def test_a_list_sends_only_the_rows_that_changed() -> None:
    with paper() as page:
        shown = PullPaymentList("UTC", None, _nothing)
        shown.show(listed(["b", "a"]), NOON, has_more=False)
        assert page.by_testid("pull-payments") in page.sent()

        shown.show(listed(["b", "a"]), NOON, has_more=False)
        paid = [view(replace(item.pull_payment, paid=30_000)) for item in listed(["b"])]
        shown.show([*paid, *listed(["a"])], NOON, has_more=False)

        assert page.sent() == set()
        assert await sent_rows(page) == ["b"]
        shown.show(listed(["c", "b", "a"]), NOON, has_more=False)
        assert page.by_testid("pull-payments") in page.sent()


def test_a_row_says_what_is_left_and_for_how_long() -> None:
    pull = replace(PULL, reserved=100, currency="USD", expires_at=NOON + timedelta(hours=7))

    name, state, left, paid, reserved, waiting, claims = row_of(view(pull, 2), NOON, "UTC")["cells"]

    assert [line["text"] for line in name["lines"]] == ["Tips <b>", "Ends 19:00"]
    assert state["text"] == "● Open"
    assert left["lines"][0]["text"] == "$799.00 of $1,000.00 · 20 % taken"
    assert [part["width"] for part in left["bar"]] == ["20.0%", "0.1%"]
    assert [part["text"] for part in (paid, reserved, waiting)] == ["$200.00", "$1.00", "2"]
    assert claims["text"] == "paid at once"


async def test_a_form_says_what_is_wrong_at_the_field_and_what_belongs_to_none_below() -> None:
    async def refuse(_values: Values) -> bool:
        return False

    with paper() as page:
        form = FormDialog("New", "Make it", refuse)
        form.open((Field("name", "Name"), Field("amount", "Budget")))

        form.show_errors({"amount": "give a whole number", "": "Payouts are paused."})

        said = [e.text for e in page.client.elements.values() if getattr(e, "text", "")]
        assert "Give a whole number." in said
        assert "Payouts are paused." in said
        form.show_errors({"other": "too many cards"})
        said = [e.text for e in page.client.elements.values() if getattr(e, "text", "")]
        assert "Too many cards." in said
        assert "Give a whole number." not in said


async def test_the_first_steps_say_what_is_missing_and_go_in_the_end() -> None:
    with paper() as page:
        panel = FirstStepsPanel("st_1")
        assert not page.by_testid("first-steps").visible

        panel.show(NOTHING)
        first = page.read("first-steps")
        panel.show(replace(NOTHING, wallet=WalletSign.SILENT, trouble="HTTP 503", has_card=True))
        then = page.read("first-steps")
        panel.show(replace(NOTHING, is_over=True))

        assert "Enter a token or an API key of Flash" in first
        assert "HTTP 503" in then
        assert "Open the card and program it" in then
        assert not page.by_testid("first-steps").visible


def test_a_connection_is_missing_silent_or_there() -> None:
    said = [
        sign_of(is_configured=False, is_connected=False, trouble=None),
        sign_of(is_configured=True, is_connected=False, trouble=None),
        sign_of(is_configured=True, is_connected=False, trouble="x"),
        sign_of(is_configured=True, is_connected=True, trouble="x"),
    ]

    assert said == ["missing", "connecting", "silent", "connected"]
