"""Pull payments: budgets that recipients draw from by a link or a card."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from models.errors import InvalidField, NotFoundError
from models.ids import PULL_PAYMENT, Ids
from models.instants import Clock
from models.money import MAX_MINOR, MAX_SATS, SATS_CURRENCY
from models.pull_payment import PullPayment, PullPaymentState, PullPaymentView
from models.store import Actor
from services.audit import audit
from services.database import Database
from services.plain_text import plain_text
from services.storage import pull_payment as pull_payments
from services.storage import store as stores
from services.storage.statement import Transaction
from services.vault import Vault, token_hash

NAME_LIMIT = 100
_CURRENCY = re.compile(r"[A-Z]{3,4}\Z")
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class NewPullPayment:
    """What a pull payment is made from; the amount is in minor units of the currency."""

    name: str
    currency: str
    amount: int
    auto_approve: bool
    min_sats: int | None = None
    max_sats: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PullPaymentChange:
    """What may be changed later; nothing means: leave it."""

    name: str | None = None
    amount: int | None = None
    min_sats: int | None = None
    max_sats: int | None = None
    expires_at: datetime | None = None
    auto_approve: bool | None = None
    archived: bool | None = None
    new_link: bool = False


class PullPayments:
    """Makes, shows and changes pull payments."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def create(
        self,
        store_id: str,
        wanted: NewPullPayment,
        actor: Actor,
        also: Callable[[Transaction, PullPayment], None] | None = None,
    ) -> PullPayment:
        """Make a pull payment with a claim token of its own.

        `also` runs in the same transaction, so that what it writes stands or falls with it.

        Raises:
            InvalidField: A field that cannot be.
        """
        now = self._clock.utc_now()
        wanted = replace(wanted, name=plain_text(wanted.name, NAME_LIMIT + 1))
        _check(wanted, now)
        await self._check_currency(store_id, wanted.currency)
        pull_payment_id = self._ids.new(PULL_PAYMENT)
        token_hash_, token_sealed = self._new_token(store_id, pull_payment_id)
        pull_payment = PullPayment(
            id=pull_payment_id,
            store_id=store_id,
            name=wanted.name.strip(),
            currency=wanted.currency,
            budget=wanted.amount,
            reserved=0,
            paid=0,
            min_sats=wanted.min_sats or 1,
            max_sats=wanted.max_sats,
            starts_at=wanted.starts_at or now,
            expires_at=wanted.expires_at,
            auto_approve=wanted.auto_approve,
            state=PullPaymentState.ACTIVE,
            claim_token_hash=token_hash_,
            claim_token_sealed=token_sealed,
            created_at=now,
        )
        await self._database.write(_create, pull_payment, actor, also)
        return pull_payment

    async def _check_currency(self, store_id: str, currency: str) -> None:
        """A rate is at hand for the store's currency and the dollar, and sats need none."""
        store = await self._database.read(stores.read_store, store_id)
        known = {SATS_CURRENCY, "USD", "" if store is None else store.currency}
        if currency not in known:
            raise InvalidField("currency", f"choose {', '.join(sorted(known - {''}))}")

    async def read(self, store_id: str, pull_payment_id: str) -> PullPayment:
        """Return a pull payment.

        Raises:
            NotFoundError: This store has no such pull payment.
        """
        found = await self._database.read(
            pull_payments.read_pull_payment, store_id, pull_payment_id
        )
        if found is None:
            raise NotFoundError("There is no such pull payment.")
        return found

    async def page(
        self, store_id: str, limit: int, before: tuple[datetime, str] | None
    ) -> list[PullPayment]:
        """Return pull payments, newest first."""
        return await self._database.read(pull_payments.page_pull_payments, store_id, limit, before)

    async def views(self, store_id: str, limit: int) -> list[PullPaymentView]:
        """Return the newest pull payments with how they stand now."""
        return await self._database.read(self._views, store_id, limit)

    async def view(self, store_id: str, pull_payment_id: str) -> PullPaymentView:
        """Return one pull payment with how it stands now.

        Raises:
            NotFoundError: This store has no such pull payment.
        """
        return await self._database.read(self._view, store_id, pull_payment_id)

    async def change(
        self, store_id: str, pull_payment_id: str, change: PullPaymentChange, actor: Actor
    ) -> PullPayment:
        """Change the name, budget, end, approval, state or link of a pull payment.

        Raises:
            NotFoundError: This store has no such pull payment.
            InvalidField: The budget would not cover what is reserved and paid.
        """
        return await self._database.write(self._change, store_id, pull_payment_id, change, actor)

    def claim_token(self, pull_payment: PullPayment) -> str:
        """Return the token that opens a pull payment to whoever has it."""
        return self._vault.of(pull_payment.store_id).open_text(
            pull_payment.claim_token_sealed, _token_place(pull_payment.id)
        )

    def _new_token(self, store_id: str, pull_payment_id: str) -> tuple[str, bytes]:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        sealed = self._vault.of(store_id).seal_text(token, _token_place(pull_payment_id))
        return token_hash(token), sealed

    def _views(self, tx: Transaction, store_id: str, limit: int) -> list[PullPaymentView]:
        found = pull_payments.page_pull_payments(tx, store_id, limit, None)
        waiting = pull_payments.count_waiting(tx, store_id)
        now = self._clock.utc_now()
        return [PullPaymentView(item, item.phase(now), waiting.get(item.id, 0)) for item in found]

    def _view(self, tx: Transaction, store_id: str, pull_payment_id: str) -> PullPaymentView:
        found = pull_payments.read_pull_payment(tx, store_id, pull_payment_id)
        if found is None:
            raise NotFoundError("There is no such pull payment.")
        waiting = pull_payments.count_waiting(tx, store_id).get(found.id, 0)
        return PullPaymentView(found, found.phase(self._clock.utc_now()), waiting)

    def _change(
        self,
        tx: Transaction,
        store_id: str,
        pull_payment_id: str,
        change: PullPaymentChange,
        actor: Actor,
    ) -> PullPayment:
        old = pull_payments.lock_pull_payment(tx, store_id, pull_payment_id)
        if old is None:
            raise NotFoundError("There is no such pull payment.")
        now = self._clock.utc_now()
        new = _applied(old, change)
        if change.new_link:
            hash_, sealed = self._new_token(store_id, pull_payment_id)
            new = replace(new, claim_token_hash=hash_, claim_token_sealed=sealed)
        if not pull_payments.change_pull_payment(tx, new):
            raise InvalidField("amount", "the budget must cover what is reserved and paid")
        pull_payments.fund_budget(tx, new, new.budget - old.budget, self._ids.new("bu"))
        audit(
            tx,
            store_id,
            actor,
            "pull_payment.changed",
            now=now,
            subject_id=old.id,
            before=_shown(old),
            after=_shown(new) | {"new_link": change.new_link},
        )
        return new


def _create(
    tx: Transaction,
    pull_payment: PullPayment,
    actor: Actor,
    also: Callable[[Transaction, PullPayment], None] | None,
) -> None:
    pull_payments.add_pull_payment(tx, pull_payment)
    if also is not None:
        also(tx, pull_payment)
    audit(
        tx,
        pull_payment.store_id,
        actor,
        "pull_payment.created",
        now=pull_payment.created_at,
        subject_id=pull_payment.id,
        after=_shown(pull_payment),
    )


def _token_place(pull_payment_id: str) -> str:
    return f"pull_payments/{pull_payment_id}/claim_token"


def _shown(pull_payment: PullPayment) -> dict[str, object]:
    return {
        "name": pull_payment.name,
        "currency": pull_payment.currency,
        "budget": pull_payment.budget,
        "min_sats": pull_payment.min_sats,
        "max_sats": pull_payment.max_sats,
        "expires_at": pull_payment.expires_at,
        "auto_approve": pull_payment.auto_approve,
        "state": pull_payment.state,
    }


def _applied(old: PullPayment, change: PullPaymentChange) -> PullPayment:
    state = old.state
    if change.archived is not None:
        state = PullPaymentState.ARCHIVED if change.archived else PullPaymentState.ACTIVE
    new = replace(
        old,
        name=old.name if change.name is None else plain_text(change.name, NAME_LIMIT + 1),
        budget=old.budget if change.amount is None else change.amount,
        min_sats=old.min_sats if change.min_sats is None else change.min_sats,
        max_sats=old.max_sats if change.max_sats is None else change.max_sats,
        expires_at=change.expires_at or old.expires_at,
        auto_approve=old.auto_approve if change.auto_approve is None else change.auto_approve,
        state=state,
    )
    _check_name(new.name)
    _check_amount(new.budget, new.currency)
    _check_bounds(new.min_sats, new.max_sats)
    return new


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= NAME_LIMIT:
        raise InvalidField("name", f"give a name of 1 to {NAME_LIMIT} characters")


def _check_amount(amount: int, currency: str) -> None:
    most = MAX_SATS if currency == SATS_CURRENCY else MAX_MINOR
    if not 1 <= amount <= min(most, MAX_MINOR):
        raise InvalidField("amount", f"give a whole number of minor units from 1 to {MAX_MINOR}")


def _check_bounds(least: int | None, most: int | None) -> None:
    if least is not None and not 1 <= least <= MAX_SATS:
        raise InvalidField("min_sats", f"give a whole number from 1 to {MAX_SATS}")
    if most is not None and not (least or 1) <= most <= MAX_SATS:
        raise InvalidField("max_sats", "give a whole number not below min_sats")


def _check(wanted: NewPullPayment, now: datetime) -> None:
    _check_name(wanted.name)
    if _CURRENCY.match(wanted.currency) is None:
        raise InvalidField("currency", "give SATS or a currency code such as USD")
    _check_amount(wanted.amount, wanted.currency)
    _check_bounds(wanted.min_sats, wanted.max_sats)
    if wanted.expires_at is not None and wanted.expires_at <= (wanted.starts_at or now):
        raise InvalidField("expires_at", "it must lie after the start and after now")
