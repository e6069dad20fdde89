"""Which columns the past writes of each table, in the order in which its rows are told."""

from __future__ import annotations

from typing import Final

PAYOUTS: Final = (
    *("id", "store_id", "kind", "state", "status", "revision", "pull_payment_id", "card_id"),
    *("card_verified", "card_hint", "tap_id", "original_amount", "currency", "amount_msat"),
    *("amount_sats", "value_cents", "rate_numerator", "rate_denominator", "rate_source"),
    *("rate_at", "fee_msat", "debited_nanousd", "destination_kind", "destination_start"),
    *("destination_sealed", "payment_hash", "attempts", "evidence", "memo", "metadata_json"),
    *("error_code", "error_message", "created_at", "eligible_at", "approved_at"),
    *("submitted_at", "unknown_since", "review_at", "completed_at", "closed_at"),
    *("next_try_at", "claim_key", "wallet_id", "fence"),
)
WORDS: Final = ("store_id", "word", "payout_id")
EVENTS: Final = (
    *("store_id", "payout_id", "number", "source", "target", "at", "actor_kind", "actor_id"),
    *("reason_code", "reason", "request_id"),
)
LEDGER: Final = (
    *("store_id", "transaction_id", "leg", "account", "unit", "amount", "payout_id", "at"),
)
ATTEMPTS: Final = (
    *("id", "store_id", "payout_id", "number", "state", "payment_hash", "invoice_sealed"),
    *("amount_msat", "invoice_expires_at", "home", "verify_sealed", "expired_seen_at"),
    "created_at",
)
SENDS: Final = (
    *("store_id", "payout_id", "attempt_id", "number", "flash_wallet_id", "idempotency_key"),
    *("fence", "logged_at", "answered_at", "answer", "answer_code"),
)
SIGHTINGS: Final = (
    *("id", "store_id", "payout_id", "attempt_id", "source", "external_id", "says"),
    *("detail", "at"),
)
EVIDENCE: Final = ("store_id", "payout_id", "grade", "preimage_sealed", "detail", "at")
TAPS: Final = (
    *("id", "store_id", "card_id", "key_set_id", "pull_payment_id", "counter", "state"),
    *("k1_hash", "payout_id", "hint", "at", "expires_at"),
)
ROLLUPS: Final = (
    *("store_id", "grain", "bucket", "status", "kind", "shard", "count", "amount_sats"),
    "value_cents",
)
CARD_ROLLUPS: Final = (
    *("store_id", "card_id", "grain", "bucket", "status", "shard", "count", "amount_sats"),
    "value_cents",
)
FEE_ROLLUPS: Final = ("store_id", "grain", "bucket", "shard", "fee_msat", "known")
CARD_FEE_ROLLUPS: Final = (
    *("store_id", "card_id", "grain", "bucket", "shard", "fee_msat", "known"),
)
AUDIT: Final = (
    *("store_id", "number", "at", "actor_kind", "actor_id", "action", "subject_id"),
    *("before", "after", "address", "session_id", "agent", "request_id", "hash"),
)

BALANCES: Final = ("store_id", "flash_wallet_id", "at", "balance_nanousd")

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "payouts": PAYOUTS,
    "payout_words": WORDS,
    "payout_events": EVENTS,
    "ledger": LEDGER,
    "attempts": ATTEMPTS,
    "sends": SENDS,
    "sightings": SIGHTINGS,
    "evidence": EVIDENCE,
    "taps": TAPS,
    "rollups": ROLLUPS,
    "card_rollups": CARD_ROLLUPS,
    "fee_rollups": FEE_ROLLUPS,
    "card_fee_rollups": CARD_FEE_ROLLUPS,
    "audit": AUDIT,
    "balances": BALANCES,
}
"""By table, those that others refer to first."""
