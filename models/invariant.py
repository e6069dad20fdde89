"""What must hold in every store's books, as one list: the product, the demo and tests check this.

Each has its number in the list of properties the design demands. P16 (what payees are owed) begins
with the first payee who is owed anything: there are no such rows yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Invariant(StrEnum):
    """What must hold, as it is said to a person."""

    PAID_ONCE = "a payout is paid by one attempt at most"
    EVIDENCE = "completed means evidence, and evidence means completed"
    RELEASED = "attempts agree with their payout"
    BALANCED = "every ledger transaction sums to zero"
    BUDGET = "a budget's counters and account equal its payouts"
    PLACE = "a payout's money stands where its state says"
    LOGGED = "what went on the wire was logged before it did"
    REPEATS = "nothing is sent again after an answer that forbids it"
    OFF_WIRE = "nothing is on the wire for what waits or failed"
    ONE_INVOICE = "what is on the wire has one live invoice"
    APPROVED = "what waited for approval was approved by somebody"
    HELD = "nothing is sent while a hold is on it"
    LIMIT = "payouts never exceed their budget"
    UNIQUE_HASH = "no two payouts pay one invoice"
    UNIQUE_TAP = "a tap makes one payout"
    UNIQUE_ROW = "a row of the statement belongs to one payout"
    EVENTS = "one event for each transition"
    STEPS = "every step is one the table allows"
    LAST_EVENT = "the last event is the state"
    RECORD = "the record has no gap"
    TOLD = "what is to be told is told within a day"
    COUNTER = "a card's counter only rises"
    TIMES = "times follow the order of events"
    FINAL = "what is closed stays closed, unless a person opens it"
    ROLLUPS = "rollups equal payouts"
    FEE_ROLLUPS = "rollups of fees equal payouts"


@dataclass(frozen=True, slots=True)
class Rule:
    """The numbers of an invariant's properties, and what to do where it is broken."""

    properties: str
    next_step: str


_LOOK = "Open the payout, compare it with the wallet's list, and keep the database as it is."
_BOOKS = "Take a backup, compare the books with the payouts, and report it: code wrote this."
_SHUT = "Shut the gate by stopping the wallet, then find out which debit is whose."
_COUNTS = "Only figures on screens are off, no money; report it with the day that is named."

RULES: dict[Invariant, Rule] = {
    Invariant.PAID_ONCE: Rule("P1", _SHUT),
    Invariant.EVIDENCE: Rule("P2", _LOOK),
    Invariant.RELEASED: Rule("P1, P3", _LOOK),
    Invariant.BALANCED: Rule("P4", _BOOKS),
    Invariant.BUDGET: Rule("P5", _BOOKS),
    Invariant.PLACE: Rule("P6", _BOOKS),
    Invariant.LOGGED: Rule("P7", _LOOK),
    Invariant.REPEATS: Rule("P7", _SHUT),
    Invariant.OFF_WIRE: Rule("P3, P7", _LOOK),
    Invariant.ONE_INVOICE: Rule("P8", _LOOK),
    Invariant.APPROVED: Rule("P9", "See in the record who may have written to the database."),
    Invariant.HELD: Rule("P10", _LOOK),
    Invariant.LIMIT: Rule("P11", "Archive the pull payment, so that nobody draws more from it."),
    Invariant.UNIQUE_HASH: Rule("P12", _LOOK),
    Invariant.UNIQUE_TAP: Rule("P12", "Switch the card off and compare its taps with its payouts."),
    Invariant.UNIQUE_ROW: Rule("P12", _LOOK),
    Invariant.EVENTS: Rule("P13", _BOOKS),
    Invariant.STEPS: Rule("P13, P18", _LOOK),
    Invariant.LAST_EVENT: Rule("P13", _LOOK),
    Invariant.RECORD: Rule("P13", "Somebody removed entries: compare with a backup."),
    Invariant.TOLD: Rule("P14", "Read the log of the service: what tells alerts does not run."),
    Invariant.COUNTER: Rule("P15", "Switch the card off: it may have been copied."),
    Invariant.TIMES: Rule("P17", "Check this machine's clock (NTP)."),
    Invariant.FINAL: Rule("P18", _LOOK),
    Invariant.ROLLUPS: Rule("figures", _COUNTS),
    Invariant.FEE_ROLLUPS: Rule("figures", _COUNTS),
}
