"""What happens when a database turns out to be older than what was sent from it.

A copy that was restored does not know what was paid since it was made. So every gate is shut for
an owner to open, and whatever is open is kept back; what Flash's list then says of it is for the
restoration's review. Nor does it know which sessions ended since, so all of them end.
"""

from __future__ import annotations

import structlog

from models.epoch import Epoch
from models.hold import HELD_BEFORE, LOST, SENT_BEFORE, Hold
from models.ids import HOLD, Ids
from models.instants import Clock
from models.payout import Payout
from models.restoration import Restoration
from models.session import SessionEnd
from models.states import PayoutStatus
from models.store import SYSTEM, ActorKind
from models.wallet import RECOVERY, Gate, Wallet
from services.audit import audit
from services.database import Database
from services.storage import hold as holds
from services.storage import payout as payouts
from services.storage import restoration as restorations
from services.storage import session as sessions
from services.storage import wallet as wallets
from services.storage.statement import Transaction

_log = structlog.get_logger(__name__)

SLICE = 100


class Recovery:
    """Makes a restored database safe; said again, it goes on where it was cut off."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def begin(self, copied: Epoch, reached: int) -> None:
        """Shut every gate, and keep back everything that is open."""
        _log.error("recovery.begins", copy_epoch=copied.number, epoch=reached)
        await self._database.write(self._shut, copied, reached)
        for wallet in await self._database.read(wallets.read_wallets):
            while await self._database.write(self._keep_slice, wallet.store_id) == SLICE:
                pass

    # What follows runs inside a transaction.

    def _shut(self, tx: Transaction, copied: Epoch, reached: int) -> None:
        now = self._clock.utc_now()
        ended = sessions.end_everybodys(tx, SessionEnd.ENDED, now)
        for wallet in wallets.read_wallets(tx):
            known = restorations.read_open(tx, wallet.store_id)
            restorations.put_restoration(tx, self._restoration(wallet, copied, known))
            if wallets.set_gate(tx, wallet, Gate.SHUT, RECOVERY, now):
                wallets.add_alert(tx, wallet.store_id, "gate_shut", wallet.id, RECOVERY, now)
                after = {"copy_epoch": copied.number, "epoch": reached, "sessions_ended": ended}
                audit(tx, wallet.store_id, SYSTEM, "recovery.began", now=now, after=after)

    def _restoration(self, wallet: Wallet, copied: Epoch, known: Restoration | None) -> Restoration:
        copied_at, by = copied.moved_at or wallet.created_at, wallet.flash_wallet_id
        if known is not None:
            # Of what an earlier copy lacked, not everything is found out yet.
            copied_at, by = min(copied_at, known.copied_at), known.flash_wallet_id
        return Restoration(
            store_id=wallet.store_id,
            copied_at=copied_at,
            began_at=self._clock.utc_now(),
            flash_wallet_id=by,
            read_at=None,
            opened_at=None,
            ended_at=None,
        )

    def _keep_slice(self, tx: Transaction, store_id: str) -> int:
        found = restorations.read_loose(tx, store_id, SLICE)
        now = self._clock.utc_now()
        for seen in found:
            payout = payouts.lock_payout(tx, store_id, seen.id)
            if payout is None or payout.status is not seen.status:
                continue
            # A dated hold would end by itself.
            was_held = holds.release_hold(tx, store_id, payout.id, now, None)
            holds.add_hold(tx, self._new_hold(payout, was_held=was_held))
        return len(found)

    def _new_hold(self, payout: Payout, *, was_held: bool) -> Hold:
        reason = HELD_BEFORE if was_held else LOST
        if payout.status is PayoutStatus.PROCESSING:
            reason = SENT_BEFORE
        return copy_hold(self._ids.new(HOLD), payout, reason, self._clock)


def copy_hold(hold_id: str, payout: Payout, reason: str, clock: Clock) -> Hold:
    """Return a hold that the machine places, for a person or the review to release."""
    return Hold(
        id=hold_id,
        store_id=payout.store_id,
        payout_id=payout.id,
        reason=reason,
        release_at=None,
        placed_at=clock.utc_now(),
        placed_by_kind=ActorKind.SYSTEM,
        placed_by=None,
        released_at=None,
        released_by=None,
    )
