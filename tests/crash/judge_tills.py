"""What the tills were told, held against the payouts: a promise is kept, a refusal is final."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from models.instants import from_us
from tests.crash.books import Row
from tests.crash.journal import Claim, Journal, Told

_FOR_NOW = "try again"
MONEY_WENT = frozenset({"completed", "processing", "in_flight", "needs_review"})


def judge_tills(journal: Journal, payouts: list[Row]) -> Iterator[str]:
    """Yield every answer that was not true."""
    yield from sorted(set(journal.unexpected))
    yield from _promises(journal.claims, payouts)
    yield from _refusals(journal.claims, payouts)
    yield from _uniqueness(journal.claims, payouts)
    yield from _reads(journal)
    yield from _decisions(journal, payouts)


def _promises(claims: list[Claim], payouts: list[Row]) -> Iterator[str]:
    """Whoever was told OK has a payout of exactly that k1 and invoice."""
    known = {(row["claim_key"], row["payment_hash"]) for row in payouts}
    for claim in claims:
        if claim.told is Told.OK and (claim.claim_key, claim.payment_hash) not in known:
            yield f"a till was told OK for {claim.payment_hash}, and there is no payout"


def _refusals(claims: list[Claim], payouts: list[Row]) -> Iterator[str]:
    """Whoever was told ERROR is not paid, unless the same claim was taken afterwards."""
    by_claim = {(row["claim_key"], row["payment_hash"]): row for row in payouts}
    for claim in claims:
        payout = by_claim.get((claim.claim_key, claim.payment_hash))
        if claim.told is not Told.ERROR or payout is None:
            continue
        # What is refused for now may be taken a moment later, before the till has heard of it.
        since = claim.asked_at if _FOR_NOW in claim.reason else claim.at
        if payout["state"] in MONEY_WENT and since >= _made_at(payout):
            yield f"{payout['id']} is {payout['state']}, but a till was told: {claim.reason}"


def _uniqueness(claims: list[Claim], payouts: list[Row]) -> Iterator[str]:
    """One k1 draws once, one invoice is taken once, and nothing is made up."""
    for name in ("claim_key", "payment_hash"):
        for value, times in Counter(row[name] for row in payouts).items():
            if times > 1:
                yield f"{times} payouts have {name} {value}"
    asked = {(claim.claim_key, claim.payment_hash) for claim in claims}
    for row in payouts:
        if (row["claim_key"], row["payment_hash"]) not in asked:
            yield f"nobody asked for {row['id']}"


def _reads(journal: Journal) -> Iterator[str]:
    """A read of a card opens one withdrawal, however often it is shown."""
    opened = Counter((read.card, read.counter) for read in journal.reads if read.told is Told.OK)
    for (card, counter), times in opened.items():
        if times > 1:
            yield f"read {counter} of card {card} was accepted {times} times"


def _decisions(journal: Journal, payouts: list[Row]) -> Iterator[str]:
    """A rejection that was confirmed stands; an approval that was confirmed is acted upon."""
    states = {row["id"]: row["state"] for row in payouts}
    for decision in journal.decisions:
        state = states[decision.payout_id]
        if decision.told is Told.OK and (decision.verb == "reject") != (state == "rejected"):
            yield f"{decision.payout_id} is {state} though somebody said {decision.verb}"


def _made_at(payout: Row) -> datetime:
    return from_us(payout["created_at"])
