"""Weighs what a restored copy keeps back against Flash's list since the copy was made.

Rows carry no payment hash, so a debit near an amount proves nothing, and the price may have moved:
a wide net puts to a person whatever could have been paid. What no debit fits a day later was not
paid, if the balance says so too: by then the list shows whatever was under way, but a list alone
is never proof that something is absent.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.events import PayoutChanged
from models.hold import LOST, MATCHED, SENT_BEFORE
from models.ids import HOLD, Ids
from models.instants import Clock
from models.money import NANOUSD_PER_CENT, Rate
from models.payout import Payout
from models.restoration import Restoration
from models.statement import RowState
from models.store import SYSTEM
from models.wallet import RECOVERY
from services.audit import audit
from services.database import Database
from services.rates import Rates
from services.recovery import SLICE, copy_hold
from services.send_log import PRICE_DRIFT_PARTS, WINDOW_BEFORE
from services.storage import closed_book as closed_books
from services.storage import hold as holds
from services.storage import payout as payouts
from services.storage import restoration as restorations
from services.storage import statement_row as statement_rows
from services.storage.restoration import Kept
from services.storage.statement import Transaction
from services.tracking import Tracking

_log = structlog.get_logger(__name__)

PROVEN_AFTER = timedelta(days=1)
LEAST_MSAT = 2_000  # a net is never finer than two sats
DOLLAR = "USD"


@dataclass(frozen=True, slots=True)
class Net:
    """The debits since a copy was made, and what a sat costs by now."""

    debits_nanousd: list[int]
    rate: Rate

    def holds(self, payout: Payout) -> bool:
        """Tell whether some debit could be a payout."""
        if payout.amount_msat is None:
            return bool(self.debits_nanousd)
        now_nanousd = _nanousd(self.rate, payout.amount_msat)
        then_nanousd = now_nanousd
        if payout.currency == DOLLAR:
            then_nanousd = payout.original_amount * NANOUSD_PER_CENT
        low, high = sorted((now_nanousd, then_nanousd))
        drift = max(high // PRICE_DRIFT_PARTS, _nanousd(self.rate, LEAST_MSAT))
        place = bisect_left(self.debits_nanousd, low - drift)
        return place < len(self.debits_nanousd) and self.debits_nanousd[place] <= high + drift


class RecoveryReview:
    """Goes on with a store's restoration each time Flash's list was read whole."""

    def __init__(
        self, database: Database, clock: Clock, ids: Ids, rates: Rates, tracking: Tracking
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._rates = rates
        self._tracking = tracking

    async def waits(self, store_id: str) -> bool:
        """Tell whether a gate stays shut because the list was not read whole."""
        known = await self._database.read(restorations.read_open, store_id)
        return known is not None and known.read_at is None

    async def take_list(self, store_id: str, flash_wallet_id: str, asked_at: datetime) -> None:
        """Take that the list of a wallet was read whole, as it was when it was asked for."""
        known = await self._database.read(restorations.read_open, store_id)
        # Another wallet's list says nothing of what was sent.
        if known is None or known.flash_wallet_id not in {None, flash_wallet_id}:
            return
        rate = self._rates.of_flash(DOLLAR, self._clock.utc_now())
        if rate is None:
            return
        net = await self._database.read(_net, known, flash_wallet_id, rate)
        if net is None:
            return
        proven_at = known.began_at + PROVEN_AFTER
        is_proof = asked_at >= proven_at and await self._database.read(
            closed_books.chain_agrees, store_id, flash_wallet_id, known.began_at, proven_at
        )
        after = ""
        while found := await self._database.read(restorations.read_kept, store_id, after, SLICE):
            await self._database.write(self._weigh, found, net, is_proof)
            after = found[-1].payout.id
        await self._database.write(self._note, known, is_proof)

    # What follows runs inside a transaction.

    def _weigh(self, tx: Transaction, found: list[Kept], net: Net, is_proof: bool) -> None:
        for kept in found:
            could_be = net.holds(kept.payout)
            payout = payouts.lock_payout(tx, kept.payout.store_id, kept.payout.id)
            if payout != kept.payout:
                continue  # it moved; the next look shows where
            if could_be and kept.reason == SENT_BEFORE:
                self._tracking.hand_over(tx, payout, RECOVERY)
            elif could_be:
                self._release(tx, payout)
                hold_id = self._ids.new(HOLD)
                holds.add_hold(tx, copy_hold(hold_id, payout, MATCHED, self._clock))
            elif is_proof and kept.reason == LOST:
                self._release(tx, payout)
                now = self._clock.utc_now()
                audit(tx, payout.store_id, SYSTEM, "payout.released", now=now, subject_id=payout.id)

    def _release(self, tx: Transaction, payout: Payout) -> None:
        holds.release_hold(tx, payout.store_id, payout.id, self._clock.utc_now(), None)
        change = PayoutChanged(payout.store_id, payout.id, payout.state, payout.revision)
        tx.changes.append(change)

    def _note(self, tx: Transaction, known: Restoration, is_proof: bool) -> None:
        now = self._clock.utc_now()
        restorations.set_read(tx, known.store_id, now)
        if is_proof and restorations.set_ended(tx, known.store_id, now):
            audit(tx, known.store_id, SYSTEM, "recovery.ended", now=now)
            _log.info("recovery.ended", store_id=known.store_id)


def _net(tx: Transaction, known: Restoration, flash_wallet_id: str, rate: Rate) -> Net | None:
    """Return the debits since the copy that nobody claimed; nothing if they are too many."""
    since, found = known.copied_at - WINDOW_BEFORE, []
    for state in (RowState.EXTRA, RowState.UNCLAIMED):
        rows = statement_rows.rows_of_state(tx, known.store_id, state, since)
        if len(rows) >= statement_rows.ROWS_LIMIT:
            return None
        found += [row for row in rows if row.flash_wallet_id == flash_wallet_id]
    debits = sorted(abs(row.amount_nanousd) for row in found if row.amount_nanousd is not None)
    return Net(debits, rate)


def _nanousd(rate: Rate, amount_msat: int) -> int:
    return rate.minor_floor(amount_msat * NANOUSD_PER_CENT)
