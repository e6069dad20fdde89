"""Comparing in slices: each attempt is looked at once, and no read grows with the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from models.payout import AttemptState
from models.statement import Debit, DebitState, KeptRow, RowState
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import reconciliation, restoration, statement_row
from services.storage.reconciliation import Part, compare_some, find_extra
from services.storage.statement import Statement, Transaction, record
from tests.support.builders import Ground, a_payout, an_attempt, plant
from tests.support.clock import NOON
from tests.support.databases import Raw, raw

DAY = timedelta(days=1)
LATE = NOON + DAY
FATES = (
    (AttemptState.SETTLED, DebitState.CLAIMED, 500_000),
    (AttemptState.LIVE, DebitState.OPEN, None),
    (AttemptState.DEAD, DebitState.DROPPED, None),
    (AttemptState.SETTLED, DebitState.OPEN, None),
    (AttemptState.SETTLED, DebitState.CLAIMED, 900_000),
)


def some(tx: Transaction, ground: Ground, count: int) -> None:
    """Add payouts of each fate in turn, a minute apart but for ten that are of one moment."""
    for number in range(count):
        at = NOON + timedelta(minutes=max(0, number - 10))
        payout = a_payout(ground.store, created_at=at)
        state, debit_state, found = FATES[number % len(FATES)]
        attempt = an_attempt(payout, state=state)
        tx.run(payouts._ADD, **record(payout))
        attempts.add_attempt(tx, attempt)
        statement_row.add_debit(tx, a_debit(attempt.id, payout.id, ground, at, debit_state, found))


def a_debit(
    attempt_id: str,
    payout_id: str,
    ground: Ground,
    at: datetime,
    state: DebitState,
    found_nanousd: int | None,
) -> Debit:
    return Debit(
        attempt_id=attempt_id,
        store_id=ground.store.id,
        payout_id=payout_id,
        flash_wallet_id=ground.wallet.flash_wallet_id,
        state=state,
        expected_nanousd=500_000,
        msat_per_cent=100_000,
        row_id=None if found_nanousd is None else f"row-{attempt_id}",
        amount_nanousd=found_nanousd,
        fee_nanousd=None,
        logged_at=at,
        claimed_at=None if found_nanousd is None else at,
    )


def parts(tx: Transaction, ground: Ground, size: int) -> Iterator[Part]:
    place, until = NOON - DAY, NOON + DAY
    while place < until:
        part = compare_some(tx, ground.store.id, place, until, LATE, size)
        assert part.end > place
        yield part
        place = part.end


def test_slices_of_any_size_come_to_the_same(beneath: Raw) -> None:
    with beneath.transaction() as tx:
        ground = plant(tx)
        some(tx, ground, 50)
        some(tx, plant(tx), 5)

        for size in (1, 7, 1_000):
            found = list(parts(tx, ground, size))

            looked = [part.matched + part.waiting for part in found]
            # What is of one moment is looked at together: it cannot be told apart by time.
            assert max(looked) <= max(size, 11)
            assert len(found) >= 39 // size
            assert sum(part.matched for part in found) == 20
            assert sum(part.waiting for part in found) == 20
            missing = [each for part in found for each in part.missing]
            different = [each for part in found for each in part.different]
            assert [each.kind for each in missing] == ["missing"] * 10
            assert [each.found_nanousd for each in different] == [900_000] * 10
            assert missing == sorted(missing, key=lambda each: each.at)
            assert len({each.payout_id for each in missing + different}) == 20


def test_extra_rows_come_oldest_first_and_what_is_new_is_not_yet_one(beneath: Raw) -> None:
    with beneath.transaction() as tx:
        ground = plant(tx)
        row = KeptRow(
            store_id=ground.store.id,
            flash_wallet_id=ground.wallet.flash_wallet_id,
            id="row-1",
            state=RowState.EXTRA,
            amount_nanousd=-1,
            fee_nanousd=None,
            is_completed=None,
            attempt_id=None,
            at=NOON + timedelta(hours=3),
            seen_at=NOON,
            claimed_at=None,
        )
        unclaimed = replace(row, id="row-2", state=RowState.UNCLAIMED, at=NOON)
        fresh = replace(unclaimed, id="row-3", at=NOON + timedelta(hours=2))
        before = replace(row, id="row-4", state=RowState.BEFORE)
        for each in (row, unclaimed, fresh, before):
            statement_row.keep_row(tx, each)

        found = find_extra(tx, ground.store.id, NOON, NOON + DAY, NOON + timedelta(hours=2))

        assert [each.row_id for each in found] == ["row-2", "row-1"]
        wallet = ground.wallet.flash_wallet_id
        newest = statement_row.newest_row_at(tx, ground.store.id, wallet)
        assert newest == (row.at, NOON)
        assert statement_row.newest_row_at(tx, ground.store.id, "another") == (None, None)
        listed = statement_row.rows_of_state(tx, ground.store.id, RowState.EXTRA, NOON, 10)
        assert listed == [row]


PLANS: list[tuple[Statement, str]] = [
    (reconciliation._END, "COVERING INDEX ix_attempts_store_created"),
    (reconciliation._COUNT, "ix_attempts_store_created"),
    (reconciliation._EXTRA, "ix_statement_rows_extra"),
    (reconciliation._UNCLAIMED, "ix_statement_rows_unclaimed"),
    (statement_row._ROWS_OF_STATE[RowState.EXTRA], "ix_statement_rows_extra"),
    (statement_row._FIRST_SEEN, "ix_statement_rows_seen"),
    (statement_row._NEWEST, "ix_statement_rows_at"),
    (statement_row._DROP_MISSING, "ix_debits_open"),
    (restoration._READ_LOOSE, "ix_payouts_store_status_created"),
]


def test_what_is_asked_of_the_statement_is_found_by_an_index(sqlite_url: str) -> None:
    with raw(sqlite_url) as beneath:
        for statement, index in PLANS:
            compiled = statement.compiled("sqlite")
            unknown: Any = [None] * compiled.sql.count("?")
            rows = beneath._connection.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", unknown)
            plan = "\n".join(str(row[-1]) for row in rows)
            assert index in plan, plan
            assert "SCAN" not in plan, plan
            # The open ones are few and may be sorted; nothing makes a list of all attempts.
            assert "LIST SUBQUERY" not in plan, plan
            if statement is not restoration._READ_LOOSE:
                assert "ORDER BY" not in plan, plan
