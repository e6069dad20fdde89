"""What goes wrong with Flash in a round: the sandbox's faults, drawn by seed.

Every kind of fault is here. `TURNS` rounds with seeds that follow one another draw all of them;
what else is drawn in a round is left to chance. What is no fault of an answer (a dead or frozen
sandbox, a token revoked, a clock that is off, sockets dropped) is the reaper's and the stage's.
"""

from __future__ import annotations

import random
from typing import Any

Fault = dict[str, Any]
TURNS = 3
_SEND = "lnInvoicePaymentSend"
_STATUS = "lnInvoicePaymentStatus"
_OFTEN, _RARE = 0.5, 0.3
_ERRORS = ("LIGHTNING_PAYMENT_ERROR", "IBEX_ERROR", "UNKNOWN_CLIENT_ERROR", "DB_ERROR")


def mixed(seed: int) -> list[Fault]:
    """Return the faults of a round: those whose turn it is, and about half of the others."""
    chance = random.Random(f"bad days {seed}")
    faults: list[Fault] = []
    for often, kinds in ((_OFTEN, _often(chance)), (_RARE, _rare(chance))):
        for place, fault in enumerate(kinds):
            is_drawn = chance.random() < often
            if is_drawn or place % TURNS == seed % TURNS:
                faults.append(fault)
    chance.shuffle(faults)
    return faults


def name_of(fault: Fault) -> str:
    """Return what a fault is counted under."""
    executed = fault.get("executed")
    return fault["kind"] + ("" if executed is None else " after" if executed else " before")


def every_name() -> set[str]:
    """Return what may be drawn at all, under the name it is counted by."""
    chance = random.Random(0)
    return {name_of(fault) for fault in _often(chance) + _rare(chance)}


def _often(chance: random.Random) -> list[Fault]:
    """Return what may happen again and again: all of it is decided in the end."""

    def seldom(most: float = 0.08) -> dict[str, Any]:
        return {"operation": _SEND, "probability": round(0.01 + chance.random() * most, 3)}

    return [
        {"kind": "response_lost", "executed": True, "match": seldom()},
        {"kind": "response_lost", "executed": False, "match": seldom()},
        {"kind": "http_502", "executed": True, "match": seldom()},
        {"kind": "http_502", "executed": False, "match": seldom()},
        {"kind": "http_500", "executed": True, "match": seldom()},
        {"kind": "http_500", "executed": False, "match": seldom()},
        {"kind": "http_504", "delay_ms": chance.randint(100, 2500), "match": seldom()},
        {"kind": "html_body", "status": 200, "executed": True, "match": seldom()},
        {"kind": "html_body", "status": 500, "executed": False, "match": seldom()},
        {"kind": "invalid_json", "executed": True, "match": seldom()},
        {"kind": "slow_answer", "delay_ms": chance.randint(100, 2500), "match": seldom(0.3)},
        {"kind": "slow_settle", "delay_ms": chance.randint(100, 2500), "match": seldom(0.2)},
        {"kind": "busy_lock", "executed": False, "match": seldom()},
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
        {"kind": "socket_restart", "code": 1006, "match": {"probability": 0.02}},
        {"kind": "socket_restart", "code": 1001, "match": {"probability": 0.02}},
        {"kind": "row_delay", "delay_ms": 4000, "match": {"probability": 0.2}},
        {"kind": "amount_drift", "sats": 2, "match": {"probability": 0.1}},
        {"kind": "undefined_fee", "match": {"probability": 0.2}},
        {"kind": "balance_null", "match": {"probability": 0.2}},
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
            "code": chance.choice(_ERRORS),
            "executed": True,
            "match": match,
            "times": 1,
        },
        {
            "kind": "send_error",
            "code": "INVALID_INPUT",
            "message": "There is a pending payment for this invoice",
            "executed": False,
            "match": match,
            "times": 1,
        },
        {"kind": "http_504", "delay_ms": 30_000, "executed": True, "match": match, "times": 1},
        {"kind": "cutover_in_progress", "match": match, "times": 2},
        {"kind": "http_429", "retry_after_s": 1, "match": match, "times": 1},
        {"kind": "key_limited", "retry_after_s": 1, "match": match, "times": 2},
        {"kind": "ingress_503", "match": match, "times": 2},
        {"kind": "http_401", "match": match, "times": 1},
        {"kind": "handshake_503", "times": 2},
        {"kind": "slow_ack", "delay_ms": 6_000, "times": 1},
        {"kind": "auth_hiccup", "times": 2},
        {"kind": "empty_transactions", "match": {"probability": 0.3}, "times": 3},
        {"kind": "balance_zero", "match": {"probability": 0.3}, "times": 3},
        {"kind": "stale_price", "age_s": 600, "match": {"probability": 0.3}, "times": 3},
    ]
