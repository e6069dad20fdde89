"""What evidence does to a payout, inside one transaction: settled, dead, or told too late.

Whoever weighs a report (tracking, the statement, a person) ends here, so that a settlement and a
death are each written in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from models.ids import SIGHTING, Ids
from models.instants import Clock
from models.ledger import FUNDING, PAID, Entry
from models.payout import (
    Attempt,
    AttemptState,
    Evidence,
    EvidenceGrade,
    Payout,
    Send,
    Sighting,
    SightingSource,
)
from models.states import FINAL, RELEASED, PayoutState
from models.store import SYSTEM, Actor
from models.wallet import Gate
from services import attempt_policy, evidence_policy
from services.storage import attempt as attempts
from services.storage import ledger, wallet
from services.storage import payout as payouts
from services.storage.statement import Transaction
from services.vault import Vault

_log = structlog.get_logger(__name__)

PAID_AFTER_RELEASE = "paid_after_release"


@dataclass(frozen=True, slots=True)
class Case:
    """A payout with the attempt a report speaks of, all its sends, and the moment."""

    payout: Payout
    attempt: Attempt
    sends: list[Send]
    now: datetime
    actor: Actor = SYSTEM


class Verdicts:
    """Writes settlements and deaths, with everything that belongs to them."""

    def __init__(self, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._vault = vault
        self._clock = clock
        self._ids = ids

    def settle(
        self, tx: Transaction, case: Case, grade: EvidenceGrade, preimage: str | None = None
    ) -> Payout | None:
        """Complete a payout by evidence; what comes too late for that raises the alarm."""
        payout, attempt = case.payout, case.attempt
        if attempt_policy.all_did_nothing(case.sends):
            # No send of ours can have paid it: somebody else did, and that says nothing of us.
            return None
        sealed = None
        if preimage is not None:
            place = f"evidence/{payout.id}/preimage"
            sealed = self._vault.of(payout.store_id).seal_text(preimage, place)
        attempts.add_evidence(
            tx,
            Evidence(payout.store_id, payout.id, grade, sealed, attempt.payment_hash, case.now),
        )
        if payout.state in RELEASED or attempt.state is AttemptState.DEAD:
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

    def dead(self, tx: Transaction, case: Case, code: str | None, message: str | None) -> Payout:
        """Fail a payout whose only live attempt is dead for certain; its money goes back."""
        attempts.set_attempt_state(tx, case.attempt, AttemptState.DEAD)
        return payouts.move(
            tx,
            case.payout,
            PayoutState.FAILED,
            now=case.now,
            actor=case.actor,
            reason_code=code,
            unknown_since=None,
            error_code=code,
            error_message=message,
        )

    def _alarm_paid_after_release(self, tx: Transaction, case: Case) -> None:
        payout, now = case.payout, case.now
        transaction_id = f"{case.attempt.id}{ledger.AFTER_RELEASE}"
        if ledger.is_posted(tx, transaction_id):
            return  # the same is reported by several, and again and again
        _log.error("payout.paid_after_release", payout_id=payout.id, state=payout.state)
        payer = wallet.read_wallet(tx, payout.store_id)
        if payer is not None:
            wallet.set_gate(tx, payer, Gate.SHUT, PAID_AFTER_RELEASE, now)
        wallet.add_alert(tx, payout.store_id, PAID_AFTER_RELEASE, payout.id, "", now)
        entry = Entry(
            store_id=payout.store_id,
            transaction_id=transaction_id,
            leg=0,
            account=FUNDING,
            unit=payout.currency,
            amount=-payout.original_amount,
            payout_id=payout.id,
            at=now,
        )
        into_paid = replace(entry, leg=1, account=PAID, amount=payout.original_amount)
        ledger.post(tx, (entry, into_paid))

    def _no_longer_short(self, tx: Transaction, case: Case) -> None:
        payer = wallet.read_wallet(tx, case.payout.store_id)
        if payer is not None and payer.short_since is not None:
            wallet.set_short(tx, payer, None)

    def sight(
        self,
        tx: Transaction,
        about: Send | Attempt,
        source: SightingSource,
        external_id: str,
        says: str,
        detail: str | None,
    ) -> None:
        """Record a report once."""
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

    def case(self, tx: Transaction, store_id: str, payout_id: str, attempt_id: str) -> Case:
        """Return a payout, locked, with one of its attempts."""
        # Locked before anything is decided: an answer and a sighting may come at the same moment.
        payout = payouts.lock_payout(tx, store_id, payout_id)
        assert payout is not None
        return self.case_of(tx, payout, attempt_id)

    def case_of(self, tx: Transaction, payout: Payout, attempt_id: str) -> Case:
        """Return a payout that is locked already with one of its attempts."""
        attempt = next(
            found
            for found in attempts.read_attempts(tx, payout.store_id, payout.id)
            if found.id == attempt_id
        )
        sends = [
            send
            for send in attempts.read_sends(tx, payout.store_id, payout.id)
            if send.attempt_id == attempt_id
        ]
        return Case(payout, attempt, sends, self._clock.utc_now())

    def live_case(self, tx: Transaction, payout: Payout) -> Case | None:
        """Return an open payout, locked, with its live attempt; nothing if it has none."""
        attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
        if attempt is None or payout.state in FINAL:
            return None
        return self.case(tx, payout.store_id, payout.id, attempt.id)
