"""Turns an approved payout's address into the one invoice that is stored before anything is sent.

An invoice that ran out unsent is replaced by a new one: nothing is on the wire for what is
approved, so the old one is dead for certain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from models.destination import Resolved
from models.errors import InvoiceError, LimitReached, StateChanged
from models.ids import ATTEMPT, Ids
from models.instants import Clock
from models.money import SATS_CURRENCY, to_sat_ceil
from models.payout import Attempt, AttemptState, DestinationKind, Payout
from models.quote import QUOTE_LOCK
from models.states import PayoutState
from models.store import SYSTEM
from services.database import Database
from services.destinations import Destinations
from services.kept_actions import KeptActions
from services.payout_requests import first_attempt
from services.quotes import Amount, convert, new_quote
from services.rates import Rates
from services.storage import attempt as attempts
from services.storage import payout as payouts
from services.storage import quote as quotes
from services.storage.statement import Transaction
from services.vault import Vault

_log = structlog.get_logger(__name__)

# A recipient's server that does not answer is asked again, ever more slowly, and not for ever.
ASK_AGAIN_AFTER = (
    timedelta(seconds=2),
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=5),
)
GIVE_UP_AFTER = timedelta(hours=6)
MOST_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """A payout with the live attempt that may now be sent."""

    payout: Payout
    attempt: Attempt


def is_resolvable(payout: Payout) -> bool:
    """Tell whether new invoices can be asked for: not where the payee gave the one there is."""
    return payout.destination_kind is not DestinationKind.BOLT11


def gives_up(
    approved_at: datetime | None, silent_since: datetime, silences: int, now: datetime
) -> bool:
    """Tell whether a recipient was silent for too long; not at its first silence after a hold."""
    is_old = now >= (approved_at or now) + GIVE_UP_AFTER
    return now >= silent_since + GIVE_UP_AFTER or (is_old and silences >= len(ASK_AGAIN_AFTER))


class Resolver:
    """Prepares attempts for payouts to LNURLs, Lightning Addresses and Flash users."""

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
        self._actions = KeptActions(database, vault)

    async def prepare(self, payout: Payout) -> Ready:
        """Ask the recipient for an invoice and store it as the payout's live attempt.

        Raises:
            GatewayError: The recipient's service gives no usable answer for now.
            InvalidField: It does not take this payout.
            InvoiceError: Its invoice is not the one that was asked for.
            LimitReached: It was asked too often.
            UnavailableError: The amount has to be converted anew, and there is no rate.
            StateChanged: The payout moved meanwhile.
        """
        if payout.attempts >= MOST_ATTEMPTS:
            raise LimitReached("attempts", "The recipient's invoices ran out too many times.")
        sealer = self._vault.of(payout.store_id)
        text = sealer.open_text(payout.destination_sealed, f"payouts/{payout.id}/destination")
        destination = self._destinations.read(text)
        fresh = await self._requoted(payout)
        amount_msat = payout.amount_msat if fresh is None else fresh.amount_msat
        assert amount_msat is not None
        resolved = await self._destinations.resolve(destination, amount_msat)
        # A foreign description hash is no reason to refuse, but worth a note (LUD-06).
        _log.info("payout.resolved", payout_id=payout.id, notes=resolved.notes)
        return await self._database.write(self._keep, payout, fresh, resolved)

    async def requote(self, payout: Payout, attempt: Attempt) -> Ready:
        """Give an invoice that names no amount the one of now, if the lock of its quote is over.

        Raises:
            UnavailableError: There is no rate.
            StateChanged: The payout moved meanwhile.
        """
        fresh = await self._requoted(payout)
        if fresh is None:
            return Ready(payout, attempt)
        return await self._database.write(self._keep_amount, payout, attempt, fresh)

    async def verify(self, attempt: Attempt) -> bytes | None:
        """Return what the recipient's service says of an attempt's invoice, if it says anything.

        Raises:
            GatewayError: It gives no answer.
        """
        if attempt.verify_sealed is None:
            return None
        sealer = self._vault.of(attempt.store_id)
        url = sealer.open_text(attempt.verify_sealed, f"attempts/{attempt.id}/verify")
        return await self._destinations.verify(url)

    async def give_up(self, payout: Payout, code: str, message: str) -> None:
        """Fail a payout whose recipient cannot be asked, or does not take it."""
        await self._database.write(self._fail, payout, code, message)

    async def _requoted(self, payout: Payout) -> Amount | None:
        """Return the amount anew if the lock of its quote is over."""
        quote = await self._database.read(quotes.newest_quote, payout.store_id, payout.id)
        now = self._clock.utc_now()
        currency, units = payout.currency, payout.original_amount
        # Where the budget gave sats the sats count, whatever the market does.
        if quote is None or now < quote.locked_until or currency == SATS_CURRENCY:
            return None
        return convert(self._rates, now, units=units, currency=currency, into=currency)

    # What follows runs inside a transaction.

    def _keep(
        self, tx: Transaction, payout: Payout, fresh: Amount | None, resolved: Resolved
    ) -> Ready:
        now = self._clock.utc_now()
        _lock_unmoved(tx, payout)
        if attempts.find_attempt(tx, resolved.invoice.payment_hash) is not None:
            raise InvoiceError("payment_hash_seen", "The recipient gave an invoice used before.")
        earlier = attempts.live_attempt(tx, payout.store_id, payout.id)
        if earlier is not None:
            attempts.set_attempt_state(tx, earlier, AttemptState.DEAD)
        changes: dict[str, object] = {
            "payment_hash": resolved.invoice.payment_hash,
            "attempts": payout.attempts + 1,
        }
        if fresh is not None:
            changes |= self._quote_anew(tx, payout, fresh, now)
        amended = payouts.amend(tx, payout, **changes)
        attempt = first_attempt(self._ids.new(ATTEMPT), amended, resolved.invoice, self._vault, now)
        if resolved.verify_url is not None:
            sealer, place = self._vault.of(payout.store_id), f"attempts/{attempt.id}/verify"
            sealed = sealer.seal_text(resolved.verify_url, place)
            attempt = replace(attempt, verify_sealed=sealed)
        attempts.add_attempt(tx, attempt)
        if resolved.success_action is not None:
            at = (payout.store_id, payout.id, attempt.id)
            self._actions.keep(tx, *at, resolved.success_action)
        return Ready(amended, attempt)

    def _keep_amount(
        self, tx: Transaction, payout: Payout, attempt: Attempt, fresh: Amount
    ) -> Ready:
        _lock_unmoved(tx, payout)
        changes = self._quote_anew(tx, payout, fresh, self._clock.utc_now())
        attempts.set_amount(tx, attempt, fresh.amount_msat)
        amended = payouts.amend(tx, payout, **changes)
        return Ready(amended, replace(attempt, amount_msat=fresh.amount_msat))

    def _quote_anew(
        self, tx: Transaction, payout: Payout, amount: Amount, now: datetime
    ) -> dict[str, object]:
        last = quotes.newest_quote(tx, payout.store_id, payout.id)
        number = 1 if last is None else last.number + 1
        quote = new_quote(payout, amount, now, now + QUOTE_LOCK, number)
        quotes.add_quote(tx, quote)
        return {
            "amount_msat": quote.amount_msat,
            "amount_sats": to_sat_ceil(quote.amount_msat),
            "rate_numerator": quote.rate_numerator,
            "rate_denominator": quote.rate_denominator,
            "rate_source": quote.rate_source,
            "rate_at": quote.rate_at,
        }

    def _fail(self, tx: Transaction, payout: Payout, code: str, message: str) -> None:
        _lock_unmoved(tx, payout)
        attempt = attempts.live_attempt(tx, payout.store_id, payout.id)
        if attempt is not None:
            attempts.set_attempt_state(tx, attempt, AttemptState.DEAD)
        payouts.move(
            tx,
            payout,
            PayoutState.FAILED,
            now=self._clock.utc_now(),
            actor=SYSTEM,
            reason_code=code,
            error_code=code,
            error_message=message,
        )


def _lock_unmoved(tx: Transaction, payout: Payout) -> None:
    if payouts.lock_payout(tx, payout.store_id, payout.id) != payout:
        raise StateChanged(payout.id, payout.state)
