"""What happens when a database turns out to be older than what was sent from it.

A copy that was restored does not know what was paid since it was made. So every gate is shut for
an owner to open, what was not sent yet is held, what had been sent is put to a person, and no row
of the statement settles anything: it may belong to a payout that this database never saw.
"""

from __future__ import annotations

import structlog

from models.hold import Hold
from models.ids import HOLD, Ids
from models.instants import Clock
from models.payout import Payout
from models.store import SYSTEM, ActorKind
from models.wallet import RECOVERY, Gate
from services.audit import audit
from services.database import Database
from services.storage import epoch as epochs
from services.storage import hold as holds
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.tracking import Tracking

_log = structlog.get_logger(__name__)

# A person reads this beside the payout.
HELD = "Restored from a copy: this may have been paid since. Look before you release it."
SLICE = 100


class Recovery:
    """Makes a restored database safe; said again, it goes on where it was cut off."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, tracking: Tracking) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._tracking = tracking

    async def begin(self, copied: int, reached: int) -> None:
        """Shut every gate, and put everything that is open to people."""
        _log.error("recovery.begins", copy_epoch=copied, epoch=reached)
        await self._database.write(self._shut, copied, reached)
        for wallet in await self._database.read(wallets.read_wallets):
            while await self._database.write(self._hold_slice, wallet.store_id) == SLICE:
                pass
            while await self._database.write(self._review_slice, wallet.store_id) == SLICE:
                pass

    # What follows runs inside a transaction.

    def _shut(self, tx: Transaction, copied: int, reached: int) -> None:
        now = self._clock.utc_now()
        for wallet in wallets.read_wallets(tx):
            if wallets.set_gate(tx, wallet, Gate.SHUT, RECOVERY, now):
                wallets.add_alert(tx, wallet.store_id, "gate_shut", wallet.id, RECOVERY, now)
                after = {"copy_epoch": copied, "epoch": reached}
                audit(tx, wallet.store_id, SYSTEM, "recovery.began", now=now, after=after)

    def _hold_slice(self, tx: Transaction, store_id: str) -> int:
        found = epochs.read_unsent(tx, store_id, HELD, SLICE)
        now = self._clock.utc_now()
        for seen in found:
            payout = payouts.lock_payout(tx, store_id, seen.id)
            if payout is None or payout.status is not seen.status:
                continue
            # A dated hold would end by itself.
            holds.release_hold(tx, store_id, payout.id, now, None)
            holds.add_hold(tx, self._new_hold(payout))
        return len(found)

    def _new_hold(self, payout: Payout) -> Hold:
        return Hold(
            id=self._ids.new(HOLD),
            store_id=payout.store_id,
            payout_id=payout.id,
            reason=HELD,
            release_at=None,
            placed_at=self._clock.utc_now(),
            placed_by_kind=ActorKind.SYSTEM,
            placed_by=None,
            released_at=None,
            released_by=None,
        )

    def _review_slice(self, tx: Transaction, store_id: str) -> int:
        found = epochs.read_sent(tx, store_id, SLICE)
        moved = [self._tracking.hand_over(tx, payout, RECOVERY) for payout in found]
        # What does not move would be found again for ever.
        return len(found) if all(moved) else 0
