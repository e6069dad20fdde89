"""The one door for evidence: every report about a payout comes through here.

A report is recorded once, weighed, and moves the payout if the table allows; all of that in one
transaction. Events are hints: a lost one costs time, never money.
"""

from __future__ import annotations

from dataclasses import replace

from models.flash import InvoiceStatus, SendOutcome
from models.ids import Ids
from models.instants import Clock
from models.payout import (
    AttemptState,
    EvidenceGrade,
    Payout,
    PayoutKind,
    Send,
    SendAnswer,
    SightingSource,
)
from models.states import PayoutState
from models.store import SYSTEM, Actor
from services import attempt_policy
from services.database import Database
from services.lnurl_verify import proves_payment
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import wallet
from services.storage.statement import Transaction
from services.vault import Vault
from services.verdicts import Case, Verdicts

NOT_PAID = "not_paid"


class Tracking:
    """Takes sightings and moves payouts by them."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._verdicts = Verdicts(vault, clock, ids)

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

    async def take_person(
        self, store_id: str, payout_id: str, actor: Actor, *, is_paid: bool, evidence: str
    ) -> Payout | None:
        """Take what a person found out about a payout that nothing else decides."""
        return await self._database.write(
            self.weigh_person, store_id, payout_id, actor, is_paid=is_paid, evidence=evidence
        )

    # What follows runs inside a transaction.

    def weigh_row(
        self, tx: Transaction, store_id: str, payout_id: str, attempt_id: str, row_id: str
    ) -> Payout | None:
        """Take a claimed row of the wallet's statement (rule S); whoever calls claims it."""
        case = self._verdicts.case(tx, store_id, payout_id, attempt_id)
        self._verdicts.sight(
            tx, case.attempt, SightingSource.STATEMENT, f"{store_id}:{row_id}", "debited", row_id
        )
        if case.attempt.state is AttemptState.SETTLED:
            return case.payout
        return self._verdicts.settle(tx, case, EvidenceGrade.STATEMENT)

    def weigh_person(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        actor: Actor,
        *,
        is_paid: bool,
        evidence: str,
    ) -> Payout | None:
        """Take a person's word; nothing comes back where the table does not ask for one."""
        payout = payouts.lock_payout(tx, store_id, payout_id)
        if payout is None or payout.state is not PayoutState.NEEDS_REVIEW:
            return None
        found = self._verdicts.live_case(tx, payout)
        if found is None:
            return None
        case = replace(found, actor=actor)
        says = "paid" if is_paid else NOT_PAID
        place = f"{case.attempt.id}:{payout.revision}"
        self._verdicts.sight(tx, case.attempt, SightingSource.PERSON, place, says, evidence)
        if is_paid:
            return self._verdicts.settle(tx, case, EvidenceGrade.PERSON)
        return self._verdicts.dead(tx, case, NOT_PAID, "A person found that it was not paid.")

    def hand_over(self, tx: Transaction, payout: Payout, reason_code: str) -> Payout | None:
        """Put what was sent, and is not decided, to a person; nothing if it has moved on."""
        self._apply_sweep(tx, payout)
        fresh = payouts.lock_payout(tx, payout.store_id, payout.id)
        if fresh is None or fresh.state is not PayoutState.IN_FLIGHT:
            return None
        return payouts.move(
            tx,
            fresh,
            PayoutState.NEEDS_REVIEW,
            now=self._clock.utc_now(),
            actor=SYSTEM,
            reason_code=reason_code,
        )

    def weigh_books(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        attempt_id: str,
        actor: Actor = SYSTEM,
    ) -> Payout | None:
        """Take two agreeing books (rule B): this attempt, if it is still unknown, did not leave."""
        payout = payouts.lock_payout(tx, store_id, payout_id)
        open_states = {PayoutState.IN_FLIGHT, PayoutState.NEEDS_REVIEW}
        if payout is None or payout.state not in open_states:
            return None
        found = self._verdicts.live_case(tx, payout)
        if found is None or found.attempt.id != attempt_id:
            return None  # they spoke of an invoice before; of this one they say nothing
        message = "The wallet's books show no such debit."
        return self._verdicts.dead(tx, replace(found, actor=actor), NOT_PAID, message)

    def _apply_answer(self, tx: Transaction, send: Send, outcome: SendOutcome) -> Payout | None:
        now = self._clock.utc_now()
        payout = payouts.lock_payout(tx, send.store_id, send.payout_id)
        assert payout is not None
        if not attempts.answer_send(tx, send, outcome.answer, outcome.code, now):
            return None
        external_id = f"{send.attempt_id}:{send.number}"
        self._verdicts.sight(
            tx, send, SightingSource.SEND, external_id, outcome.answer, outcome.code
        )
        case = self._verdicts.case_of(tx, payout, send.attempt_id)
        if outcome.answer is SendAnswer.SETTLED:
            return self._verdicts.settle(tx, case, EvidenceGrade.FLASH_SUCCESS)
        if case.attempt.state is not AttemptState.LIVE:
            return None  # it speaks of an invoice before; another one may be on its way by now
        match outcome.answer:
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
        case = self._verdicts.case(tx, attempt.store_id, attempt.payout_id, attempt.id)
        self._verdicts.sight(tx, attempt, source, f"{attempt.id}:{status}", status, None)
        if status is InvoiceStatus.PAID and case.sends:
            # Sticky: an EXPIRED that Flash publishes later changes nothing.
            return self._verdicts.settle(tx, case, EvidenceGrade.FLASH_INVOICE)
        is_live = case.attempt.state is AttemptState.LIVE
        is_open = is_live and case.payout.state is PayoutState.IN_FLIGHT
        if status is InvoiceStatus.EXPIRED and is_open:
            return self._expired(tx, case, statement_clear=statement_clear)
        return None

    def _apply_preimage(
        self, tx: Transaction, payment_hash: str, preimage: str, source: SightingSource
    ) -> Payout | None:
        attempt = attempts.find_attempt(tx, payment_hash)
        if attempt is None:
            return None
        case = self._verdicts.case(tx, attempt.store_id, attempt.payout_id, attempt.id)
        self._verdicts.sight(tx, attempt, source, f"{attempt.id}:preimage", "settled", None)
        return self._verdicts.settle(tx, case, EvidenceGrade.PREIMAGE, preimage)

    def _apply_sweep(self, tx: Transaction, payout: Payout) -> Payout | None:
        fresh = payouts.lock_payout(tx, payout.store_id, payout.id)
        if fresh is None or fresh.state is not PayoutState.PROCESSING:
            return None
        case = self._verdicts.live_case(tx, fresh)
        return None if case is None else self._unknown(tx, case, "worker_gone")

    def _apply_age(self, tx: Transaction, payout: Payout) -> Payout | None:
        fresh = payouts.lock_payout(tx, payout.store_id, payout.id)
        if fresh is None or fresh.state is not PayoutState.IN_FLIGHT:
            return None
        case = self._verdicts.live_case(tx, fresh)
        if case is None:
            return None
        if attempt_policy.is_refused_and_over(case.attempt, case.sends, case.now):
            return self._verdicts.dead(
                tx, case, "payment_failed", "The payment could not be delivered."
            )
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

    def _refused(self, tx: Transaction, case: Case, outcome: SendOutcome) -> Payout | None:
        if case.payout.state not in {PayoutState.PROCESSING, PayoutState.IN_FLIGHT}:
            return None
        if not attempt_policy.all_did_nothing(case.sends):
            if attempt_policy.is_refused_and_over(case.attempt, case.sends, case.now):
                return self._verdicts.dead(tx, case, outcome.code, outcome.message)
            return self._unknown(tx, case, outcome.code)
        if outcome.code == "INSUFFICIENT_BALANCE" and self._may_wait(case):
            return self._wait_for_money(tx, case)
        return self._verdicts.dead(tx, case, outcome.code, outcome.message)

    def _may_wait(self, case: Case) -> bool:
        """A claimant is told at once; what a person approved waits for the wallet."""
        return (
            case.payout.kind is PayoutKind.MANUAL or case.payout.eligible_at is not None
        ) and attempt_policy.tries(case.sends) < attempt_policy.MAX_SENDS

    def _wait_for_money(self, tx: Transaction, case: Case) -> Payout:
        payer = wallet.read_wallet(tx, case.payout.store_id)
        if payer is not None and payer.short_since is None:
            wallet.set_short(tx, payer, case.now)
            wallet.add_alert(tx, payer.store_id, "wallet_short", payer.id, case.payout.id, case.now)
        return self._back_to_approved(tx, case, "wallet_short")

    def _not_executed(self, tx: Transaction, case: Case, outcome: SendOutcome) -> Payout | None:
        if case.payout.state not in {PayoutState.PROCESSING, PayoutState.IN_FLIGHT}:
            return None
        if attempt_policy.all_did_nothing(case.sends):
            return self._back_to_approved(tx, case, outcome.code)
        return self._unknown(tx, case, outcome.code)

    def _back_to_approved(self, tx: Transaction, case: Case, code: str | None) -> Payout:
        return payouts.move(
            tx,
            case.payout,
            PayoutState.APPROVED,
            now=case.now,
            actor=SYSTEM,
            reason_code=code,
            unknown_since=None,
        )

    def _unknown(self, tx: Transaction, case: Case, code: str | None) -> Payout | None:
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

    def _expired(self, tx: Transaction, case: Case, *, statement_clear: bool) -> Payout | None:
        if statement_clear and attempt_policy.expired_twice(case.attempt, case.now):
            return self._verdicts.dead(
                tx, case, "invoice_expired", "The invoice ran out without being paid."
            )
        if attempt_policy.expired_counts(case.attempt, case.now):
            attempts.set_expired_seen(tx, case.attempt, case.now)
        return None
