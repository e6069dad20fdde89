"""What goes wrong with Flash in a round: a mix of the sandbox's faults, drawn by seed."""

from __future__ import annotations

import random
from typing import Any

Fault = dict[str, Any]
_SEND = "lnInvoicePaymentSend"
_STATUS = "lnInvoicePaymentStatus"


def mixed(chance: random.Random) -> list[Fault]:
    """Return the faults of a round: about half of what there is, the rare ones limited."""
    often = [fault for fault in _often(chance) if chance.random() < 0.6]
    rare = [fault for fault in _rare(chance) if chance.random() < 0.4]
    faults = often + rare
    chance.shuffle(faults)
    return faults


def _often(chance: random.Random) -> list[Fault]:
    """Return what may happen again and again: all of it is decided in the end."""

    def seldom(most: float = 0.08) -> dict[str, Any]:
        return {"operation": _SEND, "probability": round(0.01 + chance.random() * most, 3)}

    return [
        {"kind": "response_lost", "executed": True, "match": seldom()},
        {"kind": "response_lost", "executed": False, "match": seldom()},
        {"kind": "http_502", "executed": True, "match": seldom()},
        {"kind": "http_500", "match": seldom()},
        {"kind": "http_504", "delay_ms": chance.randint(100, 2500), "match": seldom()},
        {"kind": "html_body", "status": 200, "match": seldom()},
        {"kind": "invalid_json", "match": seldom()},
        {"kind": "slow_answer", "delay_ms": chance.randint(100, 2500), "match": seldom(0.3)},
        {"kind": "slow_settle", "delay_ms": chance.randint(100, 2500), "match": seldom(0.2)},
        {"kind": "busy_lock", "match": seldom()},
        {"kind": "failure_empty_errors", "match": seldom()},
        {"kind": "failure_empty_errors", "delay_ms": 800, "match": seldom()},
        {"kind": "insufficient_balance", "match": seldom(0.03)},
        {"kind": "status_null", "match": seldom(0.03)},
        {"kind": "slow_answer", "delay_ms": 300, "match": {"operation": _STATUS, "every_nth": 3}},
        {"kind": "http_500", "match": {"operation": _STATUS, "probability": 0.05}},
        {"kind": "lost_event", "match": {"probability": 0.3}},
        {"kind": "late_event", "delay_ms": 700, "match": {"probability": 0.2}},
        {"kind": "duplicate_event", "copies": 2, "match": {"probability": 0.2}},
        {"kind": "expired_after_paid", "match": {"probability": 0.2}},
        {"kind": "socket_restart", "match": {"probability": 0.02}},
        {"kind": "row_delay", "delay_ms": 4000, "match": {"probability": 0.2}},
        {"kind": "amount_drift", "sats": 1, "match": {"probability": 0.1}},
    ]


def _rare(chance: random.Random) -> list[Fault]:
    """Return what may stay unknown for ever: little of it, or the wallet's gate shuts."""
    after_ms = chance.randint(300, 4000)
    match = {"operation": _SEND, "probability": 0.1}
    return [
        {"kind": "generic_error", "match": match, "times": 1},
        {"kind": "already_prepared", "match": match, "times": 1},
        {"kind": "debited_but_error", "match": match, "times": 1},
        {"kind": "busy_lock", "executed": True, "match": match, "times": 1},
        {"kind": "pending_then_success", "after_ms": after_ms, "match": match, "times": 2},
        {"kind": "pending_then_failure", "after_ms": after_ms, "match": match, "times": 1},
        {"kind": "pending_forever", "match": match, "times": 1},
        {
            "kind": "send_error",
            "code": "LIGHTNING_PAYMENT_ERROR",
            "executed": chance.random() < 0.5,
            "match": match,
            "times": 1,
        },
        {"kind": "cutover_in_progress", "match": match, "times": 2},
        {"kind": "http_429", "retry_after_s": 1, "match": match, "times": 1},
        {"kind": "key_limited", "retry_after_s": 1, "match": match, "times": 2},
        {"kind": "ingress_503", "match": match, "times": 2},
        {"kind": "http_401", "match": match, "times": 1},
        {"kind": "handshake_503", "times": 2},
        {"kind": "empty_transactions", "match": {"probability": 0.3}, "times": 3},
    ]
