"""Rows of the past keep every invariant that lived rows keep, on both sides of the wire."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.demo.columns import COLUMNS
from app.sandbox import ledger_sql
from app.sandbox.amounts import MSAT_PER_BTC
from models.instants import from_us, to_us
from models.money import ceil_div
from models.rollup import Grain, bucket_of
from models.states import ALLOWED, PayoutState, PayoutStatus
from models.tables import METADATA
from tests.app.demo.past import DAYS, PAYOUTS, rows
from tests.support.clock import NOON

NOW_US = to_us(NOON)


def test_every_column_of_every_table_is_told() -> None:
    for name, columns in COLUMNS.items():
        assert set(columns) == {column.name for column in METADATA.tables[name].columns}, name


def test_exactly_so_many_payouts_are_made_within_the_days(past: sqlite3.Connection) -> None:
    ((count, first, last),) = rows(
        past, "SELECT count(*), min(created_at), max(created_at) FROM payouts"
    )

    assert count == PAYOUTS
    assert from_us(first) >= NOON - timedelta(days=DAYS)
    assert from_us(last) < NOON


def test_checks_keys_and_references_hold(past: sqlite3.Connection) -> None:
    assert rows(past, "PRAGMA integrity_check") == [("ok",)]
    assert rows(past, "PRAGMA foreign_key_check") == []


def test_the_schema_is_the_migrated_one(past: sqlite3.Connection, sqlite_template: Path) -> None:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    with closing(sqlite3.connect(sqlite_template)) as migrated:
        assert rows(past, query) == rows(migrated, query)


@pytest.mark.parametrize("grain", Grain)
def test_rollups_equal_counted_payouts_in_every_bucket(
    past: sqlite3.Connection, grain: Grain
) -> None:
    counted: dict[Any, list[int]] = {}
    by_card: dict[Any, list[int]] = {}
    for at, status, kind, card, sats, cents in rows(
        past, "SELECT created_at, status, kind, card_id, amount_sats, value_cents FROM payouts"
    ):
        bucket = bucket_of(grain, from_us(at))
        add(counted, (bucket, status, kind), sats, cents)
        if card is not None:
            add(by_card, (bucket, status, card), sats, cents)

    columns = f"count, amount_sats, value_cents FROM %s WHERE grain = '{grain}'"
    rolled = rows(past, f"SELECT bucket, status, kind, {columns % 'rollups'}")
    card_rolled = rows(past, f"SELECT bucket, status, card_id, {columns % 'card_rollups'}")

    assert by_key(rolled) == counted
    assert by_key(card_rolled) == by_card


def test_known_fees_are_rolled_up_and_those_of_the_sandbox(
    past: sqlite3.Connection, ledger: sqlite3.Connection
) -> None:
    fees, by_card = Counter[Any](), Counter[Any]()
    known: dict[str, tuple[int, int]] = {}
    for at, card, payment_hash, fee_msat, debited_nanousd in rows(
        past,
        "SELECT created_at, card_id, payment_hash, fee_msat, debited_nanousd FROM payouts"
        " WHERE fee_msat IS NOT NULL AND status = 'completed'",
    ):
        known[payment_hash] = fee_msat, debited_nanousd
        for grain in Grain:
            bucket = bucket_of(grain, from_us(at))
            fees[grain, bucket] += fee_msat
            if card is not None:
                by_card[card, grain, bucket] += fee_msat

    settled = {
        row[0]: (ceil_div(row[2] * MSAT_PER_BTC, row[3]), row[1] + row[2])
        for row in rows(
            ledger,
            "SELECT payment_hash, debit_nanousd, fee_nanousd, nanousd_per_btc FROM ledger"
            " WHERE state = 'settled'",
        )
    }
    completed = rows(past, "SELECT count(*) FROM payouts WHERE status = 'completed'")[0][0]
    rolled = rows(past, "SELECT grain, bucket, fee_msat FROM fee_rollups")
    card_rolled = rows(past, "SELECT card_id, grain, bucket, fee_msat FROM card_fee_rollups")
    counts = dict(rows(past, "SELECT grain, sum(known) FROM fee_rollups GROUP BY grain"))

    assert {key: settled[key] for key in known} == known
    assert completed - 20 < len(known) <= completed
    assert {(Grain(row[0]), from_us(row[1])): row[2] for row in rolled} == dict(fees)
    assert {(row[0], Grain(row[1]), from_us(row[2])): row[3] for row in card_rolled} == by_card
    assert counts == {"quarter": len(known), "day": len(known)}


def add(into: dict[Any, list[int]], key: Any, sats: int, cents: int) -> None:
    count, total_sats, total_cents = into.get(key, [0, 0, 0])
    into[key] = [count + 1, total_sats + sats, total_cents + cents]


def by_key(found: list[tuple[Any, ...]]) -> dict[Any, list[int]]:
    return {(from_us(row[0]), row[1], row[2]): list(row[3:]) for row in found}


def test_events_are_contiguous_allowed_and_never_go_back_in_time(past: sqlite3.Connection) -> None:
    lives: dict[str, list[tuple[Any, ...]]] = {}
    for payout_id, *event in rows(
        past, "SELECT payout_id, number, source, target, at FROM payout_events ORDER BY 1, 2"
    ):
        lives.setdefault(payout_id, []).append(tuple(event))
    states = dict(rows(past, "SELECT id, state FROM payouts"))

    for payout_id, events in lives.items():
        numbers, sources, targets, times = zip(*events, strict=True)
        assert numbers == tuple(range(1, len(events) + 1))
        assert sources == (None, *targets[:-1])
        assert targets[0] == PayoutState.PENDING
        assert all(
            (PayoutState(a), PayoutState(b)) in ALLOWED
            for a, b in zip(sources[1:], targets[1:], strict=True)
        )
        assert list(times) == sorted(times)
        assert targets[-1] == states[payout_id]


def test_every_time_column_is_when_its_event_was(past: sqlite3.Connection) -> None:
    stamped = rows(
        past,
        "SELECT p.id FROM payouts p JOIN payout_events e ON e.payout_id = p.id WHERE "
        "(e.target = 'completed' AND e.at <> p.completed_at) OR (e.number = 1 AND e.at <> "
        "p.created_at) OR (e.target = 'failed' AND e.at <> p.closed_at)",
    )
    late = rows(past, f"SELECT payout_id FROM payout_events WHERE at >= {NOW_US}")

    assert stamped == []
    assert late == []


def test_nothing_is_open_but_what_waits_for_approval(past: sqlite3.Connection) -> None:
    opened = rows(
        past, "SELECT DISTINCT state FROM payouts WHERE completed_at IS NULL AND closed_at IS NULL"
    )
    live = rows(past, "SELECT min(invoice_expires_at) FROM attempts WHERE state = 'live'")

    assert opened == [(PayoutState.AWAITING_APPROVAL,)]
    assert live[0][0] > NOW_US


def test_most_payouts_were_made_and_the_others_failed_in_ways_the_service_knows(
    past: sqlite3.Connection,
) -> None:
    by_status = dict(rows(past, "SELECT status, count(*) FROM payouts GROUP BY 1"))
    codes = {code for (code,) in rows(past, "SELECT DISTINCT error_code FROM payouts")}
    grades = {grade for (grade,) in rows(past, "SELECT DISTINCT grade FROM evidence")}

    assert by_status[PayoutStatus.COMPLETED] > PAYOUTS * 9 // 10
    assert set(by_status) == {"completed", "failed", "cancelled", "pending"}
    assert {"payment_failed", "probe_refused", "INSUFFICIENT_BALANCE"} <= codes
    assert {"invoice_expired", "cancelled"} <= codes
    assert grades == {"flash_success", "flash_invoice"}


def test_counters_of_cards_only_rise(past: sqlite3.Connection) -> None:
    taps = rows(past, "SELECT key_set_id, counter FROM taps ORDER BY at")
    last = dict(rows(past, "SELECT id, last_counter FROM key_sets"))
    seen: dict[str, int] = {}

    for key_set, counter in taps:
        assert counter > seen.get(key_set, 0)
        seen[key_set] = counter
    assert {key_set: last[key_set] for key_set in seen} == seen
    assert len(last) >= 24


def test_payment_hashes_are_unique_and_those_of_the_invoices(past: sqlite3.Connection) -> None:
    attempts = rows(past, "SELECT payment_hash FROM attempts")
    same = rows(
        past,
        "SELECT count(*) FROM payouts p JOIN attempts a ON a.payout_id = p.id "
        "WHERE a.payment_hash = p.payment_hash AND a.amount_msat = p.amount_msat",
    )

    assert len(set(attempts)) == len(attempts) == PAYOUTS
    assert same == [(PAYOUTS,)]


def test_the_sandbox_settled_just_what_was_completed(
    past: sqlite3.Connection, ledger: sqlite3.Connection
) -> None:
    completed = rows(past, "SELECT payment_hash, amount_msat FROM payouts WHERE state='completed'")
    settled = rows(ledger, "SELECT payment_hash, amount_msat FROM ledger WHERE state = 'settled'")
    failed = rows(ledger, "SELECT payment_hash FROM ledger WHERE state = 'failed'")
    refused = rows(past, "SELECT payment_hash FROM payouts WHERE error_code = 'payment_failed'")

    assert sorted(settled) == sorted(completed)
    assert sorted(failed) == sorted(refused)


def test_the_sandboxes_own_books_balance(ledger: sqlite3.Connection) -> None:
    ((book,),) = rows(
        ledger,
        "SELECT book_nanousd FROM books "
        "WHERE wallet_id = (SELECT DISTINCT wallet_id FROM payments)",
    )
    ((spent,),) = rows(
        ledger, "SELECT sum(debit_nanousd + fee_nanousd) FROM ledger WHERE state = 'settled'"
    )
    ((filled,),) = rows(ledger, "SELECT sum(amount_nanousd) FROM entries WHERE type_id = 3")

    assert rows(ledger, ledger_sql.PAID_TWICE) == []
    assert rows(ledger, ledger_sql.UNBALANCED) == []
    assert book == filled - spent
    assert book > 0


def test_the_wallet_never_held_less_than_nothing(ledger: sqlite3.Connection) -> None:
    balance = 0
    for amount, fee in rows(ledger, "SELECT amount_nanousd, fee_nanousd FROM entries ORDER BY seq"):
        balance += amount - fee
        assert balance >= 0


def test_home_and_foreign_are_told_alike_on_both_sides(
    past: sqlite3.Connection, ledger: sqlite3.Connection
) -> None:
    ours = dict(rows(past, "SELECT payment_hash, home FROM attempts WHERE state = 'settled'"))
    theirs = dict(
        rows(ledger, "SELECT payment_hash, payee_kind FROM ledger WHERE state = 'settled'")
    )

    assert ours == theirs
