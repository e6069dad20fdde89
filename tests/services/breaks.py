"""Every invariant broken by hand: what is done to the rows, and what is then found, no more."""

from __future__ import annotations

from typing import NamedTuple

from models.invariant import Invariant

I = Invariant  # noqa: E741  # said fifty times


class Break(NamedTuple):
    """Statements against the law, and the findings that they must lead to."""

    found: dict[Invariant, str]
    statements: tuple[str, ...]


def broken(invariant: Invariant, subject: str, *statements: str) -> Break:
    """Return a break of one invariant."""
    return Break({invariant: subject}, statements)


def a_copy(table: str, where: str, **changes: str) -> str:
    """Return the statement that adds a row like another one."""
    names = ", ".join(COLUMNS[table])
    values = ", ".join(changes.get(name, name) for name in COLUMNS[table])
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {where}"


COLUMNS = {
    "attempts": (
        *("id", "store_id", "payout_id", "number", "state", "payment_hash", "invoice_sealed"),
        *("amount_msat", "invoice_expires_at", "home", "created_at"),
    ),
    "evidence": ("store_id", "payout_id", "grade", "preimage_sealed", "detail", "at"),
    "ledger": ("store_id", "transaction_id", "leg", "account", "unit", "amount", "payout_id", "at"),
    "sends": (
        *("store_id", "payout_id", "attempt_id", "number", "flash_wallet_id"),
        *("idempotency_key", "fence", "logged_at", "answered_at", "answer"),
    ),
}


def leg(number: int, account: str, amount: int, payout: str = "NULL") -> str:
    """Return the statement that adds a leg of a ledger transaction `by-hand`."""
    return a_copy(
        "ledger",
        "transaction_id = '{pull}:created' AND leg = 0",
        transaction_id="'by-hand'",
        leg=str(number),
        account=f"'{account}'",
        amount=str(amount),
        payout_id=payout,
    )


HOUR_US = 3_600_000_000
# In a text of SQL `{done}` is the id of the completed payout, and so on; see the test.
BREAKS: tuple[Break, ...] = (
    broken(
        I.PAID_ONCE,
        "{done}",
        a_copy("attempts", "payout_id = '{done}'", id="'at_x'", number="2", payment_hash="'x'"),
    ),
    broken(I.EVIDENCE, "{done}", "DELETE FROM evidence WHERE payout_id = '{done}'"),
    broken(
        I.EVIDENCE, "{unknown}", a_copy("evidence", "payout_id = '{done}'", payout_id="'{unknown}'")
    ),
    broken(I.EVIDENCE, "{done}", a_copy("evidence", "payout_id = '{done}'", grade="'preimage'")),
    broken(
        I.RELEASED, "{failed}", "UPDATE attempts SET state = 'live' WHERE payout_id = '{failed}'"
    ),
    broken(
        I.RELEASED, "{waits}", "UPDATE attempts SET state = 'settled' WHERE payout_id = '{waits}'"
    ),
    broken(I.RELEASED, "{done}", "UPDATE attempts SET state = 'dead' WHERE payout_id = '{done}'"),
    broken(
        I.BALANCED,
        "{pull}:created",
        "UPDATE ledger SET amount = amount - 1 WHERE transaction_id = '{pull}:created' AND leg = 0",
    ),
    broken(I.BALANCED, "by-hand", leg(0, "funding", 0)),
    broken(I.BALANCED, "by-hand", leg(0, "funding", -5), leg(1, "reserved", 5)),
    broken(I.BALANCED, "by-hand", leg(0, "funding", -5, "'po_x'"), leg(1, "fees", 5, "'po_x'")),
    broken(
        I.BUDGET,
        "{pull}",
        "UPDATE pull_payments SET paid = paid - 1, reserved = reserved + 1 WHERE id = '{pull}'",
    ),
    broken(I.BUDGET, "{pull}", leg(0, "funding", -5), leg(1, "budget:{pull}", 5)),
    broken(I.PLACE, "{done}", leg(0, "funding", -5, "'{done}'"), leg(1, "paid", 5, "'{done}'")),
    broken(I.LOGGED, "{unknown}", "DELETE FROM sends WHERE payout_id = '{unknown}'"),
    broken(
        I.LOGGED,
        "{done}",
        "UPDATE sends SET answered_at = logged_at - 1 WHERE payout_id = '{done}'",
    ),
    broken(I.LOGGED, "{done}", "UPDATE sends SET number = 2 WHERE payout_id = '{done}'"),
    broken(
        I.REPEATS,
        "{done}",
        a_copy(
            *("sends", "payout_id = '{done}'"),
            number="2",
            logged_at="answered_at",
            answered_at="NULL",
            answer="NULL",
        ),
    ),
    broken(
        I.OFF_WIRE,
        "{waits}",
        "INSERT INTO sends (store_id, payout_id, attempt_id, number, flash_wallet_id, fence,"
        " logged_at) SELECT store_id, payout_id, id, 1, 'w', 1, created_at FROM attempts"
        " WHERE payout_id = '{waits}'",
    ),
    broken(
        I.OFF_WIRE, "{failed}", "UPDATE sends SET answer = 'settled' WHERE payout_id = '{failed}'"
    ),
    broken(
        I.ONE_INVOICE,
        "{unknown}",
        "UPDATE attempts SET state = 'dead' WHERE payout_id = '{unknown}'",
    ),
    broken(
        I.ONE_INVOICE,
        "{waits}",
        "DROP INDEX ux_attempts_live",
        a_copy("attempts", "payout_id = '{waits}'", id="'at_x'", number="2", payment_hash="'x'"),
    ),
    broken(
        I.APPROVED,
        "{approved}",
        "UPDATE payout_events SET actor_kind = 'system', actor_id = NULL"
        " WHERE payout_id = '{approved}' AND source = 'awaiting_approval'",
    ),
    broken(
        I.HELD,
        "{done}",
        "INSERT INTO holds (id, store_id, payout_id, reason, placed_at, placed_by_kind)"
        " SELECT 'ho_x', store_id, payout_id, 'x', logged_at - 6000000, 'person' FROM sends"
        " WHERE payout_id = '{done}'",
    ),
    # Nothing is broken where machines whose clocks differ a little dated the same moments.
    Break(
        {},
        (
            (
                "INSERT INTO holds (id, store_id, payout_id, reason, placed_at, placed_by_kind,"
                " released_at) SELECT 'ho_y', store_id, payout_id, 'x', logged_at - 1000000,"
                " 'person', logged_at + 1000000 FROM sends WHERE payout_id = '{done}'"
            ),
            "UPDATE attempts SET created_at = created_at + 2000000 WHERE payout_id = '{done}'",
        ),
    ),
    broken(
        I.LIMIT,
        "{pull}",
        leg(0, "budget:{pull}", -999_990),
        leg(1, "funding", 999_990),
        "UPDATE pull_payments SET budget = budget - 999990 WHERE id = '{pull}'",
    ),
    Break(
        {I.UNIQUE_HASH: "{done} {failed}"},
        ("UPDATE payouts SET payment_hash = ({hash_of_done}) WHERE id = '{failed}'",),
    ),
    broken(I.UNIQUE_TAP, "{tapped}", "UPDATE taps SET payout_id = NULL WHERE state = 'used'"),
    broken(I.UNIQUE_ROW, "{done}", "UPDATE statement_rows SET attempt_id = NULL WHERE {of_done}"),
    broken(
        I.EVENTS, "{done}", "DELETE FROM payout_events WHERE payout_id = '{done}' AND number = 2"
    ),
    broken(
        I.STEPS,
        "{done}",
        "UPDATE payout_events SET source = 'pending' WHERE payout_id = '{done}' AND number = 3",
    ),
    broken(
        I.LAST_EVENT,
        "{unknown}",
        "UPDATE payouts SET state = 'needs_review' WHERE id = '{unknown}'",
    ),
    Break(
        {I.LAST_EVENT: "{unknown}", I.ROLLUPS: "{day}"},
        ("UPDATE payouts SET status = 'pending' WHERE id = '{unknown}'",),
    ),
    broken(I.RECORD, "{store}", "DELETE FROM audit WHERE number = 1"),
    broken(
        I.TOLD,
        "999999",
        "INSERT INTO outbox (id, store_id, topic, subject_id, payload, created_at, tries)"
        f" SELECT 999999, id, 'x', 'x', '', created_at - 48 * {HOUR_US}, 0 FROM stores",
    ),
    broken(I.COUNTER, "{keys}", "UPDATE key_sets SET last_counter = 0"),
    broken(
        I.COUNTER,
        "{keys}",
        f"UPDATE taps SET at = at - {HOUR_US} WHERE counter = (SELECT max(counter) FROM taps)",
    ),
    broken(
        I.TIMES,
        "{done}",
        f"UPDATE payout_events SET at = at - {HOUR_US} WHERE payout_id = '{{done}}' AND number = 2",
    ),
    broken(
        I.TIMES,
        "{done}",
        f"UPDATE payouts SET completed_at = completed_at - {HOUR_US} WHERE id = '{{done}}'",
    ),
    broken(
        I.FINAL,
        "{retried}",
        "UPDATE payout_events SET actor_kind = 'system', actor_id = NULL"
        " WHERE payout_id = '{retried}' AND source = 'failed'",
    ),
    broken(
        I.ROLLUPS,
        "{day}",
        "UPDATE rollups SET count = count + 1 WHERE grain = 'quarter' AND status = 'completed'",
    ),
    broken(
        I.FEE_ROLLUPS, "{day}", "UPDATE payouts SET fee_msat = fee_msat + 1 WHERE id = '{done}'"
    ),
)
