"""Slices of the audit that stay short however much a card was tapped or a budget paid out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.card import KeySet
from services.storage import contradiction_books as books
from services.storage.statement import Transaction
from tests.support.builders import a_pull_payment, cards, new_id, plant, pull_payments
from tests.support.clock import NOON
from tests.support.databases import Raw, raw

TAPPED = (4_000, 900, 200, 6_000, 10, 20)


def slices(tx: Transaction, store_id: str) -> list[int]:
    looked, after = [], ""
    while True:
        found = books.look_at_cards(tx, store_id, after, NOON)
        assert found.findings == ()
        looked.append(found.looked)
        if found.after is None:
            return looked
        after = found.after


def test_cards_that_are_tapped_much_are_looked_at_few_at_a_time(
    beneath: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    with beneath.transaction() as tx:
        ground = plant(tx)
        for number, counter in enumerate(TAPPED):
            cards.add_key_set(
                tx,
                KeySet(
                    id=f"ks_{number}",
                    store_id=ground.store.id,
                    card_id=ground.card.id,
                    version=number,
                    is_current=number == 0,
                    k1_hash=new_id("k1"),
                    keys_sealed=b"sealed",
                    last_counter=counter,
                    created_at=NOON,
                ),
            )

        assert slices(tx, ground.store.id) == [2, 1, 1, 2]
        monkeypatch.setattr(books, "TAP_SLICE", 10**9)
        assert slices(tx, ground.store.id) == [6]


def test_budgets_are_looked_at_one_at_a_time(beneath: Raw) -> None:
    with beneath.transaction() as tx:
        ground = plant(tx)
        other = replace(a_pull_payment(ground.store), id=f"{ground.pull_payment.id}x", paid=5)
        pull_payments.add_pull_payment(tx, other)

        first = books.look_at_budgets(tx, ground.store.id, "", NOON)
        second = books.look_at_budgets(tx, ground.store.id, first.after or "", NOON)

        assert (first.looked, first.after) == (1, ground.pull_payment.id)
        assert {finding.subject for finding in second.findings} == {other.id}
        assert second.after == other.id
        assert books.look_at_budgets(tx, ground.store.id, other.id, NOON).after is None


def test_an_account_is_added_up_from_an_index_alone(sqlite_url: str) -> None:
    with raw(sqlite_url) as beneath:
        found = books._ACCOUNT.statement.compiled("sqlite")
        plan = beneath._connection.execute(
            f"EXPLAIN QUERY PLAN {found.sql}",
            found.bind({"store_id": "", "after": "", "until": ""}),
        ).fetchall()
        assert any("COVERING INDEX ix_ledger_account" in row[-1] for row in plan), plan
