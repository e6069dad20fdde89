"""Values with every field filled in; a test names only the fields it is about."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from models.card import Card, CardState
from models.ids import ATTEMPT, CARD, PAYOUT, PULL_PAYMENT, STORE, WALLET, make_id
from models.instants import to_us
from models.money import to_sat_ceil
from models.payout import (
    Attempt,
    AttemptState,
    DestinationKind,
    EvidenceGrade,
    PayeeHome,
    Payout,
    PayoutKind,
    Send,
    SendAnswer,
)
from models.pull_payment import PullPayment, PullPaymentState
from models.states import ALLOWED, STATUS, PayoutState
from models.store import SYSTEM, Store
from models.wallet import Gate, Wallet
from services.plain_words import search_words
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from tests.support.clock import NOON

_numbers = itertools.count(1)


def new_id(prefix: str, at: datetime = NOON) -> str:
    """Return an id made at a moment."""
    return make_id(prefix, to_us(at) // 1000, secrets.randbits(80))


def a_store(**changes: Any) -> Store:
    """Return a store."""
    store = Store(new_id(STORE), "Corner Café", "USD", "UTC", NOON, is_first=False)
    return replace(store, **changes)


def a_wallet(store: Store, **changes: Any) -> Wallet:
    """Return a wallet of a store, open and free."""
    wallet = Wallet(
        id=new_id(WALLET),
        store_id=store.id,
        flash_wallet_id="flash-wallet",
        currency="USD",
        gate=Gate.OPEN,
        gate_reason=None,
        gate_changed_at=None,
        stopped_at=None,
        short_since=None,
        balance_nanousd=None,
        balance_at=None,
        lease_owner=None,
        lease_until=None,
        fence=0,
        created_at=NOON,
    )
    return replace(wallet, **changes)


def a_pull_payment(store: Store, **changes: Any) -> PullPayment:
    """Return a pull payment of a million sats."""
    pull_payment = PullPayment(
        id=new_id(PULL_PAYMENT),
        store_id=store.id,
        name="Tips",
        currency="SATS",
        budget=1_000_000,
        reserved=0,
        paid=0,
        min_sats=1,
        max_sats=None,
        starts_at=NOON,
        expires_at=None,
        auto_approve=True,
        state=PullPaymentState.ACTIVE,
        claim_token_hash=secrets.token_hex(32),
        claim_token_sealed=b"sealed",
        created_at=NOON,
    )
    return replace(pull_payment, **changes)


def a_card(store: Store, pull_payment: PullPayment, **changes: Any) -> Card:
    """Return a card whose UID is not known yet."""
    card = Card(
        id=new_id(CARD),
        store_id=store.id,
        pull_payment_id=pull_payment.id,
        alias=f"Card {next(_numbers)}",
        state=CardState.ACTIVE,
        uid_hash=None,
        uid_sealed=None,
        created_at=NOON,
        last_used_at=None,
    )
    return replace(card, **changes)


def a_payout(store: Store, **changes: Any) -> Payout:
    """Return a pending payout of 1,000 sats that no pull payment is behind."""
    at = changes.get("created_at", NOON)
    sats = changes.pop("sats", 1_000)
    amount_msat = changes.pop("amount_msat", sats * 1000)
    payout = Payout(
        id=new_id(PAYOUT, at),
        store_id=store.id,
        kind=PayoutKind.MANUAL,
        state=PayoutState.PENDING,
        status=STATUS[PayoutState.PENDING],
        revision=1,
        pull_payment_id=None,
        card_id=None,
        card_verified=False,
        card_hint=None,
        tap_id=None,
        original_amount=to_sat_ceil(amount_msat),
        currency="SATS",
        amount_msat=amount_msat,
        amount_sats=to_sat_ceil(amount_msat),
        value_cents=100,
        rate_numerator=None,
        rate_denominator=None,
        rate_source=None,
        rate_at=None,
        fee_msat=None,
        debited_nanousd=None,
        destination_kind=DestinationKind.BOLT11,
        destination_start="lnbc10u1",
        destination_sealed=b"sealed",
        payment_hash=secrets.token_hex(32),
        attempts=1,
        evidence=None,
        memo=None,
        metadata_json="{}",
        error_code=None,
        error_message=None,
        created_at=at,
        eligible_at=None,
        approved_at=None,
        submitted_at=None,
        unknown_since=None,
        review_at=None,
        completed_at=None,
        closed_at=None,
        next_try_at=None,
        claim_key=None,
        wallet_id=None,
        fence=0,
    )
    return replace(payout, **changes)


def an_attempt(payout: Payout, **changes: Any) -> Attempt:
    """Return a live attempt whose invoice lives an hour."""
    assert payout.amount_msat is not None
    attempt = Attempt(
        id=new_id(ATTEMPT),
        store_id=payout.store_id,
        payout_id=payout.id,
        number=1,
        state=AttemptState.LIVE,
        payment_hash=payout.payment_hash or secrets.token_hex(32),
        invoice_sealed=b"sealed",
        amount_msat=payout.amount_msat,
        invoice_expires_at=payout.created_at + timedelta(hours=1),
        home=PayeeHome.UNASKED,
        verify_sealed=None,
        expired_seen_at=None,
        created_at=payout.created_at,
    )
    return replace(attempt, **changes)


def a_send(attempt: Attempt, answer: SendAnswer | None = None, **changes: Any) -> Send:
    """Return a send, answered a second later if there is an answer."""
    send = Send(
        store_id=attempt.store_id,
        payout_id=attempt.payout_id,
        attempt_id=attempt.id,
        number=1,
        flash_wallet_id="flash-wallet",
        idempotency_key=attempt.id,
        fence=1,
        logged_at=NOON,
        answered_at=None if answer is None else NOON + timedelta(seconds=1),
        answer=answer,
        answer_code=None,
    )
    return replace(send, **changes)


@dataclass(frozen=True)
class Ground:
    """What payouts stand on: a store with its wallet, a pull payment and a card."""

    store: Store
    wallet: Wallet
    pull_payment: PullPayment
    card: Card


def plant(tx: Transaction, **pull_payment: Any) -> Ground:
    """Add a store with a wallet, a pull payment and a card."""
    store = a_store()
    ground = Ground(store, a_wallet(store), a_pull_payment(store, **pull_payment), None)  # type: ignore[arg-type]
    ground = replace(ground, card=a_card(store, ground.pull_payment))
    stores.add_store(tx, store, b"sealed")
    wallets.add_wallet(tx, ground.wallet)
    pull_payments.add_pull_payment(tx, ground.pull_payment)
    cards.add_card(tx, ground.card)
    return ground


def path_to(target: PayoutState) -> list[PayoutState]:
    """Return the shortest way from the first state to another."""
    ways = {PayoutState.PENDING: [PayoutState.PENDING]}
    waiting = [PayoutState.PENDING]
    while target not in ways:
        state = waiting.pop(0)
        for source, following in ALLOWED:
            if source is state and following not in ways:
                ways[following] = [*ways[state], following]
                waiting.append(following)
    return ways[target][1:]


def bring(tx: Transaction, payout: Payout, target: PayoutState, words: str = "") -> Payout:
    """Add a payout and take it to a state, by the way every payout goes."""
    created = payouts.create(tx, payout, SYSTEM, search_words(words))
    assert created, "the budget is short"
    for state in path_to(target):
        settles = state in {PayoutState.COMPLETED, PayoutState.REVERSED}
        more = {"evidence": EvidenceGrade.PERSON} if settles else {}
        at = payout.created_at
        payout = payouts.move(tx, payout, state, now=at, actor=SYSTEM, **more)
    return payout
