"""What must hold in every store's books, as one list: the product, the demo and tests check this.

Each has its number in the list of properties the design demands. P16 (what payees are owed) begins
with the first payee who is owed anything: there are no such rows yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Invariant(StrEnum):
    """What must hold; kept with what an audit finds, so a code never changes its meaning."""

    PAID_ONCE = "paid_once"
    EVIDENCE = "evidence"
    RELEASED = "released"
    BALANCED = "balanced"
    BUDGET = "budget"
    PLACE = "place"
    LOGGED = "logged"
    REPEATS = "repeats"
    OFF_WIRE = "off_wire"
    ONE_INVOICE = "one_invoice"
    APPROVED = "approved"
    HELD = "held"
    LIMIT = "limit"
    UNIQUE_HASH = "unique_hash"
    UNIQUE_TAP = "unique_tap"
    UNIQUE_ROW = "unique_row"
    EVENTS = "events"
    STEPS = "steps"
    LAST_EVENT = "last_event"
    RECORD = "record"
    TOLD = "told"
    COUNTER = "counter"
    TIMES = "times"
    FINAL = "final"
    ROLLUPS = "rollups"
    FEE_ROLLUPS = "fee_rollups"


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant's numbers, how it is said to a person, and what to do where it is broken."""

    properties: str
    says: str
    next_step: str


_LOOK = "Open the payout, compare it with the wallet's list, and keep the database as it is."
_BOOKS = "Take a backup, compare the books with the payouts, and report it: code wrote this."
_SHUT = "Shut the gate by stopping the wallet, then find out which debit is whose."
_COUNTS = "Only figures on screens are off, no money; report it with the day that is named."

RULES: dict[Invariant, Rule] = {
    Invariant.PAID_ONCE: Rule("P1", "A payout is paid by one attempt at most.", _SHUT),
    Invariant.EVIDENCE: Rule(
        "P2", "Completed means evidence, and evidence means completed.", _LOOK
    ),
    Invariant.RELEASED: Rule("P1, P3", "Attempts agree with their payout.", _LOOK),
    Invariant.BALANCED: Rule("P4", "Every ledger transaction sums to zero.", _BOOKS),
    Invariant.BUDGET: Rule("P5", "A budget's counters and account equal its payouts.", _BOOKS),
    Invariant.PLACE: Rule("P6", "A payout's money stands where its state says.", _BOOKS),
    Invariant.LOGGED: Rule("P7", "What went on the wire was logged before it did.", _LOOK),
    Invariant.REPEATS: Rule("P7", "Nothing is sent again after an answer that forbids it.", _SHUT),
    Invariant.OFF_WIRE: Rule("P3, P7", "Nothing is on the wire for what waits or failed.", _LOOK),
    Invariant.ONE_INVOICE: Rule("P8", "What is on the wire has one live invoice.", _LOOK),
    Invariant.APPROVED: Rule(
        "P9",
        "What waited for approval was approved by somebody.",
        "See in the record who may have written to the database.",
    ),
    Invariant.HELD: Rule("P10", "Nothing is sent while a hold is on it.", _LOOK),
    Invariant.LIMIT: Rule(
        "P11",
        "Payouts never exceed their budget.",
        "Archive the pull payment, so that nobody draws more from it.",
    ),
    Invariant.UNIQUE_HASH: Rule("P12", "No two payouts pay one invoice.", _LOOK),
    Invariant.UNIQUE_TAP: Rule(
        "P12",
        "A tap makes one payout.",
        "Switch the card off and compare its taps with its payouts.",
    ),
    Invariant.UNIQUE_ROW: Rule("P12", "A row of the statement belongs to one payout.", _LOOK),
    Invariant.EVENTS: Rule("P13", "One event for each transition.", _BOOKS),
    Invariant.STEPS: Rule("P13, P18", "Every step is one the table allows.", _LOOK),
    Invariant.LAST_EVENT: Rule("P13", "The last event is the state.", _LOOK),
    Invariant.RECORD: Rule(
        "P13", "The record has no gap.", "Somebody removed entries: compare with a backup."
    ),
    Invariant.TOLD: Rule(
        "P14",
        "What is to be told is told within a day.",
        "Read the log of the service: what tells alerts does not run.",
    ),
    Invariant.COUNTER: Rule(
        "P15", "A card's counter only rises.", "Switch the card off: it may have been copied."
    ),
    Invariant.TIMES: Rule(
        "P17", "Times follow the order of events.", "Check this machine's clock (NTP)."
    ),
    Invariant.FINAL: Rule("P18", "What is closed stays closed, unless a person opens it.", _LOOK),
    Invariant.ROLLUPS: Rule("figures", "Rollups equal payouts.", _COUNTS),
    Invariant.FEE_ROLLUPS: Rule("figures", "Rollups of fees equal payouts.", _COUNTS),
}
