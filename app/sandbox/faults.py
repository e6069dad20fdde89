"""Faults on demand: scripts that make the sandbox answer as Flash does on a bad day.

A fault is `{"kind", "match"?, "times"?, ...parameters}`. `match` narrows it: `operation` (the
GraphQL root field), `wallet`, `payment_hash`, `every_nth` (of what else matches) and
`probability` (repeatable by seed). Without `times` it stays until it is cleared. At each stage
the oldest fault that matches is used; rows take all that match.

| kind | stage | parameters | what happens |
|---|---|---|---|
| `pending_then_success` | send | after_ms=5000 | PENDING; settles later, only the list shows it |
| `pending_then_failure` | send | after_ms=5000 | PENDING; fails later, the hold is released |
| `pending_forever` | send | | PENDING until `/_control/settle` |
| `debited_but_error` | send | delay_ms=0 | pays, answers the generic error |
| `generic_error` | send | | answers the generic error, nothing is paid |
| `already_prepared` | send | | the same text, as for a hash that is under way |
| `failure_empty_errors` | send | delay_ms=0 | the network fails it: FAILURE, no errors |
| `insufficient_balance` | send | | INSUFFICIENT_BALANCE, nothing is paid |
| `status_null` | send | message | payload error, status null |
| `busy_lock` | send | executed=false | the lock's answer; with executed it pays meanwhile |
| `slow_settle` | send | delay_ms=3000 | settles after that time, then answers |
| `send_error` | send | code, message, executed=false | FAILURE with that error |
| `cutover_in_progress` | send, read | | INVALID_INPUT on sends and wallet reads |
| `row_delay` | row | delay_ms=5000 | the row is listed that much later |
| `amount_drift` | row | sats=1 | the row and the book differ by some sats |
| `undefined_fee` | row | | the row's display fee reads `undefined` |
| `empty_transactions` | read | | lists are empty, no error |
| `balance_null`, `balance_zero` | read | | balances read null, or 0 |
| `stale_price` | read | age_s=600 | prices carry an old timestamp |
| `response_lost` | answer | executed=true | the connection is cut instead of an answer |
| `http_502` | answer | executed=true | HTTP 502, gateway text |
| `http_504` | answer | delay_ms=30000, executed=true | HTTP 504 after that time; the call runs on |
| `http_500` | answer | executed=false | HTTP 500 |
| `html_body` | answer | status=200, executed=false | a page of HTML |
| `invalid_json` | answer | executed=true | the first half of the right answer |
| `slow_answer` | answer | delay_ms=3000 | the right answer, later |
| `http_401` | answer | | HTTP 401, nothing is executed |
| `ingress_503` | answer | | HTTP 503, nothing is executed |
| `http_429` | answer | retry_after_s=30 | HTTP 429 with Retry-After, nothing is executed |
| `key_limited` | answer | retry_after_s=30 | HTTP 200 with TOO_MANY_REQUESTS |
| `handshake_503` | handshake | | HTTP 503 to the upgrade |
| `slow_ack` | init | delay_ms=6000 | `connection_ack` comes late |
| `auth_hiccup` | init | | the token is not understood; the ack comes all the same |
| `lost_event` | event | | a PAID event is not delivered |
| `duplicate_event` | event | copies=1 | a PAID event is delivered again |
| `late_event` | event | delay_ms=2000 | a PAID event is delivered later |
| `expired_after_paid` | event | | EXPIRED follows PAID at once on the invoice's topic |
| `socket_restart` | event | code=1006 | all sockets drop (1006: no close frame; or 1001, 1012) |
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.sandbox import ledger_sql as sql
from app.sandbox.ledger import Ledger

Stage = Literal["send", "row", "read", "answer", "handshake", "init", "event"]

MAX_FAULTS: Final = 1_000
_NULL_MESSAGE: Final = "Invalid value for WalletId"

_KINDS: Final[dict[str, tuple[tuple[Stage, ...], dict[str, Any]]]] = {
    "pending_then_success": (("send",), {"after_ms": 5_000}),
    "pending_then_failure": (("send",), {"after_ms": 5_000}),
    "pending_forever": (("send",), {}),
    "debited_but_error": (("send",), {"delay_ms": 0}),
    "generic_error": (("send",), {}),
    "already_prepared": (("send",), {}),
    "failure_empty_errors": (("send",), {"delay_ms": 0}),
    "insufficient_balance": (("send",), {}),
    "status_null": (("send",), {"message": _NULL_MESSAGE}),
    "busy_lock": (("send",), {"executed": False}),
    "slow_settle": (("send",), {"delay_ms": 3_000}),
    "send_error": (("send",), {"code": None, "message": "", "executed": False}),
    "cutover_in_progress": (("send", "read"), {}),
    "row_delay": (("row",), {"delay_ms": 5_000}),
    "amount_drift": (("row",), {"sats": 1}),
    "undefined_fee": (("row",), {}),
    "empty_transactions": (("read",), {}),
    "balance_null": (("read",), {}),
    "balance_zero": (("read",), {}),
    "stale_price": (("read",), {"age_s": 600}),
    "response_lost": (("answer",), {"executed": True}),
    "http_502": (("answer",), {"executed": True}),
    "http_504": (("answer",), {"delay_ms": 30_000, "executed": True}),
    "http_500": (("answer",), {"executed": False}),
    "html_body": (("answer",), {"status": 200, "executed": False}),
    "invalid_json": (("answer",), {"executed": True}),
    "slow_answer": (("answer",), {"delay_ms": 3_000}),
    "http_401": (("answer",), {}),
    "ingress_503": (("answer",), {}),
    "http_429": (("answer",), {"retry_after_s": 30}),
    "key_limited": (("answer",), {"retry_after_s": 30}),
    "handshake_503": (("handshake",), {}),
    "slow_ack": (("init",), {"delay_ms": 6_000}),
    "auth_hiccup": (("init",), {}),
    "lost_event": (("event",), {}),
    "duplicate_event": (("event",), {"copies": 1}),
    "late_event": (("event",), {"delay_ms": 2_000}),
    "expired_after_paid": (("event",), {}),
    "socket_restart": (("event",), {"code": 1006}),
}
KINDS: Final = frozenset(_KINDS)
_MATCH: Final = frozenset({"operation", "wallet", "payment_hash", "every_nth", "probability"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fault may match: one call, payment, read or event."""

    operation: str | None = None
    wallet: str | None = None
    payment_hash: str | None = None


@dataclass(slots=True)
class Fault:
    """One script that is armed."""

    id: int
    kind: str
    match: dict[str, Any]
    params: dict[str, Any]
    left_times: int | None
    seen: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def script(self) -> dict[str, Any]:
        """Return it as it was given, and how often it has matched."""
        plain = {"id": self.id, "kind": self.kind, "match": self.match, "times": self.left_times}
        return plain | self.params | {"seen": self.seen}

    def fits(self, subject: Subject) -> bool:
        """Tell whether it is to be used for this subject; counts what it matches."""
        for name in ("operation", "wallet", "payment_hash"):
            if name in self.match and self.match[name] != getattr(subject, name):
                return False
        self.seen += 1
        nth = self.match.get("every_nth")
        if nth is not None and self.seen % nth:
            return False
        probability = self.match.get("probability")
        return probability is None or self.chance.random() < probability


class Faults:
    """All armed faults, kept in the ledger so that a restart does not lose them."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._ledger = ledger
        self._seed = seed
        self._armed: dict[int, Fault] = {}
        self._stages: dict[Stage, list[Fault]] = {}
        self._next_id = 1

    def load(self) -> None:
        """Arm what the ledger remembers."""
        for row in self._ledger.rows(sql.ALL_FAULTS):
            given = json.loads(row["script"])
            self._arm(row["id"], given, row["left_times"]).seen = row["seen"]

    def add(self, script: dict[str, Any]) -> Fault:
        """Arm a fault.

        Raises:
            ValueError: The kind, a parameter or the match is not known.
        """
        _check(script)
        if len(self._armed) >= MAX_FAULTS:
            raise ValueError("too many faults are armed")
        fault = self._arm(self._next_id, script, script.get("times"))
        self._save(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> int:
        """Disarm one fault, or all, and return how many that were."""
        chosen = [f for f in self._armed.values() if fault_id is None or f.id == fault_id]
        for fault in chosen:
            self._drop(fault)
        return len(chosen)

    def armed(self) -> list[dict[str, Any]]:
        """Return what is armed, the oldest first."""
        return [fault.script() for fault in self._armed.values()]

    def wants(self, stage: Stage) -> bool:
        """Tell whether anything is armed for a stage; lets the hot path skip the rest."""
        return bool(self._stages.get(stage))

    def draw(self, stage: Stage, subject: Subject, *kinds: str) -> Fault | None:
        """Return the oldest fault that fits, used up by one; only of some kinds if named."""
        for fault in tuple(self._stages.get(stage, ())):
            if (not kinds or fault.kind in kinds) and fault.fits(subject):
                self._use(fault)
                return fault
        return None

    def draw_all(self, stage: Stage, subject: Subject) -> list[Fault]:
        """Return every fault that fits, each used up by one."""
        drawn = [f for f in tuple(self._stages.get(stage, ())) if f.fits(subject)]
        for fault in drawn:
            self._use(fault)
        return drawn

    def _use(self, fault: Fault) -> None:
        if fault.left_times is not None:
            fault.left_times -= 1
            if fault.left_times <= 0:
                self._drop(fault)
                return
        self._save(fault)

    def _arm(self, fault_id: int, script: dict[str, Any], left_times: int | None) -> Fault:
        kind = script["kind"]
        stages, defaults = _KINDS[kind]
        given = {name: script[name] for name in defaults if name in script}
        chance = random.Random(f"{self._seed}:{fault_id}:{kind}")
        match = script.get("match") or {}
        fault = Fault(fault_id, kind, match, defaults | given, left_times, chance=chance)
        self._armed[fault_id] = fault
        self._next_id = max(self._next_id, fault_id + 1)
        for stage in stages:
            self._stages.setdefault(stage, []).append(fault)
        return fault

    def _drop(self, fault: Fault) -> None:
        del self._armed[fault.id]
        for armed in self._stages.values():
            if fault in armed:
                armed.remove(fault)
        self._ledger.writer.submit([(sql.DROP_FAULT, (fault.id,))])

    def _save(self, fault: Fault) -> None:
        script = json.dumps({"kind": fault.kind, "match": fault.match} | fault.params)
        row = (fault.id, script, fault.seen, fault.left_times)
        self._ledger.writer.submit([(sql.SAVE_FAULT, row)])


def _check(script: dict[str, Any]) -> None:
    kind = script.get("kind")
    if kind not in _KINDS:
        raise ValueError(f"no such kind of fault: {kind}")
    defaults = _KINDS[kind][1]
    unknown = set(script) - set(defaults) - {"kind", "match", "times"}
    match = script.get("match") or {}
    if unknown or not isinstance(match, dict) or set(match) - _MATCH:
        raise ValueError(f"{kind} takes {sorted(defaults)}; a match takes {sorted(_MATCH)}")
    for name, default in defaults.items():
        given = script.get(name, default)
        if default is not None and type(given) is not type(default):
            raise ValueError(f"{name} of {kind} is like {default!r}")
    times, nth = script.get("times"), match.get("every_nth")
    if any(n is not None and (type(n) is not int or n < 1) for n in (times, nth)):
        raise ValueError("times and every_nth are whole numbers above zero")
