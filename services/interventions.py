"""What people do to single payouts beside approving them: retry, resolve, hold, release.

Each is one transaction that locks the payout, checks the table of transitions, and writes its
audit row with what it did.
"""

from __future__ import annotations

from datetime import datetime

from models.errors import InvalidField, LimitReached, NotFoundError, StateChanged
from models.events import PayoutChanged
from models.hold import Hold
from models.ids import HOLD, Ids
from models.instants import Clock
from models.payout import Attempt, AttemptState, Payout, SendAnswer
from models.payout_act import PayoutAct, PossibleActs
from models.statement import Proposal
from models.states import ALLOWED, FINAL, PayoutState
from models.store import Actor
from services import attempt_policy
from services.audit import audit
from services.database import Database
from services.plain_text import plain_text
from services.resolver import is_resolvable
from services.storage import attempt as attempts
from services.storage import closed_book as closed_books
from services.storage import hold as holds
from services.storage import ledger
from services.storage import payout as payouts
from services.storage.statement import Transaction
from services.tracking import Tracking

REASON_LIMIT = 500
EVIDENCE_LIMIT = 2_000
# What the table of transitions alone decides.
_BY_TABLE = {
    PayoutAct.REJECT: PayoutState.REJECTED,
    PayoutAct.CANCEL: PayoutState.CANCELLED,
}
_USED_UP = "Its invoice cannot be used again; make a new payout with a new invoice."


class Interventions:
    """Takes people's actions on payouts that the machine has stopped at, or must stop at."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, tracking: Tracking) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._tracking = tracking

    async def retry(
        self, store_id: str, payout_id: str, actor: Actor, revision: int | None = None
    ) -> Payout:
        """Let a failed payout be tried again; its money is reserved anew.

        Raises:
            NotFoundError: This store has no such payout.
            StateChanged: It has not failed, or its invoice cannot be used again.
            LimitReached: The budget no longer covers it.
        """
        return await self._database.write(self._retry, store_id, payout_id, actor, revision)

    async def resolve(
        self,
        store_id: str,
        payout_id: str,
        actor: Actor,
        *,
        is_paid: bool,
        evidence: str,
        revision: int | None = None,
    ) -> Payout:
        """Decide what nothing else decides, by evidence that a person has found.

        Raises:
            InvalidField: No evidence.
            NotFoundError: This store has no such payout.
            StateChanged: It does not wait for a person.
        """
        words = plain_text(evidence, EVIDENCE_LIMIT).strip()
        if not words:
            raise InvalidField("evidence", "Say what shows it.")
        return await self._database.write(
            self._resolve,
            store_id,
            payout_id,
            actor,
            is_paid=is_paid,
            evidence=words,
            revision=revision,
        )

    async def hold(
        self,
        store_id: str,
        payout_id: str,
        actor: Actor,
        *,
        reason: str,
        release_at: datetime | None = None,
        revision: int | None = None,
    ) -> Hold:
        """Stop a payout before its next send; its money stays reserved.

        Raises:
            InvalidField: No reason, or a date that has passed.
            NotFoundError: This store has no such payout.
            StateChanged: It is closed, or held already.
        """
        words = plain_text(reason, REASON_LIMIT).strip()
        if not words:
            raise InvalidField("reason", "Say why it is held.")
        if release_at is not None and release_at <= self._clock.utc_now():
            raise InvalidField("release_at", "Give a time that is still to come.")
        return await self._database.write(
            self._hold, store_id, payout_id, actor, words, release_at, revision
        )

    async def release(
        self, store_id: str, payout_id: str, actor: Actor, revision: int | None = None
    ) -> Payout:
        """Lift the hold of a payout.

        Raises:
            NotFoundError: This store has no such payout.
            StateChanged: It is not held.
        """
        return await self._database.write(self._release, store_id, payout_id, actor, revision)

    async def holds(self, store_id: str, payout_id: str) -> list[Hold]:
        """Return all holds that a payout has had, in order."""
        return await self._database.read(holds.read_holds, store_id, payout_id)

    async def proposal(self, store_id: str, payout_id: str) -> Proposal | None:
        """Return what the books propose for an unknown payout (rule B)."""
        return await self._database.read(closed_books.read_proposal, store_id, payout_id)

    async def possible(self, store_id: str, payout_id: str) -> PossibleActs:
        """Return what may be done to a payout as it stands; roles are for whoever asks.

        Raises:
            NotFoundError: This store has no such payout.
        """
        return await self._database.read(self._possible, store_id, payout_id)

    # What follows runs inside a transaction.

    def _possible(self, tx: Transaction, store_id: str, payout_id: str) -> PossibleActs:
        payout = payouts.read_payout(tx, store_id, payout_id)
        if payout is None:
            raise NotFoundError("There is no such payout.")
        acts = {act for act, target in _BY_TABLE.items() if (payout.state, target) in ALLOWED}
        if PayoutAct.REJECT in acts:
            acts.add(PayoutAct.APPROVE)
        hold = holds.open_hold(tx, store_id, payout_id)
        if payout.state not in FINAL:
            acts.add(PayoutAct.HOLD if hold is None else PayoutAct.RELEASE)
        if payout.state is PayoutState.NEEDS_REVIEW:
            acts.add(PayoutAct.RESOLVE)
        elif payout.state is PayoutState.IN_FLIGHT:
            proposal = closed_books.read_proposal(tx, store_id, payout_id)
            if proposal is not None and proposal.agreed_twice_at is not None:
                acts.add(PayoutAct.NOT_PAID)
        no_retry = None
        if payout.state is PayoutState.FAILED:
            try:
                self._check_retry(tx, payout, self._clock.utc_now())
                acts.add(PayoutAct.RETRY)
            except StateChanged as error:
                no_retry = error.message
        return PossibleActs(frozenset(acts), hold, no_retry)

    def _retry(
        self, tx: Transaction, store_id: str, payout_id: str, actor: Actor, revision: int | None
    ) -> Payout:
        now = self._clock.utc_now()
        payout = _locked(tx, store_id, payout_id, revision)
        again = self._check_retry(tx, payout, now)
        if again is not None:
            attempts.set_attempt_state(tx, again, AttemptState.LIVE)
        _reserve_anew(tx, payout, now)
        moved = payouts.move(
            tx,
            payout,
            PayoutState.APPROVED,
            now=now,
            actor=actor,
            reason_code="retried",
            error_code=None,
            error_message=None,
            closed_at=None,
            approved_at=now,
            submitted_at=None,
            unknown_since=None,
        )
        _audit(tx, payout, moved, actor, "payout.retried", now)
        return moved

    def _check_retry(self, tx: Transaction, payout: Payout, now: datetime) -> Attempt | None:
        """Refuse what cannot be tried again; return the attempt to revive, if there is but one.

        Reviving is safe, as it is dead only because every send of it did nothing; and of use, if
        Flash does not merely repeat a failure that it keeps under the key.
        """
        if payout.state is not PayoutState.FAILED:
            raise StateChanged(payout.id, payout.state, "Only a failed payout can be tried again.")
        known = attempts.read_attempts(tx, payout.store_id, payout.id)
        if any(attempt.state is not AttemptState.DEAD for attempt in known):
            raise StateChanged(payout.id, payout.state, "An invoice of it may still be paid.")
        if ledger.is_posted_after_release(tx, [attempt.id for attempt in known]):
            raise StateChanged(payout.id, payout.state, "It was paid after all; see the alarm.")
        if is_resolvable(payout):
            return None
        attempt = known[-1]
        found = attempts.read_sends(tx, payout.store_id, payout.id)
        sends = [send for send in found if send.attempt_id == attempt.id]
        was_kept = any(
            send.answer is SendAnswer.REFUSED and send.answer_code == attempt_policy.KEPT_FAILURE
            for send in sends
        )
        is_alive = attempt_policy.may_begin(attempt, now)
        if not is_alive or was_kept or not attempt_policy.all_did_nothing(sends):
            raise StateChanged(payout.id, payout.state, _USED_UP)
        return attempt

    def _resolve(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        actor: Actor,
        *,
        is_paid: bool,
        evidence: str,
        revision: int | None,
    ) -> Payout:
        now = self._clock.utc_now()
        payout = _locked(tx, store_id, payout_id, revision)
        proposal = closed_books.read_proposal(tx, store_id, payout_id)
        is_open = not is_paid and payout.state is PayoutState.IN_FLIGHT
        if is_open and proposal is not None and proposal.agreed_twice_at is not None:
            if not closed_books.decide_proposal(tx, proposal, now):
                raise StateChanged(payout_id, payout.state, "The books do not agree any more.")
            moved = self._tracking.weigh_books(tx, store_id, payout_id, proposal.attempt_id, actor)
        else:
            moved = self._tracking.weigh_person(
                tx, store_id, payout_id, actor, is_paid=is_paid, evidence=evidence
            )
        if moved is None:
            message = "It does not wait for a person's decision."
            raise StateChanged(payout_id, payout.state, message)
        if proposal is not None:
            closed_books.decide_proposal(tx, proposal, now)
        _audit(tx, payout, moved, actor, "payout.resolved", now, evidence)
        return moved

    def _hold(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        actor: Actor,
        reason: str,
        release_at: datetime | None,
        revision: int | None,
    ) -> Hold:
        now = self._clock.utc_now()
        payout = _locked(tx, store_id, payout_id, revision)
        if payout.state in FINAL:
            raise StateChanged(payout_id, payout.state, "It is closed.")
        if holds.open_hold(tx, store_id, payout_id) is not None:
            raise StateChanged(payout_id, payout.state, "It is held already.")
        hold = Hold(
            id=self._ids.new(HOLD),
            store_id=store_id,
            payout_id=payout_id,
            reason=reason,
            release_at=release_at,
            placed_at=now,
            placed_by_kind=actor.kind,
            placed_by=actor.id,
            released_at=None,
            released_by=None,
        )
        holds.add_hold(tx, hold)
        _audit(tx, payout, payout, actor, "payout.held", now, reason)
        _tell(tx, payout)
        return hold

    def _release(
        self, tx: Transaction, store_id: str, payout_id: str, actor: Actor, revision: int | None
    ) -> Payout:
        now = self._clock.utc_now()
        payout = _locked(tx, store_id, payout_id, revision)
        if not holds.release_hold(tx, store_id, payout_id, now, actor.id):
            raise StateChanged(payout_id, payout.state, "It is not held.")
        _audit(tx, payout, payout, actor, "payout.released", now)
        _tell(tx, payout)
        return payout


def _locked(tx: Transaction, store_id: str, payout_id: str, revision: int | None = None) -> Payout:
    """Return a payout for this transaction alone, as whoever decides has seen it."""
    payout = payouts.lock_payout(tx, store_id, payout_id)
    if payout is None:
        raise NotFoundError("There is no such payout.")
    if revision is not None and payout.revision != revision:
        raise StateChanged(payout_id, payout.state)
    return payout


def _reserve_anew(tx: Transaction, payout: Payout, now: datetime) -> None:
    """See that the budget covers the payout once more; the move itself then reserves it.

    Taking and giving back holds the budget's row until the commit, so nobody gets between.
    """
    pull_payment_id = payout.pull_payment_id
    if pull_payment_id is None:
        return
    units = payout.original_amount
    if not ledger.take_budget(tx, payout.store_id, pull_payment_id, units, now):
        raise LimitReached("budget", "There is not enough left for this amount.")
    ledger.give_budget_back(tx, payout.store_id, pull_payment_id, units)


def _tell(tx: Transaction, payout: Payout) -> None:
    tx.changes.append(PayoutChanged(payout.store_id, payout.id, payout.state, payout.revision))


def _audit(
    tx: Transaction,
    before: Payout,
    after: Payout,
    actor: Actor,
    action: str,
    now: datetime,
    words: str | None = None,
) -> None:
    audit(
        tx,
        after.store_id,
        actor,
        action,
        now=now,
        subject_id=after.id,
        before={"state": before.state, "revision": before.revision},
        after={"state": after.state, "words": words, "amount_sats": after.amount_sats},
    )
