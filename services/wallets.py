"""Stop and resume, and how the wallet of a store stands."""

from __future__ import annotations

from models.errors import NotFoundError
from models.instants import Clock
from models.store import Actor
from models.wallet import RECOVERY, Gate, Wallet
from services.audit import audit
from services.database import Database
from services.gate import OPENED
from services.storage import statement_row as statement_rows
from services.storage import wallet as wallets
from services.storage.statement import Transaction


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

    async def stop(self, store_id: str, actor: Actor) -> None:
        """Let no new send or repeat start; look-ups go on."""
        await self._database.write(self._set, store_id, actor, stopped=True)

    async def resume(self, store_id: str, actor: Actor) -> None:
        """Let sends start again."""
        await self._database.write(self._set, store_id, actor, stopped=False)

    async def open_gate(self, store_id: str, actor: Actor) -> None:
        """Open a shut gate before it opens by itself; the doubt stays where it is.

        Raises:
            NotFoundError: There is no wallet.
        """
        await self._database.write(self._open, store_id, actor)

    def _open(self, tx: Transaction, store_id: str, actor: Actor) -> None:
        now = self._clock.utc_now()
        wallet = wallets.read_wallet(tx, store_id)
        if wallet is None:
            raise NotFoundError("There is no wallet.")
        if wallet.gate_reason == RECOVERY and wallet.flash_wallet_id is not None:
            statement_rows.set_aside(tx, store_id, wallet.flash_wallet_id)
        if wallets.set_gate(tx, wallet, Gate.OPEN, OPENED, now):
            before = {"reason": wallet.gate_reason}
            audit(tx, store_id, actor, "wallet.gate_opened", now=now, before=before)

    def _set(self, tx: Transaction, store_id: str, actor: Actor, *, stopped: bool) -> None:
        now = self._clock.utc_now()
        if wallets.set_stop(tx, store_id, now if stopped else None) == 0:
            raise NotFoundError("There is no wallet.")
        action = "wallet.stopped" if stopped else "wallet.resumed"
        audit(tx, store_id, actor, action, now=now)
