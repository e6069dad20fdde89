"""Payouts that are open: what has been tried, and who may still decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from models.instants import to_us
from tests.crash.books import Books, Row

_OPEN = """
SELECT p.id, p.state, p.payment_hash, p.amount_msat, a.home, a.invoice_expires_at, a.expired_seen_at
FROM payouts p JOIN attempts a ON a.payout_id = p.id AND a.state = 'live'
WHERE p.state IN ('awaiting_approval', 'approved', 'processing', 'in_flight', 'needs_review')
"""
_SENDS = """
SELECT s.payout_id, s.answer, s.answer_code
FROM sends s JOIN attempts a ON a.id = s.attempt_id AND a.state = 'live'
ORDER BY s.payout_id, s.number
"""
_GATE = "SELECT gate FROM wallets"
MAX_TRIES = 6
# The longest pause before a repeat, with the five seconds that it needs of its invoice's life.
_LONGEST_PAUSE_US = 125_000_000


@dataclass(slots=True)
class Open:
    """One payout that has not ended, with the answers to its sends."""

    payout_id: str
    state: str
    payment_hash: str
    amount_msat: int
    home: str
    expires_us: int
    is_expiry_seen: bool
    answers: list[str] = field(default_factory=list)

    def reason(self, now: datetime) -> str:
        """Return why an unknown payout is open: the strongest of its answers."""
        for answer in ("pending", "error", "failed", "refused"):
            if answer in self.answers:
                return answer
        if len([answer for answer in self.answers if answer != "not_executed"]) >= MAX_TRIES:
            return "silence to the last try"
        if to_us(now) + _LONGEST_PAUSE_US >= self.expires_us:
            return "silence until the invoice ran out"
        return "repeatable"

    def shown(self, now: datetime) -> str:
        return (
            f"{self.payout_id} {self.state} {self.home}: {self.reason(now)} "
            f"({', '.join(self.answers)})"
        )


def read_open(books: Books) -> list[Open]:
    """Return every payout that has not ended."""
    found = {row["id"]: _open(row) for row in books.rows(_OPEN)}
    for send in books.rows(_SENDS):
        if send["payout_id"] in found:
            found[send["payout_id"]].answers.append(_answer(send))
    return list(found.values())


def is_gate_shut(books: Books) -> bool:
    """Tell whether doubt keeps the wallet from sending."""
    return any(row["gate"] == "shut" for row in books.rows(_GATE))


def _answer(send: Row) -> str:
    """Return one word for an answer.

    A failure without errors is kept under its key by Flash, so that its replay decides; any other
    refusal speaks for its own send alone.
    """
    if send["answer"] == "refused" and send["answer_code"] == "payment_failed":
        return "failed"
    return str(send["answer"] or "nothing")


def _open(row: Row) -> Open:
    return Open(
        payout_id=row["id"],
        state=row["state"],
        payment_hash=row["payment_hash"],
        amount_msat=row["amount_msat"],
        home=row["home"],
        expires_us=row["invoice_expires_at"],
        is_expiry_seen=row["expired_seen_at"] is not None,
    )
