"""What must hold after every step: the product's own audit, and what Flash's ledger really shows.

The audit's list of invariants is the only one (P1 to P18 stand beside each in `models.invariant`);
here is what rows cannot tell: what payees got, what left before it was written down, and how it
all ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from models.books import Finding
from models.instants import to_us
from models.invariant import Invariant
from models.states import RELEASED, PayoutState
from tests.stateful.house import House

# What the audit does not look at.
NEVER: dict[str, str] = {
    "P5 an account below zero": """
        SELECT account, unit, sum(amount) FROM ledger WHERE account <> 'funding'
        GROUP BY account, unit HAVING sum(amount) < 0
    """,
    "P17 approved after it was sent": """
        SELECT id, state FROM payouts WHERE submitted_at < approved_at
    """,
    "more than six tries of an attempt": """
        SELECT attempt_id FROM sends WHERE coalesce(answer, '') <> 'not_executed'
        GROUP BY attempt_id HAVING count(*) > 6
    """,
}

TOLD_WITHIN = timedelta(seconds=10)
_MOVES = "SELECT source, target FROM payout_events WHERE source IS NOT NULL"
_PAYOUTS = """
SELECT p.id, p.state, p.evidence, a.payment_hash, a.amount_msat, p.debited_nanousd
FROM payouts p LEFT JOIN attempts a ON a.payout_id = p.id
"""
_ALARMED = "SELECT subject_id FROM outbox WHERE topic = 'paid_after_release'"
_UNTOLD = "SELECT topic, subject_id, created_at FROM outbox WHERE told_at IS NULL"
_DONE = frozenset({*(str(state) for state in RELEASED), "completed", "needs_review"})


def moves(house: House) -> Counter[tuple[PayoutState, PayoutState]]:
    """Return how often each step between two states was taken."""
    found = Counter(house.raw.rows(_MOVES))
    return Counter({(PayoutState(a), PayoutState(b)): many for (a, b), many in found.items()})


def wrongs(house: House, excused: frozenset[str] = frozenset()) -> list[str]:
    """Return everything that is wrong at this moment; people misjudged those `excused`."""
    # A clock that jumped leaves nobody the time to tell anything; that is for the end.
    found = [_said(each) for each in _audit(house) if each.invariant is not Invariant.TOLD]
    for name, query in NEVER.items():
        found += [f"{name}: {row}" for row in house.raw.rows(query)]
    found += [f"P7 {scandal}" for scandal in house.flash.scandals]
    found += [f"an error without a name: {error!r}" for error in house.faults]
    return [*found, *_against_flash(house, excused)]


def wrongs_at_the_end(house: House, excused: frozenset[str]) -> list[str]:
    """Return what is wrong once all faults are over and all time has passed."""
    found = [_said(each) for each in _audit(house)] + wrongs(house, excused)
    lately = to_us(house.wall.utc_now() - TOLD_WITHIN)
    found += [f"P14 not told: {row}" for row in house.raw.rows(_UNTOLD) if row[2] < lately]
    payouts = house.raw.rows(_PAYOUTS)
    found += [f"{row[0]} is {row[1]} at the end" for row in payouts if row[1] not in _DONE]
    # To the unit: what our books say was debited, and what Flash's ledger says.
    ours = {row[3]: row[5] for row in payouts if row[1] == "completed"}
    rows = [row for row in _paid(house).values() if row["wallet_id"] is not None]
    mine = [row for row in rows if row["payment_hash"] in ours]
    if all(ours[row["payment_hash"]] is not None for row in mine):
        booked = sum(ours[row["payment_hash"]] for row in mine)
        debited = sum(row["debit_nanousd"] + row["fee_nanousd"] for row in mine)
        if booked != debited:
            found.append(f"debited {booked} by our books, {debited} by Flash's")
    for name, faults in house.flash.world.ledger.audit().items():
        found += [f"Flash itself is at fault, {name}: {row}" for row in faults]
    return found


def _said(finding: Finding) -> str:
    return f"{finding.invariant}: {finding.subject} {finding.detail}"


def _audit(house: House) -> list[Finding]:
    return house.loop.do(house.books.audit(house.store.id))


def _paid(house: House) -> dict[str, dict[str, Any]]:
    """Return what Flash has paid out, by payment hash; whoever pays his own way is a stranger."""
    return {row["payment_hash"]: row for row in house.flash.ledger() if row["state"] == "settled"}


def _against_flash(house: House, excused: frozenset[str]) -> Iterator[str]:
    """Compare every payout with what the payee got."""
    ours = Counter(
        row["payment_hash"]
        for row in house.flash.ledger()
        if row["state"] == "settled" and row["wallet_id"] is not None
    )
    paid = _paid(house)
    alarmed = {row[0] for row in house.raw.rows(_ALARMED)}
    got: Counter[str] = Counter()
    received: Counter[str] = Counter()
    states: dict[str, tuple[str, Any]] = {}
    for payout_id, state, evidence, payment_hash, amount_msat, _ in house.raw.rows(_PAYOUTS):
        states[payout_id] = state, evidence
        got[payout_id] += ours[payment_hash]
        row = paid.get(payment_hash)
        received[payout_id] += row is not None
        # Where the invoice names no amount Flash takes cents, and rounds.
        if row and "NoAmount" not in row["operation"] and row["amount_msat"] != amount_msat:
            yield f"{payout_id} was paid {row['amount_msat']} of {amount_msat}"
    for payout_id, (state, evidence) in states.items():
        if got[payout_id] > 1 and payout_id not in excused:
            yield f"{payout_id} was paid {got[payout_id]} times"
        if state == "completed" and evidence != "person" and received[payout_id] == 0:
            yield f"{payout_id} is completed by {evidence}, and was never paid"
        if state in RELEASED and got[payout_id] and payout_id not in alarmed | excused:
            yield f"{payout_id} is {state}, and was paid"
