"""The one door for evidence: every report about a payout comes through here.

A report is recorded once, weighed, and moves the payout if the table allows; all of that in one
transaction. Events are hints: a lost one costs time, never money.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from models.flash import InvoiceStatus, SendOutcome
from models.ids import SIGHTING, Ids
from models.instants import Clock
from models.ledger import FUNDING, PAID, Entry
from models.payout import (
    Attempt,
    AttemptState,
    Evidence,
    EvidenceGrade,
    Payout,
    PayoutKind,
    Send,
    SendAnswer,
    Sighting,
    SightingSource,
)
from models.states import FINAL, RELEASED, PayoutState
from models.store import SYSTEM, Actor
from models.wallet import Gate
from services import attempt_policy, evidence_policy
from services.database import Database
from services.lnurl_verify import proves_payment
from services.storage import attempt as attempts
from services.storage import ledger, wallet
from services.storage import payout as payouts
from services.storage.statement import Transaction
from services.vault import Vault

_log = structlog.get_logger(__name__)

PAID_AFTER_RELEASE = "paid_after_release"


@dataclass(frozen=True, slots=True)
class _Case:
    """A payout with the attempt a report speaks of, all its sends, and the moment."""

    payout: Payout
    attempt: Attempt
    sends: list[Send]
    now: datetime
    actor: Actor = SYSTEM


class Tracking:
    """Takes sightings and moves payouts by them."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def take_answer(self, send: Send, outcome: SendOutcome) -> Payout | None:
        """Take what came back for a send."""
        return await self._database.write(self._apply_answer, send, outcome)

    async def take_status(
        self,
        payment_hash: str,
        status: InvoiceStatus,
        source: SightingSource,
        *,
        statement_clear: bool = False,
    ) -> Payout | None:
        """Take what Flash says of the invoice of an attempt.

        `statement_clear` says that the wallet's list, read after the answer, has no row that
        could be this payment; without it an EXPIRED never gives up.
        """
        return await self._database.write(
            self._apply_status, payment_hash, status, source, statement_clear
        )

    async def take_preimage(
        self, payment_hash: str, preimage: str, source: SightingSource
    ) -> Payout | None:
        """Take a preimage; one that does not hash to the payment hash says nothing."""
        if not proves_payment(preimage, payment_hash):
            return None
        return await self._database.write(self._apply_preimage, payment_hash, preimage, source)

    async def sweep(self, payout: Payout) -> Payout | None:
        """Call unknown what a worker that is gone had on the wire."""
        return await self._database.write(self._apply_sweep, payout)

    async def look_at_age(self, payout: Payout) -> Payout | None:
        """Let time decide what time may decide: give up on a refusal, or hand over to people."""
        return await self._database.write(self._apply_age, payout)

    # What follows runs inside a transaction.

    def _apply_answer(self, tx: Transaction, send: Send, outcome: SendOutcome) -> Payout | None:
        now = self._clock.utc_now()
        payouts.lock_payout(tx, send.store_id, send.payout_id)
        if not attempts.answer_send(tx, send, outcome.answer, outcome.code, now):
            return None
        external_id = f"{send.attempt_id}:{send.number}"
        self._sight(tx, send, SightingSource.SEND, external_id, outcome.answer, outcome.code)
        case = self._case(tx, send.store_id, send.payout_id, send.attempt_id)
        match outcome.answer:
            case SendAnswer.SETTLED:
                return self._settle(tx, case, EvidenceGrade.FLASH_SUCCESS)
            case SendAnswer.REFUSED:
                return self._refused(tx, case, outcome)
            case SendAnswer.NOT_EXECUTED:
                return self._not_executed(tx, case, outcome)
            case SendAnswer.PENDING | SendAnswer.UNKNOWN | SendAnswer.ERROR:
                return self._unknown(tx, case, outcome.code)

    def _apply_status(
        self,
        tx: Transaction,
        payment_hash: str,
        status: InvoiceStatus,
        source: SightingSource,
        statement_clear: bool,
    ) -> Payout | None:
        attempt = attempts.find_attempt(tx, payment_hash)
        if attempt is None:
            return None
        case = self._case(tx, attempt.store_id, attempt.payout_id, attempt.id)
        self._sight(tx, attempt, source, f"{attempt.id}:{status}", status, None)
        if status is InvoiceStatus.PAID and case.sends:
            # Sticky: an EXPIRED that Flash publishes later changes nothing.
            return self._settle(tx, case, EvidenceGrade.FLASH_INVOICE)
        if status is InvoiceStatus.EXPIRED and case.payout.state is PayoutState.IN_FLIGHT:
            return self._expired(tx, case, statement_clear=statement_clear)
        return None

    def _apply_preimage(
        self, tx: Transaction, payment_hash: str, preimage: str, source: SightingSource
    ) -> Payout | None:
        attempt = attempts.find_attempt(tx, payment_hash)
        if attempt is None:
            return None
        case = self._case(tx, attempt.store_id, attempt.payout_id, attempt.id)
        self._sight(tx, attempt, source, f"{attempt.id}:preimage", "settled", None)
        return self._settle(tx, case, EvidenceGrade.PREIMAGE, preimage)

    def _apply_sweep(self, tx: Transaction, payout: Payout) -> Payout | None:
        fresh = payouts.lock_payout(tx, payout.store_id, payout.id)
        if fresh is None or fresh.state is not PayoutState.PROCESSING:
            return None
        case = self._live_case(tx, fresh)
        return None if case is None else self._unknown(tx, case, "worker_gone")

    def _apply_age(self, tx: Transaction, payout: Payout) -> Payout | None:
        fresh = payouts.lock_payout(tx, payout.store_id, payout.id)
        if fresh is None or fresh.state is not PayoutState.IN_FLIGHT:
            return None
        case = self._live_case(tx, fresh)
        if case is None:
            return None
        if attempt_policy.is_refused_and_over(case.attempt, case.sends, case.now):
            return self._dead(tx, case, "payment_failed", "The payment could not be delivered.")
        if case.now >= attempt_policy.review_due(case.attempt):
            return payouts.move(
                tx,
                fresh,
                PayoutState.NEEDS_REVIEW,
                now=case.now,
                actor=SYSTEM,
                reason_code="nothing_decides",
            )
        return None

    def _settle(
        self, tx: Transaction, case: _Case, grade: EvidenceGrade, preimage: str | None = None
    ) -> Payout | None:
        payout, attempt = case.payout, case.attempt
        if attempt_policy.all_did_nothing(case.sends):
            # No send of ours can have paid it: somebody else did, and that says nothing of us.
            return None
        sealed = None
        if preimage is not None:
            place = f"evidence/{payout.id}/preimage"
            sealed = self._vault.of(payout.store_id).seal_text(preimage, place)
        is_first = not attempts.read_evidence(tx, payout.store_id, payout.id)
        added = attempts.add_evidence(
            tx,
            Evidence(payout.store_id, payout.id, grade, sealed, attempt.payment_hash, case.now),
        )
        if payout.state in RELEASED or attempt.state is AttemptState.DEAD:
            if added and is_first:
                self._alarm_paid_after_release(tx, case)
            return None
        if payout.state is PayoutState.COMPLETED:
            if evidence_policy.is_better(grade, payout.evidence):
                return payouts.amend(tx, payout, evidence=grade)
            return None
        attempts.set_attempt_state(tx, attempt, AttemptState.SETTLED)
        self._no_longer_short(tx, case)
        return payouts.move(
            tx,
            payout,
            PayoutState.COMPLETED,
            now=case.now,
            actor=case.actor,
            reason_code=grade,
            evidence=grade,
            unknown_since=None,
            error_code=None,
            error_message=None,
        )

    def _refused(self, tx: Transaction, case: _Case, outcome: SendOutcome) -> Payout | None:
        if case.payout.state not in {PayoutState.PROCESSING, PayoutState.IN_FLIGHT}:
            return None
        if not attempt_policy.all_did_nothing(case.sends):
            if attempt_policy.is_refused_and_over(case.attempt, case.sends, case.now):
                return self._dead(tx, case, outcome.code, outcome.message)
            return self._unknown(tx, case, outcome.code)
        if outcome.code == "INSUFFICIENT_BALANCE" and self._may_wait(case):
            return self._wait_for_money(tx, case)
        return self._dead(tx, case, outcome.code, outcome.message)

    def _may_wait(self, case: _Case) -> bool:
        """A claimant is told at once; what a person approved waits for the wallet."""
        return (
            case.payout.kind is PayoutKind.MANUAL or case.payout.eligible_at is not None
        ) and attempt_policy.tries(case.sends) < attempt_policy.MAX_SENDS

    def _wait_for_money(self, tx: Transaction, case: _Case) -> Payout:
        payer = wallet.read_wallet(tx, case.payout.store_id)
        if payer is not None and payer.short_since is None:
            wallet.set_short(tx, payer, case.now)
            wallet.add_alert(tx, payer.store_id, "wallet_short", payer.id, case.payout.id, case.now)
        return self._back_to_approved(tx, case, "wallet_short")

    def _no_longer_short(self, tx: Transaction, case: _Case) -> None:
        payer = wallet.read_wallet(tx, case.payout.store_id)
        if payer is not None and payer.short_since is not None:
            wallet.set_short(tx, payer, None)

    def _not_executed(self, tx: Transaction, case: _Case, outcome: SendOutcome) -> Payout | None:
        if case.payout.state is not PayoutState.PROCESSING:
            return None
        if attempt_policy.all_did_nothing(case.sends):
            return self._back_to_approved(tx, case, outcome.code)
        return self._unknown(tx, case, outcome.code)

    def _back_to_approved(self, tx: Transaction, case: _Case, code: str | None) -> Payout:
        return payouts.move(
            tx,
            case.payout,
            PayoutState.APPROVED,
            now=case.now,
            actor=SYSTEM,
            reason_code=code,
            unknown_since=None,
        )

    def _unknown(self, tx: Transaction, case: _Case, code: str | None) -> Payout | None:
        since = case.payout.unknown_since
        if since is None and attempt_policy.is_unknown(case.sends):
            since = case.now
        if case.payout.state is PayoutState.PROCESSING:
            return payouts.move(
                tx,
                case.payout,
                PayoutState.IN_FLIGHT,
                now=case.now,
                actor=SYSTEM,
                reason_code=code,
                unknown_since=since,
                error_code=code,
            )
        return None

    def _expired(self, tx: Transaction, case: _Case, *, statement_clear: bool) -> Payout | None:
        if statement_clear and attempt_policy.expired_twice(case.attempt, case.now):
            return self._dead(
                tx, case, "invoice_expired", "The invoice ran out without being paid."
            )
        if attempt_policy.expired_counts(case.attempt, case.now):
            attempts.set_expired_seen(tx, case.attempt, case.now)
        return None

    def _dead(self, tx: Transaction, case: _Case, code: str | None, message: str | None) -> Payout:
        attempts.set_attempt_state(tx, case.attempt, AttemptState.DEAD)
        return payouts.move(
            tx,
            case.payout,
            PayoutState.FAILED,
            now=case.now,
            actor=SYSTEM,
            reason_code=code,
            unknown_since=None,
            error_code=code,
            error_message=message,
        )

    def _alarm_paid_after_release(self, tx: Transaction, case: _Case) -> None:
        payout, now = case.payout, case.now
        _log.error("payout.paid_after_release", payout_id=payout.id, state=payout.state)
        payer = wallet.read_wallet(tx, payout.store_id)
        if payer is not None:
            wallet.set_gate(tx, payer, Gate.SHUT, PAID_AFTER_RELEASE, now)
        wallet.add_alert(tx, payout.store_id, PAID_AFTER_RELEASE, payout.id, "", now)
        entry = Entry(
            store_id=payout.store_id,
            transaction_id=f"{payout.id}:after-release",
            leg=0,
            account=FUNDING,
            unit=payout.currency,
            amount=-payout.original_amount,
            payout_id=payout.id,
            at=now,
        )
        into_paid = replace(entry, leg=1, account=PAID, amount=payout.original_amount)
        ledger.post(tx, (entry, into_paid))

    def _sight(
        self,
        tx: Transaction,
        about: Send | Attempt,
        source: SightingSource,
        external_id: str,
        says: str,
        detail: str | None,
    ) -> None:
        attempts.add_sighting(
            tx,
            Sighting(
                id=self._ids.new(SIGHTING),
                store_id=about.store_id,
                payout_id=about.payout_id,
                attempt_id=about.attempt_id if isinstance(about, Send) else about.id,
                source=source,
                external_id=external_id,
                says=str(says),
                detail=detail,
                at=self._clock.utc_now(),
            ),
        )

    def _case(self, tx: Transaction, store_id: str, payout_id: str, attempt_id: str) -> _Case:
        # Locked before anything is decided: an answer and a sighting may come at the same moment.
        payout = payouts.lock_payout(tx, store_id, payout_id)
        assert payout is not None
        attempt = next(
            found
            for found in attempts.read_attempts(tx, store_id, payout_id)
            if found.id == attempt_id
        )
        sends = [
            send
            for send in attempts.read_sends(tx, store_id, payout_id)
            if send.attempt_id == attempt_id
        ]
        return _Case(payout, attempt, sends, self._clock.utc_now())

    def _live_case(self, tx: Transaction, payout: Payout) -> _Case | None:
        attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
        if attempt is None or payout.state in FINAL:
            return None
        return self._case(tx, payout.store_id, payout.id, attempt.id)
