"""Claims by LNURL-withdraw (LUD-03): what a link or tap may draw, and the callback that draws it.

One transaction takes the k1, reserves the budget, stores the invoice and its payment hash. Only
after its commit is Flash asked to pay, and not from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from models.card import Card, CardState, Tap, TapState
from models.errors import (
    DuplicateRow,
    InvoiceError,
    LimitReached,
    NotFoundError,
    OutcomeUnknownError,
    ServiceError,
    UnavailableError,
    WithdrawError,
)
from models.ids import ATTEMPT, PAYOUT, Ids
from models.instants import Clock, from_seconds, to_seconds
from models.invoice import Invoice
from models.money import MAX_SATS, MSAT_PER_SAT, SATS_CURRENCY, Rate, to_sat_ceil
from models.payout import Attempt, AttemptState, DestinationKind, PayeeHome, Payout, PayoutKind
from models.pull_payment import PullPayment
from models.states import FINAL, PayoutState, PayoutStatus
from models.store import PAYEE, Store
from models.wallet import Gate
from services import bolt11, claim_link
from services.boltcards import OpenTap
from services.database import Database
from services.destinations import LONGEST_INVOICE, MIN_SECONDS_LEFT, NETWORK
from services.hub import Hub
from services.plain_text import plain_text
from services.plain_words import search_words
from services.rates import Rates
from services.storage import attempt as attempts
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.search import DESTINATION_START
from services.storage.statement import Transaction
from services.twins import Twins
from services.vault import Vault, token_hash

_log = structlog.get_logger(__name__)

MEMO_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link or tap may draw now, in millisats; nothing left is 0 and 0."""

    k1: str = field(repr=False)
    description: str
    min_msat: int
    max_msat: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A callback: who asks by which k1 for which invoice."""

    k1: str = field(repr=False)
    invoice: Invoice = field(repr=False)
    hint: str | None
    claim_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Draw:
    """What a k1 opens: a pull payment, and the card and tap if there was one."""

    pull_payment: PullPayment
    tap: Tap | None = None
    card: Card | None = None


class Withdrawals:
    """Offers and takes claims."""

    wait_s = 3.0  # tills give up after five seconds, so the answer must come within four

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        *,
        hub: Hub,
        rates: Rates,
        expected_wait_s: Callable[[str], float | None],
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._hub = hub
        self._rates = rates
        self._expected_wait_s = expected_wait_s
        self._twins = Twins[Payout]()

    async def offer_link(self, claim_token: str) -> Offer:
        """Return what the holder of a claim token may draw.

        Raises:
            NotFoundError: No pull payment has this token.
        """
        found = await self._database.read(pull_payments.find_pull_payment, token_hash(claim_token))
        if found is None:
            raise NotFoundError("This withdrawal link is not known.")
        now = self._clock.utc_now()
        k1 = claim_link.sign_k1(self._vault, claim_token, now)
        return self._offer(k1, found, now)

    def offer_tap(self, tap: OpenTap) -> Offer:
        """Return what an accepted tap may draw."""
        return self._offer(tap.k1, tap.pull_payment, self._clock.utc_now())

    async def claim(self, claim: Claim) -> Payout:
        """Reserve a payout for a claim and wait a little for how it ends.

        The same k1 with the same invoice gets the same payout; nothing is paid twice.

        Raises:
            WithdrawError: The k1 is unknown, used or over, or claims are not taken now.
            InvoiceError: The invoice cannot be paid.
            LimitReached: The amount is outside the bounds or over what is left.
            UnavailableError: Payouts are stopped, or would wait longer than the invoice lives.
        """
        payout_id = self._ids.new(PAYOUT)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.wait_s
        with self._hub.listen_payout(payout_id) as changes:
            same = (claim.k1, claim.invoice.payment_hash)
            payout = await self._twins.share(same, lambda: self._reserve_or_find(claim, payout_id))
            if payout.id != payout_id:
                return payout
            _log.info("payout.reserved", payout_id=payout.id, state=payout.state, kind=payout.kind)
            if payout.state is not PayoutState.APPROVED:
                return payout
            while (left_s := deadline - loop.time()) > 0:
                heard = await changes.wait(left_s)
                if any(getattr(change, "state", None) in FINAL for change in heard):
                    return await self._read(payout)
                if changes.take_overflow() and (now := await self._read(payout)).state in FINAL:
                    return now
        return payout

    async def _reserve_or_find(self, claim: Claim, payout_id: str) -> Payout:
        """Reserve, or return what the same callback, sent twice, has reserved meanwhile.

        On PostgreSQL the first may commit while the second looks: whatever the second then trips
        over (the tap is used, the invoice seen, the budget short), it must not be told a refusal.
        """
        try:
            return await self._database.write_within(self.wait_s, self._reserve, claim, payout_id)
        except DuplicateRow:
            # Another callback won the race; this time its rows are there to see.
            return await self._database.write(self._reserve, claim, payout_id)
        except OutcomeUnknownError:
            # It may be reserved. The unique k1 and hash make asking again safe, and waiting for
            # the other commit; if this fails too, whoever answers must not say that it failed.
            return await self._again(claim, payout_id)
        except ServiceError:
            taken = await self._database.read(_find_taken, claim)
            if taken is None:
                raise
            return taken

    async def _again(self, claim: Claim, payout_id: str) -> Payout:
        try:
            return await self._database.write(self._reserve, claim, payout_id)
        except ServiceError:
            raise OutcomeUnknownError from None

    async def _read(self, payout: Payout) -> Payout:
        try:
            fresh = await self._database.read(payouts.read_payout, payout.store_id, payout.id)
        except UnavailableError:
            return payout  # it is reserved and may be paid: anything but OK would be untrue
        return payout if fresh is None else fresh

    def _offer(self, k1: str, pull_payment: PullPayment, now: datetime) -> Offer:
        most = 0
        if pull_payment.is_open(now):
            most = self._most_msat(pull_payment, now)
        return Offer(k1, pull_payment.name, pull_payment.min_sats * MSAT_PER_SAT, most)

    def _most_msat(self, pull_payment: PullPayment, now: datetime) -> int:
        if pull_payment.currency == SATS_CURRENCY:
            sats = pull_payment.remaining
        else:
            rate = self._rates.usable(pull_payment.currency, now)
            sats = 0 if rate is None else rate.msat_floor(pull_payment.remaining) // MSAT_PER_SAT
        return min(sats, pull_payment.max_sats or MAX_SATS) * MSAT_PER_SAT

    # What follows runs inside the reserving transaction.

    def _reserve(self, tx: Transaction, claim: Claim, payout_id: str) -> Payout:
        now = self._clock.utc_now()
        found = self._draw(tx, claim, now)
        if isinstance(found, Payout):
            return self._same_claim(found, claim)
        store = stores.read_store(tx, found.pull_payment.store_id)
        assert store is not None
        self._check(tx, found, claim, now)
        payout = self._new_payout(store, found, claim, payout_id, now)
        if found.tap is not None and not cards.use_tap(tx, found.tap, payout_id, now):
            raise WithdrawError("k1_expired", "This tap has expired; tap again.")
        words = search_words(payout.memo)
        if not payouts.create(tx, payout, PAYEE, words):
            raise LimitReached("budget", "There is not enough left for this amount.")
        target = PayoutState.AWAITING_APPROVAL
        if found.pull_payment.auto_approve:
            target = PayoutState.APPROVED
        attempts.add_attempt(tx, self._new_attempt(payout, claim.invoice, now))
        return payouts.move(tx, payout, target, now=now, actor=PAYEE, reason_code="claimed")

    def _draw(self, tx: Transaction, claim: Claim, now: datetime) -> _Draw | Payout:
        """Return what a k1 opens, or the payout it made before."""
        if claim.claim_token is not None:
            return self._draw_by_link(tx, claim, claim.claim_token, now)
        tap = cards.find_tap(tx, token_hash(claim.k1))
        if tap is None:
            raise WithdrawError("unknown_k1", "This withdrawal is not known; tap again.")
        if tap.state is TapState.USED and tap.payout_id is not None:
            earlier = payouts.read_payout(tx, tap.store_id, tap.payout_id)
            assert earlier is not None
            return earlier
        if tap.expires_at <= now:
            raise WithdrawError("k1_expired", "This tap has expired; tap again.")
        card = cards.read_card(tx, tap.store_id, tap.card_id)
        pull_payment = pull_payments.read_pull_payment(tx, tap.store_id, tap.pull_payment_id)
        assert card is not None
        assert pull_payment is not None
        if card.state is not CardState.ACTIVE:
            raise WithdrawError("card_disabled", "This card is switched off.")
        return _Draw(pull_payment, tap, card)

    def _draw_by_link(
        self, tx: Transaction, claim: Claim, claim_token: str, now: datetime
    ) -> _Draw | Payout:
        pull_payment = pull_payments.find_pull_payment(tx, token_hash(claim_token))
        if pull_payment is None:
            raise NotFoundError("This withdrawal link is not known.")
        earlier = payouts.find_claim(tx, pull_payment.store_id, token_hash(claim.k1))
        if earlier is not None:
            return earlier
        claim_link.check_k1(self._vault, claim.k1, claim_token, now)
        return _Draw(pull_payment)

    def _same_claim(self, earlier: Payout, claim: Claim) -> Payout:
        if earlier.payment_hash != claim.invoice.payment_hash:
            raise WithdrawError("k1_used", "This withdrawal was used before; scan or tap again.")
        return earlier

    def _check(self, tx: Transaction, draw: _Draw, claim: Claim, now: datetime) -> None:
        pull_payment, invoice = draw.pull_payment, claim.invoice
        if not pull_payment.is_open(now):
            raise WithdrawError("closed", "Withdrawals from here are closed.")
        if attempts.find_attempt(tx, invoice.payment_hash) is not None:
            raise InvoiceError("payment_hash_seen", "This invoice was used before; make a new one.")
        if invoice.expires_at_s > to_seconds(now + LONGEST_INVOICE):
            raise InvoiceError("expires_too_late", "This invoice lives too long; make a new one.")
        bolt11.check_payable(
            invoice,
            now_s=to_seconds(now),
            network=NETWORK,
            min_msat=pull_payment.min_sats * MSAT_PER_SAT,
            max_msat=(pull_payment.max_sats or MAX_SATS) * MSAT_PER_SAT,
            min_seconds_left=MIN_SECONDS_LEFT,
        )
        if pull_payment.auto_approve:
            self._check_wait(tx, pull_payment.store_id, invoice, now)

    def _check_wait(self, tx: Transaction, store_id: str, invoice: Invoice, now: datetime) -> None:
        """Refuse at once what would wait longer than its invoice lives, or without an end."""
        wallet = wallets.read_wallet(tx, store_id)
        if wallet is None or wallet.stopped_at is not None or wallet.gate is Gate.SHUT:
            raise UnavailableError("Payouts are paused at the moment; try again later.")
        wait_s = self._expected_wait_s(store_id)
        if wait_s is None:
            raise UnavailableError("Payouts are paused at the moment; try again later.")
        if to_seconds(now) + wait_s + MIN_SECONDS_LEFT > invoice.expires_at_s:
            raise UnavailableError("Too many payouts are waiting; try again in a few minutes.")

    def _new_payout(
        self, store: Store, draw: _Draw, claim: Claim, payout_id: str, now: datetime
    ) -> Payout:
        pull_payment, invoice = draw.pull_payment, claim.invoice
        amount_msat = invoice.amount_msat
        assert amount_msat is not None
        rate = None
        units = int(to_sat_ceil(amount_msat))
        if pull_payment.currency != SATS_CURRENCY:
            rate = self._rates.usable(pull_payment.currency, now)
            if rate is None:
                raise UnavailableError("There is no fresh exchange rate; try again later.")
            units = rate.minor_ceil(amount_msat)
        worth = self._rates.usable(store.currency, now)
        sealer = self._vault.of(store.id)
        return Payout(
            id=payout_id,
            store_id=store.id,
            kind=PayoutKind.CLAIM if draw.tap is None else PayoutKind.TAP,
            state=PayoutState.PENDING,
            status=PayoutStatus.PENDING,
            revision=1,
            pull_payment_id=pull_payment.id,
            card_id=None if draw.card is None else draw.card.id,
            card_verified=draw.card is not None,
            card_hint=claim.hint or (draw.tap.hint if draw.tap is not None else None),
            tap_id=None if draw.tap is None else draw.tap.id,
            original_amount=max(units, 1),
            currency=pull_payment.currency,
            amount_msat=amount_msat,
            amount_sats=to_sat_ceil(amount_msat),
            value_cents=None if worth is None else worth.minor_floor(amount_msat),
            **_rate_columns(rate or worth),
            fee_msat=None,
            debited_nanousd=None,
            destination_kind=DestinationKind.BOLT11,
            destination_start=invoice.text[:DESTINATION_START],
            destination_sealed=sealer.seal_text(invoice.text, f"payouts/{payout_id}/destination"),
            payment_hash=invoice.payment_hash,
            attempts=1,
            evidence=None,
            memo=plain_text(invoice.description or "", MEMO_LIMIT) or None,
            metadata_json="{}",
            error_code=None,
            error_message=None,
            created_at=now,
            eligible_at=None,
            approved_at=None,
            submitted_at=None,
            unknown_since=None,
            review_at=None,
            completed_at=None,
            closed_at=None,
            next_try_at=None,
            claim_key=token_hash(claim.k1),
            wallet_id=None,
            fence=0,
        )

    def _new_attempt(self, payout: Payout, invoice: Invoice, now: datetime) -> Attempt:
        attempt_id = self._ids.new(ATTEMPT)
        sealer = self._vault.of(payout.store_id)
        assert payout.amount_msat is not None
        return Attempt(
            id=attempt_id,
            store_id=payout.store_id,
            payout_id=payout.id,
            number=1,
            state=AttemptState.LIVE,
            payment_hash=invoice.payment_hash,
            invoice_sealed=sealer.seal_text(invoice.text, f"attempts/{attempt_id}/invoice"),
            amount_msat=payout.amount_msat,
            invoice_expires_at=from_seconds(invoice.expires_at_s),
            home=PayeeHome.UNASKED,
            verify_sealed=None,
            expired_seen_at=None,
            created_at=now,
        )


def _find_taken(tx: Transaction, claim: Claim) -> Payout | None:
    """Return the payout that exactly this k1 and invoice have made."""
    attempt = attempts.find_attempt(tx, claim.invoice.payment_hash)
    if attempt is None:
        return None
    payout = payouts.read_payout(tx, attempt.store_id, attempt.payout_id)
    return payout if payout is not None and payout.claim_key == token_hash(claim.k1) else None


def _rate_columns(rate: Rate | None) -> dict[str, Any]:
    if rate is None:
        return dict.fromkeys(("rate_numerator", "rate_denominator", "rate_source", "rate_at"))
    return {
        "rate_numerator": rate.numerator,
        "rate_denominator": rate.denominator,
        "rate_source": rate.source,
        "rate_at": rate.at,
    }
