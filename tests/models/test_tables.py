"""What the tables refuse, whoever asks: changed books, impossible numbers, unknown words."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest

from models.payout import EvidenceGrade
from models.states import PayoutState, PayoutStatus
from models.store import SYSTEM
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage.audit import add_audit
from tests.support.builders import Ground, a_payout, an_attempt, plant
from tests.support.clock import NOON
from tests.support.databases import Raw

Refused = (sqlite3.IntegrityError, psycopg.errors.RaiseException, psycopg.errors.IntegrityError)


@pytest.fixture
def ground(beneath: Raw) -> Ground:
    """A store with a payout, an audit row, and the book and events that belong to them."""
    with beneath.transaction() as tx:
        ground = plant(tx)
        payouts.create(tx, a_payout(ground.store), SYSTEM)
        add_audit(tx, ground.store.id, SYSTEM, "store.created", now=NOON)
    return ground


@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize("table", ["ledger", "payout_events", "audit"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET store_id = store_id", "DELETE FROM {}"])
def test_a_book_takes_no_change(beneath: Raw, table: str, verb: str) -> None:
    before = beneath.rows(f"SELECT * FROM {table}")
    assert before

    with pytest.raises(Refused, match=f"{table} is append-only"):
        beneath.run(verb.format(table))

    assert beneath.rows(f"SELECT * FROM {table}") == before


WRONG_PAYOUTS: dict[str, dict[str, Any]] = {
    "an amount of nothing": {"original_amount": 0},
    "more bitcoin than there are": {"amount_msat": 2_100_000_000_000_001_000},
    "a negative fee": {"fee_msat": -1},
    "completed without evidence": {"state": PayoutState.COMPLETED},
    "evidence without completion": {"evidence": EvidenceGrade.PERSON},
    "a negative worth": {"value_cents": -1},
    "an unknown store": {"store_id": "st_nobody"},
}


@pytest.mark.parametrize("changes", WRONG_PAYOUTS.values(), ids=WRONG_PAYOUTS)
def test_an_impossible_payout_is_refused(
    beneath: Raw, ground: Ground, changes: dict[str, Any]
) -> None:
    with pytest.raises(Refused), beneath.transaction() as tx:
        tx.run(payouts._ADD, **payouts.record(a_payout(ground.store, **changes)))


@pytest.mark.parametrize(
    ("table", "column"),
    [("payouts", "state"), ("payouts", "status"), ("payouts", "kind"), ("wallets", "gate")],
)
def test_a_word_that_is_not_in_the_list_is_refused(
    beneath: Raw, ground: Ground, table: str, column: str
) -> None:
    del ground
    with pytest.raises(Refused):
        beneath.run(f"UPDATE {table} SET {column} = 'PENDING'")


def test_a_payout_has_one_live_attempt(beneath: Raw, ground: Ground) -> None:
    payout = a_payout(ground.store)
    with beneath.transaction() as tx:
        payouts.create(tx, payout, SYSTEM)
        attempts.add_attempt(tx, an_attempt(payout))

    with pytest.raises(Refused), beneath.transaction() as tx:
        attempts.add_attempt(tx, an_attempt(payout, number=2, payment_hash="ab" * 32))


def test_a_payment_hash_is_unique_across_stores(beneath: Raw, ground: Ground) -> None:
    with beneath.transaction() as tx:
        mine, theirs = a_payout(ground.store), a_payout(plant(tx).store)
        for payout in (mine, theirs):
            payouts.create(tx, payout, SYSTEM)
        attempts.add_attempt(tx, an_attempt(mine))

    with pytest.raises(Refused), beneath.transaction() as tx:
        attempts.add_attempt(tx, an_attempt(theirs, payment_hash=mine.payment_hash))


def test_a_budget_is_never_exceeded_even_by_hand(beneath: Raw, ground: Ground) -> None:
    del ground
    with pytest.raises(Refused):
        beneath.run("UPDATE pull_payments SET reserved = budget, paid = 1")


def test_sqlite_takes_no_text_or_fraction_for_a_number(sqlite_url: str) -> None:
    beneath = Raw(sqlite_url)
    with beneath.transaction() as tx:
        payouts.create(tx, a_payout(plant(tx).store), SYSTEM)

    for wrong in ("'many'", "1.5", "x'01'"):
        with pytest.raises(sqlite3.IntegrityError):
            beneath.run(f"UPDATE payouts SET amount_msat = {wrong}")
    beneath.close()


def test_words_are_kept_as_values_and_read_back_as_enums(beneath: Raw, ground: Ground) -> None:
    payout = a_payout(ground.store)
    with beneath.transaction() as tx:
        payouts.create(tx, payout, SYSTEM)
        found = payouts.read_payout(tx, ground.store.id, payout.id)

    kept = beneath.value(f"SELECT status FROM payouts WHERE id = '{payout.id}'")
    assert kept == "pending"
    assert found == payout
    assert found is not None
    assert type(found.status) is PayoutStatus
