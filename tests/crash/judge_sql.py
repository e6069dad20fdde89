"""What must never be found in the service's database: each query returns the rows that disagree.

Plain SQL for both databases, on purpose without a line of the service's own code.
"""

from __future__ import annotations

_PLACES = """
CASE WHEN state IN ('pending', 'awaiting_approval', 'approved') THEN 'reserved'
    WHEN state IN ('processing', 'in_flight', 'needs_review') THEN 'in_transit'
    WHEN state = 'completed' THEN 'paid' END
"""

_BUCKETS = {
    "quarter": "created_at - created_at % 900000000",
    "day": "created_at - created_at % 86400000000",
}

_COUNTED = " UNION ALL ".join(
    f"SELECT store_id, '{grain}' AS grain, {start} AS bucket, status, kind, card_id, "
    "1 AS n, amount_sats AS sats, coalesce(value_cents, 0) AS cents FROM payouts"
    for grain, start in _BUCKETS.items()
)


def _rollups(table: str, by: str, only: str) -> str:
    keys = f"store_id, grain, bucket, status, {by}"
    return f"""
    SELECT {keys}, sum(n) AS count, sum(sats) AS sats, sum(cents) AS cents FROM (
        SELECT {keys}, n, sats, cents FROM ({_COUNTED}) AS counted {only}
        UNION ALL
        SELECT {keys}, -count, -amount_sats, -value_cents FROM {table}
    ) AS both_sides GROUP BY {keys} HAVING sum(n) <> 0 OR sum(sats) <> 0 OR sum(cents) <> 0
    """


NEVER: dict[str, str] = {
    "a ledger transaction that does not sum to zero": """
        SELECT transaction_id, unit, sum(amount) AS off FROM ledger
        GROUP BY transaction_id, unit HAVING sum(amount) <> 0
    """,
    "a ledger transaction with one leg": """
        SELECT transaction_id FROM ledger GROUP BY transaction_id HAVING count(*) < 2
    """,
    "an account that does not match the payouts": f"""
        SELECT account, unit, sum(units) AS off FROM (
            SELECT {_PLACES} AS account, currency AS unit, original_amount AS units FROM payouts
            UNION ALL
            SELECT account, unit, -amount FROM ledger
            WHERE account IN ('reserved', 'in_transit', 'paid')
        ) AS both_sides WHERE account IS NOT NULL
        GROUP BY account, unit HAVING sum(units) <> 0
    """,
    "a payout whose money stands in the wrong account": f"""
        SELECT payout_id, account, sum(units) AS off FROM (
            SELECT id AS payout_id, {_PLACES} AS account, original_amount AS units FROM payouts
            UNION ALL
            SELECT payout_id, account, -amount FROM ledger
            WHERE payout_id IS NOT NULL AND account NOT LIKE 'budget:%'
        ) AS both_sides WHERE account IS NOT NULL
        GROUP BY payout_id, account HAVING sum(units) <> 0
    """,
    "a budget account that is not what is left": """
        SELECT p.id, p.budget - p.reserved - p.paid AS remaining, sum(l.amount) AS booked
        FROM pull_payments p JOIN ledger l ON l.account = 'budget:' || p.id
        GROUP BY p.id, p.budget, p.reserved, p.paid
        HAVING sum(l.amount) <> p.budget - p.reserved - p.paid
    """,
    "a budget that is exceeded": """
        SELECT id, budget, reserved, paid FROM pull_payments
        WHERE reserved + paid > budget OR reserved < 0 OR paid < 0
    """,
    "a counter of a pull payment that is not the sum of its payouts": f"""
        SELECT q.id, q.reserved, q.paid FROM pull_payments q
        LEFT JOIN (SELECT pull_payment_id, {_PLACES} AS place, original_amount FROM payouts) AS p
            ON p.pull_payment_id = q.id
        GROUP BY q.id, q.reserved, q.paid
        HAVING q.reserved <> coalesce(sum(CASE WHEN p.place IN ('reserved', 'in_transit')
                THEN p.original_amount END), 0)
            OR q.paid <> coalesce(sum(CASE WHEN p.place = 'paid' THEN p.original_amount END), 0)
    """,
    "a rollup that is not what is counted": _rollups("rollups", "kind", ""),
    "a card's rollup that is not what is counted": _rollups(
        "card_rollups", "card_id", "WHERE card_id IS NOT NULL"
    ),
    "events with a gap": """
        SELECT p.id, p.revision, count(e.number) AS events, max(e.number) AS last
        FROM payouts p LEFT JOIN payout_events e ON e.payout_id = p.id
        GROUP BY p.id, p.revision
        HAVING count(e.number) <> p.revision OR max(e.number) <> p.revision
            OR min(e.number) <> 1
    """,
    "an event that does not follow from the one before": """
        SELECT e.payout_id, e.number, b.target, e.source
        FROM payout_events e LEFT JOIN payout_events b
            ON b.payout_id = e.payout_id AND b.number = e.number - 1
        WHERE coalesce(b.target, '') <> coalesce(e.source, '')
    """,
    "a payout that is not where its last event says": """
        SELECT p.id, p.state, e.target FROM payouts p
        JOIN payout_events e ON e.payout_id = p.id AND e.number = p.revision
        WHERE e.target <> p.state
    """,
    "a sighting that is there twice": """
        SELECT source, external_id, count(*) AS times FROM sightings
        GROUP BY source, external_id HAVING count(*) > 1
    """,
    "sends with a gap": """
        SELECT attempt_id, count(*) AS sends, max(number) AS last FROM sends
        GROUP BY attempt_id HAVING count(*) <> max(number) OR count(*) > 6
            OR count(DISTINCT idempotency_key) <> 1
    """,
    "a send that was repeated after an answer that forbids it": """
        SELECT later.attempt_id, later.number, earlier.answer FROM sends later
        JOIN sends earlier ON earlier.attempt_id = later.attempt_id
            AND earlier.number < later.number AND earlier.answered_at <= later.logged_at
        WHERE earlier.answer IN ('settled', 'pending', 'error')
    """,
    "a payout called unsent or failed with a send that may have gone": """
        SELECT e.payout_id, e.target, s.number, s.answer FROM payout_events e
        JOIN sends s ON s.payout_id = e.payout_id AND s.logged_at <= e.at
        WHERE e.source = 'processing' AND e.target IN ('approved', 'failed')
            AND (s.answered_at IS NULL OR s.answered_at > e.at
                OR s.answer NOT IN ('refused', 'not_executed'))
    """,
    "an attempt that does not match its payout": """
        SELECT p.id, p.state, a.state AS attempt FROM payouts p
        JOIN attempts a ON a.payout_id = p.id
        WHERE (p.state = 'completed') <> (a.state = 'settled')
            OR (p.state IN ('failed', 'expired')) <> (a.state = 'dead'
                AND p.state NOT IN ('rejected', 'cancelled'))
    """,
    "a used tap without its payout": """
        SELECT t.id, t.payout_id FROM taps t LEFT JOIN payouts p ON p.id = t.payout_id
        WHERE (t.state = 'used') <> (p.id IS NOT NULL) OR p.tap_id <> t.id
    """,
    "money that was found to be paid after it was released": """
        SELECT topic, subject_id FROM outbox WHERE topic = 'paid_after_release'
    """,
    "a payout without evidence that is completed, or the other way round": """
        SELECT p.id, p.state, count(e.grade) AS grades FROM payouts p
        LEFT JOIN evidence e ON e.payout_id = p.id GROUP BY p.id, p.state
        HAVING (p.state = 'completed') <> (count(e.grade) > 0)
    """,
}

PAYOUTS = """
SELECT p.id, p.state, p.kind, p.payment_hash, p.amount_msat, p.claim_key, p.created_at,
    p.error_code, a.home, a.invoice_expires_at
FROM payouts p JOIN attempts a ON a.payout_id = p.id
"""

# How long payouts were unknown: from each `in_flight` to whatever came after it.
UNKNOWN_SPANS = """
SELECT e.payout_id, e.at AS since, n.at AS until FROM payout_events e
LEFT JOIN payout_events n ON n.payout_id = e.payout_id AND n.number = e.number + 1
WHERE e.target = 'in_flight'
"""
