"""The judge: holds the service's books against the sandbox's ledger and what the tills heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.sandbox.amounts import credit_of
from tests.crash import judge_sql as sql
from tests.crash.books import Books, Row
from tests.crash.journal import Journal
from tests.crash.judge_tills import judge_tills
from tests.crash.stage import Stage
from tests.crash.unknown import Open, is_gate_shut, read_open

RELEASED = frozenset({"failed", "rejected", "cancelled", "expired"})
UNKNOWN = frozenset({"in_flight", "needs_review"})
_SHOWN = 5
_FULL_STATEMENT = 100
# Within a third, or ten sats: more than the service's own net.
_NEAR_PARTS = 3
_NEAR_MSAT = 10_000


@dataclass(slots=True)
class Verdict:
    """What a round came to."""

    disagreements: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    settled: int = 0


@dataclass(slots=True)
class Judge:
    """Reads everything once and judges it."""

    books: Books
    ledger: list[Row]
    wallet_before: dict[str, Any]
    wallet_after: dict[str, Any]
    audit: dict[str, Any]
    now: datetime
    # Whether hours have passed, so that Flash's own invoices have run out.
    hours: bool
    payouts: list[Row] = field(default_factory=list)

    @classmethod
    async def of(cls, stage: Stage, wallet_before: dict[str, Any], *, hours: bool) -> Judge:
        control = stage.control
        judge = cls(
            stage.books,
            await control.ledger(),
            wallet_before,
            await control.wallet(),
            await control.get("audit"),
            stage.almanac.now(),
            hours,
        )
        judge.payouts = stage.books.rows(sql.PAYOUTS)
        return judge

    def judge(self, journal: Journal) -> Verdict:
        """Return all that does not agree."""
        verdict = Verdict(states=Counter(row["state"] for row in self.payouts))
        verdict.settled = sum(row["state"] == "settled" for row in self.ledger)
        verdict.open = [found.shown(self.now) for found in read_open(self.books)]
        verdict.disagreements = [
            *self._sandbox(),
            *self._both_sides(),
            *self._unknown(),
            *self._own_books(),
            *judge_tills(journal, self.payouts),
        ]
        return verdict

    def _sandbox(self) -> Iterator[str]:
        """The sandbox's own books: no hash settled twice, the balance is what left."""
        if not self.audit["is_clean"]:
            yield f"the sandbox's ledger does not add up: {self.audit}"
        wallet_id = self.wallet_after["id"]
        settled = [row for row in self.ledger if row["state"] == "settled"]
        for payment_hash, times in Counter(row["payment_hash"] for row in settled).items():
            if times > 1:
                yield f"{payment_hash} was paid {times} times"
        left = sum(
            row["debit_nanousd"] + row["fee_nanousd"]
            for row in settled
            if row["wallet_id"] == wallet_id
        )
        came = sum(
            credit_of(row["amount_msat"], row["nanousd_per_btc"])
            for row in settled
            if row["payee_wallet_id"] == wallet_id
        )
        missing = self.wallet_before["book_nanousd"] - self.wallet_after["book_nanousd"]
        if missing != left - came:
            yield f"{missing} nano-dollars are gone, {left} were settled, {came} came"

    def _both_sides(self) -> Iterator[str]:
        """Completed is settled with the same amount; released and waiting is not on the ledger."""
        rows: dict[str, list[Row]] = {}
        for row in (found for found in self.ledger if found["wallet_id"] is not None):
            rows.setdefault(row["payment_hash"], []).append(row)
        for payout in self.payouts:
            found = rows.pop(payout["payment_hash"], [])
            settled = [row for row in found if row["state"] == "settled"]
            who = f"{payout['id']} is {payout['state']} ({payout['error_code']})"
            match payout["state"]:
                case "completed" if len(settled) != 1:
                    yield f"{who}, but {len(settled)} payments were settled"
                case "completed" if settled[0]["amount_msat"] != payout["amount_msat"]:
                    yield f"{who}, but {settled[0]['amount_msat']} msat were paid"
                case state if state in RELEASED and settled:
                    yield f"{who}, but it was paid"
                case state if state in RELEASED and any(r["state"] == "inflight" for r in found):
                    yield f"{who}, but it is on its way"
                case state if state in {"pending", "awaiting_approval", "approved"} and found:
                    yield f"{who}, but the ledger has {[row['state'] for row in found]}"
        for payment_hash, strange in rows.items():
            yield f"{payment_hash} left without a payout: {strange[0]['state']}"

    def _unknown(self) -> Iterator[str]:
        """What is still open must be of a kind that answers and time do not decide."""
        settled = {row["payment_hash"] for row in self.ledger if row["state"] == "settled"}
        is_shut = is_gate_shut(self.books)
        may_wait = {"awaiting_approval"} | ({"approved"} if is_shut else set())
        for found in read_open(self.books):
            reason, shown = found.reason(self.now), found.shown(self.now)
            if found.state not in UNKNOWN:
                if self.hours or found.state not in may_wait:
                    yield f"{shown}: nothing may be left here"
            elif found.home == "home" and found.payment_hash in settled:
                yield f"{shown}: Flash itself knows that this was paid"
            elif found.home == "home" and self.hours and self._stands_alone(found):
                yield f"{shown}: Flash itself knows that this was not paid"
            elif reason == "repeatable" and not is_shut:
                yield f"{shown}: this can be sent again"
            elif reason == "failed" and self.hours:
                yield f"{shown}: this has failed"

    def _stands_alone(self, found: Open) -> bool:
        """Tell whether no row of the wallet's statement could be this payment.

        Rule W gives up only then; it does not trust a full statement, nor one with a payment of
        about the same amount.
        """
        settled = [row for row in self.ledger if row["state"] == "settled"]
        near = found.amount_msat // _NEAR_PARTS + _NEAR_MSAT
        return len(settled) + 1 < _FULL_STATEMENT and not any(
            abs(row["amount_msat"] - found.amount_msat) <= near for row in settled
        )

    def _own_books(self) -> Iterator[str]:
        for what, query in sql.NEVER.items():
            rows = self.books.rows(query)
            for row in rows[:_SHOWN]:
                yield f"{what}: {row}"
            if len(rows) > _SHOWN:
                yield f"{what}: {len(rows)} in all"

    def longest_unknown_s(self, until: datetime) -> float:
        """Return how long a payout was unknown at most before the hours began to pass."""
        until_us = int(until.timestamp() * 1_000_000)
        spans = [
            row["until"] - row["since"]
            for row in self.books.rows(sql.UNKNOWN_SPANS)
            if row["until"] is not None and row["until"] <= until_us
        ]
        return max(spans, default=0) / 1_000_000
