"""What may befall an answer of Flash, a reading of its lists, or the way to it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SEND_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "pending_then_success", "after_ms": 5_000},
    {"kind": "pending_then_success", "after_ms": 90_000},
    {"kind": "pending_then_failure", "after_ms": 5_000},
    {"kind": "pending_forever"},
    {"kind": "debited_but_error"},
    {"kind": "generic_error"},
    {"kind": "already_prepared"},
    {"kind": "failure_empty_errors"},
    {"kind": "insufficient_balance"},
    {"kind": "status_null"},
    {"kind": "busy_lock"},
    {"kind": "busy_lock", "executed": True},
    {"kind": "slow_settle", "delay_ms": 3_000},
    {"kind": "slow_settle", "delay_ms": 60_000},
    {"kind": "send_error", "code": "LIGHTNING_PAYMENT_ERROR", "executed": True},
    {"kind": "send_error", "code": "DB_ERROR", "executed": True},
    {"kind": "send_error", "code": "UNKNOWN_CLIENT_ERROR"},
    {"kind": "cutover_in_progress"},
)
READ_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "row_delay", "delay_ms": 60_000},
    {"kind": "row_delay", "delay_ms": 1_200_000},
    {"kind": "amount_drift", "sats": 1},
    {"kind": "amount_drift", "sats": 2},
    {"kind": "undefined_fee"},
    {"kind": "empty_transactions"},
    {"kind": "balance_null"},
    {"kind": "balance_zero"},
    {"kind": "stale_price", "age_s": 600},
)
ANSWER_FAULTS: tuple[dict[str, Any], ...] = tuple(
    {**script, "match": {"operation": "lnInvoicePaymentSend"}}
    for script in (
        {"kind": "response_lost"},
        {"kind": "response_lost", "executed": False},
        {"kind": "http_502"},
        {"kind": "http_504", "delay_ms": 2_000},
        {"kind": "http_500"},
        {"kind": "http_500", "executed": True},
        {"kind": "html_body", "executed": True},
        {"kind": "invalid_json"},
        {"kind": "slow_answer", "delay_ms": 2_000},
        {"kind": "http_401"},
        {"kind": "ingress_503"},
        {"kind": "http_429", "retry_after_s": 2},
        {"kind": "key_limited", "retry_after_s": 2},
    )
)
WAYS: tuple[dict[str, Any], ...] = (
    {"way": "lost"},
    {"way": "late", "late_s": 1},
    {"way": "late", "late_s": 300},
    {"way": "unanswered"},
)
TROUBLE = st.builds(
    lambda script, times: {**script, "times": times},
    st.sampled_from(SEND_FAULTS + SEND_FAULTS + ANSWER_FAULTS + WAYS + WAYS),
    st.sampled_from((1, 1, 3)),
)
# Of one payment: what befalls its first sends, one after the other.
TROUBLES = st.lists(TROUBLE, max_size=3)
