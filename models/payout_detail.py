"""Everything about one payout, in the order it happened, for the screen that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from models.hold import Hold
from models.payout import AttemptState, PayeeHome
from models.payout_view import PayoutView
from models.pull_payment import PullPayment
from models.quote import Quote
from models.statement import Debit, Proposal
from models.success_action import ShownAction


class StepKind(StrEnum):
    """What a line of the timeline tells of."""

    STATE = "state"
    SEND = "send"
    SIGHTING = "sighting"


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One thing that happened, and how long after the one before."""

    kind: StepKind
    at: datetime
    title: str
    note: str | None
    since_before: timedelta | None


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What the invoice itself says; the description is a stranger's text."""

    amount_msat: int | None
    description: str | None
    payee: str
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Advice:
    """What a state or error means in plain words, and what to do next."""

    meaning: str
    next_step: str


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One invoice that was tried, and what it was debited as far as that is known."""

    number: int
    state: AttemptState
    home: PayeeHome
    payment_hash: str
    amount_msat: int
    made_at: datetime
    expires_at: datetime
    sends: int
    debit: Debit | None


@dataclass(frozen=True, slots=True)
class PayoutDetail:
    """One payout with its whole story; `claim_text` answers "it did not arrive".

    Quotes, attempts and holds come first to last; `names` tells who placed and released holds.
    """

    payout: PayoutView
    pull_payment: PullPayment | None
    steps: list[TimelineStep]
    invoice: InvoiceFacts | None
    advice: Advice
    claim_text: str
    quotes: tuple[Quote, ...] = ()
    attempts: tuple[AttemptFacts, ...] = ()
    holds: tuple[Hold, ...] = ()
    proposal: Proposal | None = None
    wallet_currency: str | None = None
    success_action: ShownAction | None = None
    names: Mapping[str, str] = field(default_factory=dict)
