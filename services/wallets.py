"""Stop and resume, and how the wallet of a store stands."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.balance import Balance, BalanceLine, BalanceSpan, line_of
from models.errors import InvalidField, NotFoundError, StatementUnread
from models.instants import Clock
from models.store import Actor
from models.wallet import RECOVERY, Gate, Wallet
from models.wallet_sheet import LateAlarm
from services.audit import audit
from services.database import Database
from services.gate import OPENED
from services.plain_text import plain_text
from services.storage import balance as balances
from services.storage import restoration as restorations
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.verdicts import PAID_AFTER_RELEASE

REASON_LEAST = 8
REASON_LIMIT = 500


class Wallets:
    """Reads, stops and resumes wallets."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self, store_id: str) -> Wallet:
        """Return the wallet of a store.

        Raises:
            NotFoundError: There is no such store.
        """
        found = await self._database.read(wallets.read_wallet, store_id)
        if found is None:
            raise NotFoundError("There is no wallet.")
        return found

    async def balances(self, store_id: str, span: BalanceSpan) -> BalanceLine:
        """Return what the wallet held over a span, up to now."""
        now = self._clock.utc_now()
        found = await self._database.read(_balances, store_id, now - span.length, span.step)
        return line_of(found, span, now)

    async def late_alarms(self, store_id: str, limit: int = 20) -> list[LateAlarm]:
        """Return what was paid after its money had been given free, newest first."""
        read = self._database.read
        found = await read(wallets.newest_alerts, store_id, PAID_AFTER_RELEASE, limit)
        return [LateAlarm(payout_id, at) for payout_id, at in found]

    async def stop(self, store_id: str, actor: Actor) -> None:
        """Let no new send or repeat start; look-ups go on."""
        await self._database.write(self._set, store_id, actor, stopped=True)

    async def resume(self, store_id: str, actor: Actor) -> None:
        """Let sends start again."""
        await self._database.write(self._set, store_id, actor, stopped=False)

    async def is_unread(self, store_id: str) -> bool:
        """Tell whether the gate waits for Flash's list, as it does in a restored copy."""
        return await self._database.read(_is_unread, store_id)

    async def open_gate(self, store_id: str, actor: Actor, unread: str | None = None) -> bool:
        """Open a shut gate before it opens by itself; False if none was shut.

        `unread` is why an owner will not wait until Flash's list since a copy has been read.

        Raises:
            InvalidField: The reason is empty or too long.
            NotFoundError: There is no wallet.
            StatementUnread: The list was not read yet, and no reason is given.
        """
        words = None if unread is None else plain_text(unread, REASON_LIMIT).strip()
        if words is not None and len(words) < REASON_LEAST:
            raise InvalidField("reason", "Say in a few words why it cannot wait.")
        return await self._database.write(self._open, store_id, actor, words)

    def _open(self, tx: Transaction, store_id: str, actor: Actor, unread: str | None) -> bool:
        now = self._clock.utc_now()
        # Locked: what it was shut for may change between the look and the act.
        wallet = wallets.lock_wallet(tx, store_id)
        if wallet is None:
            raise NotFoundError("There is no wallet.")
        if wallet.gate is Gate.OPEN:
            return False
        is_unread = _is_unread(tx, store_id)
        if is_unread and unread is None:
            raise StatementUnread
        wallets.set_gate(tx, wallet, Gate.OPEN, OPENED, now)
        restorations.set_opened(tx, store_id, now)
        before = {"gate": wallet.gate, "reason": wallet.gate_reason}
        after = {"gate": Gate.OPEN} | ({"unread": unread} if is_unread else {})
        audit(tx, store_id, actor, "wallet.gate_opened", now=now, before=before, after=after)
        return True

    def _set(self, tx: Transaction, store_id: str, actor: Actor, *, stopped: bool) -> None:
        now, wallet = self._clock.utc_now(), wallets.read_wallet(tx, store_id)
        was_stopped = wallet is not None and wallet.stopped_at is not None
        if wallets.set_stop(tx, store_id, now if stopped else None) == 0:
            raise NotFoundError("There is no wallet.")
        action = "wallet.stopped" if stopped else "wallet.resumed"
        before, after = {"stopped": was_stopped}, {"stopped": stopped}
        audit(tx, store_id, actor, action, now=now, before=before, after=after)


def _is_unread(tx: Transaction, store_id: str) -> bool:
    wallet, restored = wallets.read_wallet(tx, store_id), restorations.read_open(tx, store_id)
    is_shut = wallet is not None and wallet.gate is Gate.SHUT and wallet.gate_reason == RECOVERY
    return is_shut and restored is not None and restored.read_at is None


def _balances(tx: Transaction, store_id: str, since: datetime, step: timedelta) -> list[Balance]:
    wallet = wallets.read_wallet(tx, store_id)
    if wallet is None or wallet.flash_wallet_id is None:
        return []
    return balances.read_balances(tx, store_id, wallet.flash_wallet_id, since, step)
