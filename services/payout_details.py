"""Puts together everything about one payout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from models.errors import InvoiceError
from models.instants import from_seconds
from models.payout import Attempt, PayeeHome, PayoutEvent, Send, Sighting
from models.payout_detail import (
    AttemptFacts,
    InvoiceFacts,
    PayoutDetail,
    StepKind,
    TimelineStep,
)
from models.payout_view import PayoutView
from models.success_action import ShownAction
from services import bolt11
from services.advice import advise, claim_text
from services.database import Database
from services.kept_actions import KeptActions
from services.payouts import Payouts
from services.plain_text import plain_text
from services.record import names_of
from services.storage import attempt as attempts
from services.storage import closed_book as closed_books
from services.storage import hold as holds
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage import quote as quotes
from services.storage import statement_row as statement_rows
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_ANSWERS = {
    "settled": "Flash says it is paid",
    "refused": "Flash refused it",
    "not_executed": "Flash did not run it",
    "pending": "Flash says it is on its way",
    "unknown": "no clear answer came back",
    "error": "Flash answered an error",
}
_SOURCES = {
    "send": "Answer to the send",
    "status": "Asked Flash about the invoice",
    "socket": "Flash's socket",
    "verify": "The recipient's server",
    "statement": "The wallet's statement",
    "person": "A person",
    "sweep": "Start-up check",
}
Line = tuple[datetime, int, StepKind, str, str | None]


class PayoutDetails:
    """Reads the story of a payout."""

    def __init__(self, database: Database, payouts_: Payouts, actions: KeptActions) -> None:
        self._database = database
        self._payouts = payouts_
        self._actions = actions

    async def read(
        self,
        store_id: str,
        payout_id: str,
        *,
        shows_all: bool = False,
        shows_people: bool = False,
    ) -> PayoutDetail:
        """Return a payout with its whole story.

        Raises:
            NotFoundError: This store has no such payout.
        """
        view = await self._payouts.read(store_id, payout_id, shows_all=shows_all)
        detail = await self._database.read(_detail, view, shows_people)
        return replace(detail, success_action=await self._actions.shown(view))

    async def success_action(
        self, store_id: str, payout_id: str, *, shows_all: bool = False
    ) -> ShownAction | None:
        """Return what the recipient wants shown, once the payout is settled.

        Whoever may not see the preimage is not shown what it opens.

        Raises:
            NotFoundError: This store has no such payout.
        """
        view = await self._payouts.read(store_id, payout_id, shows_all=shows_all)
        return await self._actions.shown(view)


def _detail(tx: Transaction, view: PayoutView, shows_people: bool) -> PayoutDetail:
    store_id, payout_id = at = view.store_id, view.id
    pull_payment = None
    if view.pull_payment_id is not None:
        pull_payment = pull_payments.read_pull_payment(tx, store_id, view.pull_payment_id)
    tried, sends = attempts.read_attempts(tx, *at), attempts.read_sends(tx, *at)
    wallet = wallets.read_wallet(tx, store_id)
    held = tuple(holds.read_holds(tx, *at))
    by = {actor for hold in held for actor in (hold.placed_by, hold.released_by) if actor}
    return PayoutDetail(
        payout=view,
        pull_payment=pull_payment,
        steps=_steps(tx, view, sends, tried),
        invoice=_facts(view.destination),
        advice=advise(view),
        claim_text=claim_text(view),
        quotes=tuple(quotes.read_quotes(tx, *at)),
        attempts=tuple(_attempt(tx, each, sends) for each in tried),
        holds=held,
        proposal=closed_books.read_proposal(tx, store_id, payout_id),
        wallet_currency=None if wallet is None else wallet.currency,
        names=names_of(tx, store_id, frozenset(by)) if by and shows_people else {},
    )


def _attempt(tx: Transaction, attempt: Attempt, sends: list[Send]) -> AttemptFacts:
    return AttemptFacts(
        number=attempt.number,
        state=attempt.state,
        home=attempt.home,
        payment_hash=attempt.payment_hash,
        amount_msat=attempt.amount_msat,
        made_at=attempt.created_at,
        expires_at=attempt.invoice_expires_at,
        sends=sum(send.attempt_id == attempt.id for send in sends),
        debit=statement_rows.read_debit(tx, attempt.store_id, attempt.id),
    )


def _steps(
    tx: Transaction, view: PayoutView, sends: list[Send], tried: list[Attempt]
) -> list[TimelineStep]:
    lines: list[Line] = []
    lines += map(_of_event, payouts.read_events(tx, view.store_id, view.id))
    for send in sends:
        lines += _of_send(send)
    lines += map(_of_sighting, _others(attempts.read_sightings(tx, view.store_id, view.id)))
    return _timed(lines, tried)


def _others(sightings: Iterable[Sighting]) -> Iterable[Sighting]:
    """Leave out what the sends' own lines tell already."""
    return (sighting for sighting in sightings if sighting.source != "send")


def _of_event(event: PayoutEvent) -> Line:
    title = str(event.target).replace("_", " ").capitalize()
    note = event.reason or (event.reason_code or "").replace("_", " ") or None
    return event.at, event.number, StepKind.STATE, title, note


def _of_send(send: Send) -> list[Line]:
    lines: list[Line] = [
        (send.logged_at, 100, StepKind.SEND, f"Sent to Flash, number {send.number}", None)
    ]
    if send.answered_at is not None and send.answer is not None:
        words = _ANSWERS[send.answer]
        lines.append((send.answered_at, 0, StepKind.SEND, words.capitalize(), send.answer_code))
    return lines


def _of_sighting(sighting: Sighting) -> Line:
    title = f"{_SOURCES[sighting.source]}: {sighting.says.lower().replace('_', ' ')}"
    return sighting.at, 0, StepKind.SIGHTING, title, sighting.detail


def _timed(lines: list[Line], homes: list[Attempt]) -> list[TimelineStep]:
    steps: list[TimelineStep] = []
    before: datetime | None = None
    asked = any(attempt.home is not PayeeHome.UNASKED for attempt in homes)
    for at, _, kind, title, note in sorted(lines, key=lambda line: (line[0], line[1])):
        shown = note
        if kind is StepKind.SEND and title.endswith("number 1") and asked:
            shown = f"{homes[0].home} invoice"
        since = None if before is None else at - before
        steps.append(TimelineStep(kind, at, title, shown, since))
        before = at
    return steps


def _facts(destination: str) -> InvoiceFacts | None:
    try:
        invoice = bolt11.decode(destination)
    except InvoiceError:
        return None
    return InvoiceFacts(
        amount_msat=invoice.amount_msat,
        description=None if invoice.description is None else plain_text(invoice.description, 300),
        payee=invoice.payee,
        made_at=from_seconds(invoice.timestamp_s),
        expires_at=from_seconds(invoice.expires_at_s),
    )
