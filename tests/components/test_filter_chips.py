"""What a filter says in words, and what a row of the table says."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from components.filter_chips import chips_of
from components.payout_row import row_of, sats_of
from components.unit import Unit
from models.payout import PayoutKind
from models.payout_view import PayoutView
from models.states import PayoutState, PayoutStatus
from tests.support.clock import NOON

NAMES = {"card": "Reception", "pull_payment": "Tips"}
CASES: list[tuple[dict[str, str], list[str]]] = [
    ({}, []),
    ({"sort": "amount"}, []),
    ({"card": "bc_1", "pull_payment": "pp_1"}, ["Card: Reception", "Pull payment: Tips"]),
    ({"state": "needs_review"}, ["Exact state: needs review"]),
    ({"status": "pending,failed"}, ["Status: pending or failed"]),
    ({"min_sats": "10000"}, ["At least 10,000 sats"]),
    ({"max_sats": "5"}, ["At most 5 sats"]),
    ({"min_sats": "1000", "max_sats": "2000"}, ["1,000 to 2,000 sats"]),
    ({"from": "2026-11-01"}, ["From 1 Nov 2026"]),
    ({"to": "2026-11-01"}, ["Until 1 Nov 2026"]),
    ({"from": "2026-11-01", "to": "2026-11-01"}, ["On 1 Nov 2026"]),
    ({"from": "2026-11-01", "to": "2026-11-12"}, ["1 Nov 2026 to 12 Nov 2026"]),
    ({"from": "2026-11-01T10:00:00Z"}, ["From 2026-11-01T10:00:00Z"]),
    ({"q": "coffee"}, ["Text: coffee"]),
]


@pytest.mark.parametrize(("values", "words"), CASES)
def test_a_filter_is_told_in_words(values: dict[str, str], words: list[str]) -> None:
    assert [chip.text for chip in chips_of(values, NAMES)] == words


def test_every_chip_takes_away_what_it_says() -> None:
    values = {name: text for case, _ in CASES for name, text in case.items() if name != "sort"}

    for chip in chips_of(values, {}):
        values = {name: text for name, text in values.items() if name not in chip.fields}

    assert values == {}
    assert chips_of({"from": "2026-11-01"}, {}, shows_range=False) == []


def view(**changes: Any) -> PayoutView:
    given: dict[str, Any] = dict.fromkeys(field.name for field in fields(PayoutView))
    given |= {"id": "po_1", "kind": PayoutKind.CLAIM, "created_at": NOON, "metadata": {}}
    given |= {"state": PayoutState.IN_FLIGHT, "status": PayoutStatus.PROCESSING}
    return PayoutView(**given | changes)


def test_a_row_says_what_is_known_and_nothing_else() -> None:
    dollars = Unit("fiat", "USD")

    bare = row_of(view(), dollars)
    full = row_of(
        view(
            amount_sats=21,
            value_cents=105,
            fee_msat=1_250,
            boltcard_alias="Reception",
            pull_payment_name="Tips",
            completed_at=NOON + timedelta(seconds=1),
        ),
        dollars,
        fresh=True,
    )

    known = ("amount", "worth", "fee", "completed")
    assert [bare[name] for name in known] == [None] * 4
    assert (bare["card"], bare["pull"], bare["state"]) == ("Link", "–", "in flight")
    assert [full[name] for name in known] == [21, "$1.05", "1.25", "2026-11-20T12:00:01.000Z"]
    assert (full["card"], full["pull"], full["fresh"]) == ("Reception", "Tips", True)
    assert row_of(view(boltcard_uid="04ab"), dollars)["card"] == "04ab (said)"
    assert [sats_of(msat) for msat in (0, 1, 1_000, 12_340_000)] == ["0", "0.001", "1", "12,340"]
