"""Payouts as people meet them: lists, one of them, approval, rejection, cancellation."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import count

from models.errors import InvalidField, NotFoundError, StateChanged
from models.instants import Clock
from models.payout import Attempt, AttemptState, EvidenceGrade, Payout, PayoutEvent
from models.payout_filter import PayoutFilter
from models.payout_order import Mark, PayoutOrder, mark_of
from models.payout_view import Page, PayoutView, RateView
from models.states import ALLOWED, PayoutState
from models.store import Actor
from services.audit import audit
from services.boltcards import Boltcards
from services.card_crypto import UID_LENGTH
from services.database import Database
from services.familiar import Familiar
from services.storage import attempt as attempts
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import payout_page
from services.storage.statement import Transaction
from services.vault import Vault

REASON_LIMIT = 500
REASON_CODE_LIMIT = 64
NO_CARD = "none"


class Payouts:
    """Shows payouts and takes people's decisions on them."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, boltcards: Boltcards
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._boltcards = boltcards

    async def page(
        self,
        store_id: str,
        wanted: PayoutFilter,
        limit: int,
        before: Mark | None = None,
        *,
        order: PayoutOrder = PayoutOrder.CREATED,
        shows_all: bool = False,
        stretches: int | None = None,
    ) -> Page:
        """Return payouts that fit a filter, in an order, from behind a mark of that order.

        Where few of very many fit they are looked for a stretch at a time, so that others have
        their turn; after so many stretches the page stays short, and the next goes on from there.
        """
        items: list[PayoutView] = []
        for number in count(1):
            rest = limit - len(items)
            part = await self._database.read(
                self._page, store_id, wanted, rest, order, before, shows_all
            )
            items, before = items + part.items, part.next_before
            if before is None or len(items) == limit or number == stretches:
                break
        return Page(items, before)

    async def read(self, store_id: str, payout_id: str, *, shows_all: bool = False) -> PayoutView:
        """Return one payout.

        Raises:
            NotFoundError: This store has no such payout.
        """
        return await self._database.read(self._read, store_id, payout_id, shows_all)

    async def events(self, store_id: str, payout_id: str) -> list[PayoutEvent]:
        """Return the transitions of a payout, in order.

        Raises:
            NotFoundError: This store has no such payout.
        """
        return await self._database.read(_events, store_id, payout_id)

    async def approve(
        self, store_id: str, payout_id: str, revision: int, actor: Actor
    ) -> PayoutView:
        """Let a waiting payout be paid, if it still is as the approver saw it.

        Raises:
            NotFoundError: This store has no such payout.
            StateChanged: It does not wait for approval any more, or is another revision.
        """
        approved = await self._database.write(self._approve, store_id, payout_id, revision, actor)
        return self._returned(
            await self.read(store_id, payout_id), approved, "The invoice has run out meanwhile."
        )

    async def reject(
        self,
        store_id: str,
        payout_id: str,
        revision: int,
        actor: Actor,
        *,
        reason_code: str,
        reason: str,
    ) -> PayoutView:
        """Turn a waiting payout down for a reason; its money goes back to the budget.

        Raises:
            InvalidField: No reason.
            NotFoundError: This store has no such payout.
            StateChanged: It does not wait for approval any more, or is another revision.
        """
        if not 1 <= len(reason_code.strip()) <= REASON_CODE_LIMIT:
            raise InvalidField("reason_code", "give a short code such as duplicate")
        if not 1 <= len(reason.strip()) <= REASON_LIMIT:
            raise InvalidField("reason", f"give a reason of 1 to {REASON_LIMIT} characters")
        await self._database.write(
            self._close,
            store_id,
            payout_id,
            revision,
            actor,
            PayoutState.REJECTED,
            reason_code.strip(),
            reason.strip(),
        )
        return await self.read(store_id, payout_id)

    async def cancel(
        self, store_id: str, payout_id: str, actor: Actor, revision: int | None = None
    ) -> PayoutView:
        """Withdraw a payout that has not been sent.

        Raises:
            NotFoundError: This store has no such payout.
            StateChanged: It was sent, or is closed.
        """
        await self._database.write(
            self._close,
            store_id,
            payout_id,
            revision,
            actor,
            PayoutState.CANCELLED,
            "cancelled",
            None,
        )
        return await self.read(store_id, payout_id)

    @staticmethod
    def _returned(view: PayoutView, approved: bool, message: str) -> PayoutView:
        if not approved:
            raise StateChanged(view.id, view.state, message)
        return view

    def _approve(
        self, tx: Transaction, store_id: str, payout_id: str, revision: int, actor: Actor
    ) -> bool:
        payout = _waiting(tx, store_id, payout_id, revision, PayoutState.AWAITING_APPROVAL)
        now = self._clock.utc_now()
        attempt = attempts.live_attempt(tx, store_id, payout_id)
        if attempt is not None and attempt.invoice_expires_at <= now:
            self._shut(
                tx, payout, attempt, PayoutState.EXPIRED, now, actor, "invoice_expired", None
            )
            return False
        payouts.move(tx, payout, PayoutState.APPROVED, now=now, actor=actor, reason_code="approved")
        _audit_decision(tx, payout, PayoutState.APPROVED, actor, now, None)
        return True

    def _close(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        revision: int | None,
        actor: Actor,
        target: PayoutState,
        reason_code: str,
        reason: str | None,
    ) -> None:
        payout = _waiting(tx, store_id, payout_id, revision, None)
        if (payout.state, target) not in ALLOWED:
            raise StateChanged(payout_id, payout.state)
        now = self._clock.utc_now()
        attempt = attempts.live_attempt(tx, store_id, payout_id)
        self._shut(tx, payout, attempt, target, now, actor, reason_code, reason)
        _audit_decision(tx, payout, target, actor, now, reason)

    def _shut(
        self,
        tx: Transaction,
        payout: Payout,
        attempt: Attempt | None,
        target: PayoutState,
        now: datetime,
        actor: Actor,
        reason_code: str,
        reason: str | None,
    ) -> None:
        if attempt is not None:
            attempts.set_attempt_state(tx, attempt, AttemptState.DEAD)
        payouts.move(
            tx,
            payout,
            target,
            now=now,
            actor=actor,
            reason_code=reason_code,
            reason=reason,
            error_code=reason_code,
            error_message=reason,
        )

    def _page(
        self,
        tx: Transaction,
        store_id: str,
        wanted: PayoutFilter,
        limit: int,
        order: PayoutOrder,
        before: Mark | None,
        shows_all: bool,
    ) -> Page:
        card_id = resolve_card(tx, self._boltcards, store_id, wanted.card)
        if card_id == NO_CARD:
            return Page([], None)
        found = payout_page.page(tx, store_id, wanted, card_id, limit + 1, order, before)
        rows = found.payouts
        known = Familiar()
        views = [self._view(tx, row, known, shows_all) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(views, found.looked_to)
        return Page(views, mark_of(rows[limit - 1], order))

    def _read(self, tx: Transaction, store_id: str, payout_id: str, shows_all: bool) -> PayoutView:
        return self._view(tx, _require(tx, store_id, payout_id), Familiar(), shows_all)

    def view(self, tx: Transaction, payout: Payout) -> PayoutView:
        """Return a payout as it is shown, inside the transaction that wrote it."""
        return self._view(tx, payout, Familiar(), shows_all=False)

    def _view(
        self, tx: Transaction, payout: Payout, known: Familiar, shows_all: bool
    ) -> PayoutView:
        card = known.card(tx, payout)
        uid = None if card is None else self._boltcards.uid_of(card)
        sealer = self._vault.of(payout.store_id)
        rate = None
        if payout.rate_numerator is not None and payout.rate_denominator is not None:
            assert payout.rate_at is not None
            rate = RateView(
                payout.rate_numerator,
                payout.rate_denominator,
                payout.rate_source or "",
                payout.rate_at,
            )
        return PayoutView(
            id=payout.id,
            store_id=payout.store_id,
            kind=payout.kind,
            pull_payment_id=payout.pull_payment_id,
            pull_payment_name=known.pull_payment_name(tx, payout),
            status=payout.status,
            state=payout.state,
            revision=payout.revision,
            amount_sats=payout.amount_sats,
            amount_msat=payout.amount_msat,
            fee_msat=payout.fee_msat,
            debited_nanousd=payout.debited_nanousd,
            value_cents=payout.value_cents,
            currency=payout.currency,
            original_amount=payout.original_amount,
            rate=rate,
            boltcard_id=payout.card_id,
            boltcard_alias=None if card is None else card.alias,
            boltcard_uid=_shown_uid(uid, payout.card_hint, whole=shows_all),
            card_verified=payout.card_verified,
            destination=sealer.open_text(
                payout.destination_sealed, f"payouts/{payout.id}/destination"
            ),
            payment_hash=payout.payment_hash,
            preimage=self._preimage(tx, payout) if shows_all else None,
            evidence=payout.evidence,
            attempts=payout.attempts,
            memo=payout.memo,
            error_code=payout.error_code,
            error_message=payout.error_message,
            metadata=json.loads(payout.metadata_json),
            created_at=payout.created_at,
            approved_at=payout.approved_at,
            submitted_at=payout.submitted_at,
            completed_at=payout.completed_at,
        )

    def _preimage(self, tx: Transaction, payout: Payout) -> str | None:
        if payout.evidence is not EvidenceGrade.PREIMAGE:
            return None
        for evidence in attempts.read_evidence(tx, payout.store_id, payout.id):
            if evidence.preimage_sealed is not None:
                place = f"evidence/{payout.id}/preimage"
                return self._vault.of(payout.store_id).open_text(evidence.preimage_sealed, place)
        return None


def resolve_card(
    tx: Transaction, boltcards: Boltcards, store_id: str, text: str | None
) -> str | None:
    """Return the id of the card that an id, UID or whole alias names; NO_CARD if none does."""
    if text is None:
        return None
    folded = text.strip().casefold()
    by_id = cards.read_card(tx, store_id, folded)
    found = by_id or cards.find_alias(tx, store_id, text)
    if found is None and len(folded) == 2 * UID_LENGTH:
        try:
            found = cards.find_uid(tx, boltcards.uid_hash(bytes.fromhex(folded)))
        except ValueError:
            found = None
    if found is None or found.store_id != store_id:
        return NO_CARD
    return found.id


def mask_uid(uid: str) -> str:
    """Return a UID with all but its last four digits hidden."""
    return "•" * (len(uid) - 4) + uid[-4:]


def _shown_uid(uid: str | None, hint: str | None, *, whole: bool) -> str | None:
    """Show a verified UID (masked for most), else what the claimant said it was."""
    if uid is None:
        return hint
    return uid if whole else mask_uid(uid)


def _events(tx: Transaction, store_id: str, payout_id: str) -> list[PayoutEvent]:
    _require(tx, store_id, payout_id)
    return payouts.read_events(tx, store_id, payout_id)


def _require(tx: Transaction, store_id: str, payout_id: str) -> Payout:
    payout = payouts.read_payout(tx, store_id, payout_id)
    if payout is None:
        raise NotFoundError("There is no such payout.")
    return payout


def _waiting(
    tx: Transaction,
    store_id: str,
    payout_id: str,
    revision: int | None,
    state: PayoutState | None,
) -> Payout:
    payout = payouts.lock_payout(tx, store_id, payout_id)
    if payout is None:
        raise NotFoundError("There is no such payout.")
    changed = revision is not None and payout.revision != revision
    if changed or (state is not None and payout.state is not state):
        raise StateChanged(payout_id, payout.state)
    return payout


def _audit_decision(
    tx: Transaction,
    payout: Payout,
    target: PayoutState,
    actor: Actor,
    now: datetime,
    reason: str | None,
) -> None:
    audit(
        tx,
        payout.store_id,
        actor,
        f"payout.{target}",
        now=now,
        subject_id=payout.id,
        before={"state": payout.state, "revision": payout.revision},
        after={"state": target, "reason": reason, "amount_sats": payout.amount_sats},
    )
