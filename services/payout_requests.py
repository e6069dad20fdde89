"""Takes payouts that people and programs ask for: reads, quotes, checks, reserves.

The recipient's service is asked before the transaction, never inside it; what the transaction
writes is a payout that waits for approval, or is approved where its pull payment says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from models.destination import Destination, Terms
from models.errors import (
    InvalidField,
    InvoiceError,
    LimitReached,
    NotFoundError,
)
from models.ids import ATTEMPT, PAYOUT, Ids
from models.instants import Clock, from_seconds, to_seconds
from models.invoice import Invoice
from models.money import BTC_CURRENCY, MAX_MINOR, MAX_MSAT, MSAT_PER_SAT, SATS_CURRENCY, to_sat_ceil
from models.payout import Attempt, AttemptState, PayeeHome, Payout, PayoutKind
from models.payout_request import AMOUNTLESS_RISK, PayoutPreview, PayoutRequest
from models.pull_payment import PullPayment
from models.quote import QUOTE_LOCK
from models.states import PayoutState, PayoutStatus
from models.store import Actor, Store
from services import bolt11
from services.audit import audit
from services.database import Database
from services.destinations import LONGEST_INVOICE, MIN_SECONDS_LEFT, NETWORK, Destinations
from services.payout_bounds import check_amount, check_bounds
from services.plain_text import plain_text
from services.plain_words import search_words
from services.quotes import Amount, convert, held, new_quote
from services.rates import Rates
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage import quote as quotes
from services.storage import store as stores
from services.storage.search import DESTINATION_START
from services.storage.statement import Transaction
from services.vault import Vault

_log = structlog.get_logger(__name__)

MEMO_LIMIT = 300
METADATA_LIMIT = 4_096


@dataclass(frozen=True, slots=True)
class _Plan:
    """A request that was read, converted and checked, ready to be written."""

    request: PayoutRequest
    store: Store
    pull_payment: PullPayment | None
    destination: Destination
    amount: Amount
    terms: Terms | None
    now: datetime
    locked_until: datetime

    @property
    def needs_approval(self) -> bool:
        """Tell whether a person must approve: always, but for a budget that approves itself."""
        return self.pull_payment is None or not self.pull_payment.auto_approve


class PayoutRequests:
    """Previews and takes requests for payouts."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        *,
        rates: Rates,
        destinations: Destinations,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._rates = rates
        self._destinations = destinations

    async def preview(self, store_id: str, request: PayoutRequest) -> PayoutPreview:
        """Return what a request would come to; nothing is written.

        Raises:
            InvalidField: A field that cannot be.
            InvoiceError: The invoice cannot be paid.
            LimitReached: The amount is outside the bounds.
            UnavailableError: There is no rate to convert with.
            GatewayError: The recipient's service gives no usable answer.
            NotFoundError: There is no such pull payment.
        """
        plan = await self._plan(store_id, request)
        invoice, amount = plan.destination.invoice, plan.amount
        is_converted = _is_locked(plan)
        return PayoutPreview(
            kind=plan.destination.kind,
            destination=plan.destination.text,
            host=plan.destination.host,
            callback_host=None if plan.terms is None else plan.terms.callback_host,
            description=_description(plan),
            amount_msat=amount.amount_msat,
            amount_sats=to_sat_ceil(amount.amount_msat),
            units=amount.units,
            currency=amount.currency,
            value_cents=self._worth(plan),
            rate=amount.rate,
            locked_until=plan.locked_until if is_converted else None,
            invoice_expires_at=None if invoice is None else from_seconds(invoice.expires_at_s),
            risk=AMOUNTLESS_RISK if plan.destination.is_amountless else None,
            needs_approval=plan.needs_approval,
        )

    async def create(
        self,
        store_id: str,
        request: PayoutRequest,
        actor: Actor,
        also: Callable[[Transaction, Payout], None] | None = None,
        quoted: PayoutPreview | None = None,
    ) -> Payout:
        """Make a payout and reserve its money, at what was quoted for it while that holds.

        `also` runs in the same transaction, so that what it writes stands or falls with it.

        Raises:
            InvalidField: A field that cannot be.
            InvoiceError: The invoice cannot be paid, or was used before.
            LimitReached: The amount is outside the bounds or over what is left.
            UnavailableError: There is no rate to convert with.
            GatewayError: The recipient's service gives no usable answer.
            NotFoundError: There is no such pull payment.
        """
        plan = await self._plan(store_id, request, quoted)
        payout = await self._database.write(self._write, plan, actor, also)
        _log.info("payout.requested", payout_id=payout.id, state=payout.state)
        return payout

    async def _plan(
        self, store_id: str, request: PayoutRequest, quoted: PayoutPreview | None = None
    ) -> _Plan:
        now = self._clock.utc_now()
        request = _cleaned(request)
        store, pull_payment = await self._database.read(_read_ground, store_id, request)
        destination = self._destinations.read(request.destination)
        amount, locked_until = held(quoted, now), now + QUOTE_LOCK
        if amount is not None and quoted is not None:
            locked_until = quoted.locked_until or now  # what was promised, and no longer
        if amount is None:
            amount = self._amount(store, pull_payment, destination, request, now)
        check_bounds(pull_payment, amount, now)
        terms = None
        if destination.invoice is not None:
            _check_invoice(destination.invoice, amount.amount_msat, now)
        else:
            terms = await self._destinations.ask_terms(destination)
            if not terms.min_msat <= amount.amount_msat <= terms.max_msat:
                least, most = terms.min_msat // MSAT_PER_SAT, terms.max_msat // MSAT_PER_SAT
                message = f"The recipient accepts {least:,} to {most:,} sats."
                raise InvalidField("amount", message)
        return _Plan(request, store, pull_payment, destination, amount, terms, now, locked_until)

    def _amount(
        self,
        store: Store,
        pull_payment: PullPayment | None,
        destination: Destination,
        request: PayoutRequest,
        now: datetime,
    ) -> Amount:
        """Return what is sent and what leaves the budget, in the budget's own currency."""
        asked, currency = request.amount, request.currency or SATS_CURRENCY
        invoice = destination.invoice
        if invoice is not None and invoice.amount_msat is not None:
            if asked is not None and (
                currency != SATS_CURRENCY or asked * MSAT_PER_SAT != invoice.amount_msat
            ):
                raise InvalidField("amount", "The invoice is over another amount; leave it out.")
            into = SATS_CURRENCY if pull_payment is None else pull_payment.currency
            return convert(self._rates, now, amount_msat=invoice.amount_msat, into=into)
        if asked is None:
            raise InvalidField("amount", "Say how much to send.")
        known = {SATS_CURRENCY, "USD", store.currency}
        if currency not in known:
            raise InvalidField("currency", f"choose {', '.join(sorted(known))}")
        into = currency if pull_payment is None else pull_payment.currency
        return convert(self._rates, now, units=asked, currency=currency, into=into)

    def _worth(self, plan: _Plan) -> int | None:
        if plan.amount.currency == plan.store.currency:
            return plan.amount.units
        rate = self._rates.usable(plan.store.currency, plan.now)
        return None if rate is None else rate.minor_floor(plan.amount.amount_msat)

    # What follows runs inside the reserving transaction.

    def _write(
        self,
        tx: Transaction,
        plan: _Plan,
        actor: Actor,
        also: Callable[[Transaction, Payout], None] | None,
    ) -> Payout:
        invoice = plan.destination.invoice
        if invoice is not None and attempts.find_attempt(tx, invoice.payment_hash) is not None:
            raise InvoiceError("payment_hash_seen", "This invoice was used before; make a new one.")
        payout = self._new_payout(plan)
        if not payouts.create(tx, payout, actor, search_words(payout.memo)):
            raise LimitReached("budget", "There is not enough left for this amount.")
        needs_approval = _still(tx, plan)
        if invoice is not None:
            attempts.add_attempt(tx, self._new_attempt(payout, invoice, plan.now))
        if _is_locked(plan):
            quotes.add_quote(tx, new_quote(payout, plan.amount, plan.now, plan.locked_until))
        target = PayoutState.AWAITING_APPROVAL if needs_approval else PayoutState.APPROVED
        made = payouts.move(tx, payout, target, now=plan.now, actor=actor, reason_code="requested")
        after = {"amount_sats": made.amount_sats, "state": made.state}
        audit(
            tx,
            made.store_id,
            actor,
            "payout.created",
            now=plan.now,
            subject_id=made.id,
            after=after,
        )
        if also is not None:
            also(tx, made)
        return made

    def _new_payout(self, plan: _Plan) -> Payout:
        payout_id = self._ids.new(PAYOUT)
        amount, destination, invoice = plan.amount, plan.destination, plan.destination.invoice
        worth_rate = amount.rate or self._rates.usable(plan.store.currency, plan.now)
        sealer = self._vault.of(plan.store.id)
        unset: dict[str, Any] = dict.fromkeys(_UNSET)
        return Payout(
            **unset,
            id=payout_id,
            store_id=plan.store.id,
            kind=PayoutKind.MANUAL,
            state=PayoutState.PENDING,
            status=PayoutStatus.PENDING,
            revision=1,
            pull_payment_id=None if plan.pull_payment is None else plan.pull_payment.id,
            card_verified=False,
            original_amount=amount.units,
            currency=amount.currency,
            amount_msat=amount.amount_msat,
            amount_sats=to_sat_ceil(amount.amount_msat),
            value_cents=self._worth(plan),
            rate_numerator=None if worth_rate is None else worth_rate.numerator,
            rate_denominator=None if worth_rate is None else worth_rate.denominator,
            rate_source=None if worth_rate is None else worth_rate.source,
            rate_at=None if worth_rate is None else worth_rate.at,
            destination_kind=destination.kind,
            destination_start=destination.text[:DESTINATION_START].lower(),
            destination_sealed=sealer.seal_text(
                destination.text, f"payouts/{payout_id}/destination"
            ),
            payment_hash=None if invoice is None else invoice.payment_hash,
            attempts=0 if invoice is None else 1,
            memo=plan.request.memo,
            metadata_json=json.dumps(plan.request.metadata, separators=(",", ":")),
            created_at=plan.now,
            fence=0,
        )

    def _new_attempt(self, payout: Payout, invoice: Invoice, now: datetime) -> Attempt:
        return first_attempt(self._ids.new(ATTEMPT), payout, invoice, self._vault, now)


_UNSET = (
    *("card_id", "card_hint", "tap_id", "fee_msat", "debited_nanousd", "evidence"),
    *("error_code", "error_message", "eligible_at", "approved_at", "submitted_at"),
    *("unknown_since", "review_at", "completed_at", "closed_at", "next_try_at"),
    *("claim_key", "wallet_id"),
)


def first_attempt(
    attempt_id: str, payout: Payout, invoice: Invoice, vault: Vault, now: datetime
) -> Attempt:
    """Return the live attempt of a payout that pays an invoice, the next in number."""
    assert payout.amount_msat is not None
    sealer = vault.of(payout.store_id)
    return Attempt(
        id=attempt_id,
        store_id=payout.store_id,
        payout_id=payout.id,
        number=max(payout.attempts, 1),
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


def _read_ground(
    tx: Transaction, store_id: str, request: PayoutRequest
) -> tuple[Store, PullPayment | None]:
    store = stores.read_store(tx, store_id)
    if store is None:
        raise NotFoundError("There is no such store.")
    if request.pull_payment_id is None:
        return store, None
    found = pull_payments.read_pull_payment(tx, store_id, request.pull_payment_id)
    if found is None:
        raise NotFoundError("There is no such pull payment.")
    return store, found


def _still(tx: Transaction, plan: _Plan) -> bool:
    """Tell whether a person must approve, as the pull payment is now; its bounds still hold.

    It may have been changed while the recipient was asked; reserving has locked it since.
    """
    if plan.pull_payment is None:
        return True
    fresh = pull_payments.read_pull_payment(tx, plan.store.id, plan.pull_payment.id)
    assert fresh is not None, "it was drawn on a moment ago"
    check_amount(fresh, plan.amount)
    return not fresh.auto_approve


def _cleaned(request: PayoutRequest) -> PayoutRequest:
    currency = None if request.currency is None else request.currency.upper()
    if currency == BTC_CURRENCY:
        currency = SATS_CURRENCY
    if currency is not None and request.amount is None:
        raise InvalidField("amount", "Give an amount with the currency.")
    if request.amount is not None and not 1 <= request.amount <= MAX_MINOR:
        raise InvalidField("amount", "Give a whole amount of at least 1.")
    if len(json.dumps(request.metadata)) > METADATA_LIMIT:
        raise InvalidField("metadata", f"Use at most {METADATA_LIMIT} characters.")
    memo = plain_text(request.memo or "", MEMO_LIMIT).strip() or None
    return replace(request, currency=currency, memo=memo)


def _check_invoice(invoice: Invoice, amount_msat: int, now: datetime) -> None:
    if invoice.expires_at_s > to_seconds(now + LONGEST_INVOICE):
        raise InvoiceError("expires_too_late", "This invoice lives too long; make a new one.")
    bolt11.check_payable(
        # One without an amount is judged by the amount that the payer chose.
        replace(invoice, amount_msat=amount_msat),
        now_s=to_seconds(now),
        network=NETWORK,
        min_msat=1,
        max_msat=MAX_MSAT,
        min_seconds_left=MIN_SECONDS_LEFT,
    )


def _is_locked(plan: _Plan) -> bool:
    """Tell whether the sats follow from a fiat amount: then the quote counts, and runs out."""
    invoice = plan.destination.invoice
    names_amount = invoice is not None and invoice.amount_msat is not None
    return plan.amount.rate is not None and plan.amount.is_fiat and not names_amount


def _description(plan: _Plan) -> str | None:
    if plan.terms is not None:
        return plan.terms.description
    invoice = plan.destination.invoice
    if invoice is None or invoice.description is None:
        return None
    return plain_text(invoice.description, MEMO_LIMIT)
