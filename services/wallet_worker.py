"""The one task that spends a wallet: it holds the lease, keeps the pace, sends and looks up.

Everything it decides by is in the database; what it keeps in memory (who is being worked on, when
to look again) only saves time and is rebuilt after a restart.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from models.errors import CredentialRefused, GatewayError, StateChanged, UnavailableError
from models.events import Change, PayoutChanged, WalletChanged
from models.flash import ENVIRONMENT, WalletInfo
from models.payout import Payout
from models.states import PayoutState
from models.wallet import Wallet
from services.flash.pace import Need
from services.gate import GateKeeper
from services.sender import PAUSE, Memory, Sender, Tools
from services.storage import attempt as attempts
from services.storage import connection as connections
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.statement import Transaction
from services.wallet_change import take_wallet

_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=6)
LEASE_RENEWAL_S = 2.0
POLL_S = 1.0  # a lost wake-up costs this much, never a payout
AT_ONCE = 16  # payouts worked on together
LOOK_UPS_AT_ONCE = 8
LOOK_UPS_LEAST = 2  # however many sends there are: what is unknown must come to be known
FAILED_STEP_PAUSE = timedelta(seconds=30)
DISCONNECTED_AFTER_S = 10.0  # without Flash for so long, a new claim would wait in vain
OPEN_WORK_LIMIT = 500
BALANCE_EVERY_S = 60.0
DRAIN_LOOK_S = 0.02
REFUSED_S = 30.0  # nobody lets us in sooner because we knock more often
_NOT_YET = frozenset({PayoutState.PENDING, PayoutState.AWAITING_APPROVAL})
RECENT = timedelta(seconds=90)  # another instance has asked for the balance so lately, if it can


@dataclass(slots=True)
class WorkerHealth:
    """How a wallet's worker is doing."""

    holds_lease: bool = False
    connected: bool = False
    working_on: int = 0
    waiting: int = 0
    last_error: str | None = None
    away_since: datetime | None = None
    is_refused: bool = False


@dataclass(slots=True)
class WalletWorker:
    """Spends one wallet while it holds its lease."""

    store_id: str
    currency: str
    owner: str
    tools: Tools
    # Of which credential it works: one that was replaced must not spend any more.
    connection_id: str = ENVIRONMENT
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    health: WorkerHealth = field(default_factory=WorkerHealth)
    _is_closing: bool = False
    _busy: set[str] = field(default_factory=set)
    _looked_up: set[str] = field(default_factory=set)  # those of them that are unknown
    _memory: dict[str, Memory] = field(default_factory=dict)

    async def run(self) -> None:
        """Wait for the lease, then work until it is lost or the task is cancelled."""
        while True:
            wallet = await self.tools.database.read(wallets.read_wallet, self.store_id)
            if wallet is None:
                await asyncio.sleep(POLL_S)
                continue
            fence = await self.tools.database.write(self._take_lease, wallet)
            if fence is None:
                await asyncio.sleep(POLL_S)
                continue
            self.health.holds_lease = True
            try:
                await self._work(wallet, fence)
            finally:
                # Of the wallet it knows nothing any more; whoever works next does.
                self.health = WorkerHealth(last_error=self.health.last_error)
                self._busy.clear()
                self._looked_up.clear()
                self._memory.clear()
                await self._give_lease_back(wallet, fence)

    def _take_lease(self, tx: Transaction, wallet: Wallet) -> int | None:
        if not connections.is_current(tx, self.store_id, self.connection_id):
            return None
        return wallets.take_lease(tx, wallet, self.owner, self.tools.clock.utc_now(), LEASE)

    def reaches_flash(self, wallet: Wallet) -> bool:
        """Tell whether whoever works for the wallet reaches Flash, here or in another instance."""
        if self.health.holds_lease:
            return self.health.connected
        now = self.tools.clock.utc_now()
        is_worked = wallet.lease_until is not None and wallet.lease_until > now
        asked_at = wallet.balance_at
        return is_worked and asked_at is not None and now - asked_at < RECENT

    def expected_wait_s(self) -> float | None:
        """Return how long a new payout would wait for its first send, or nothing if too long.

        Another instance may hold the lease; then it is connected, or not, as it knows best.
        """
        if not self.health.holds_lease:
            return PAUSE.total_seconds()
        if not self.health.connected:
            away_since = self.health.away_since
            away_s = 0.0
            if away_since is not None:
                away_s = (self.tools.clock.utc_now() - away_since).total_seconds()
            return None if away_s > DISCONNECTED_AFTER_S else PAUSE.total_seconds()
        return self.tools.pace.wait_s(2 * (self.health.waiting + 1))

    async def drain(self, limit_s: float) -> None:
        """Begin nothing more, and wait a little for the answers to what is on the wire."""
        self._is_closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._busy:
                    await asyncio.sleep(DRAIN_LOOK_S)

    def told(self, changes: list[Change]) -> None:
        """Look at the work again, unless nothing changed that may be work for us now."""
        if any(self._may_be_work(change) for change in changes):
            self.wake.set()

    def _may_be_work(self, change: Change) -> bool:
        if not isinstance(change, PayoutChanged):
            return isinstance(change, WalletChanged)  # every tap tells of its card as well
        if change.payout_id in self._busy:
            return False
        # What has yet to be approved is no work; what was taken back to it has to be forgotten.
        return change.state not in _NOT_YET or change.payout_id in self._memory

    async def catch_up(self) -> None:
        """Look at everything open again, as after a gap in what the socket told."""
        for memory in self._memory.values():
            memory.asked = 0
            memory.due = None
        self.wake.set()

    async def _give_lease_back(self, wallet: Wallet, fence: int) -> None:
        try:
            await self.tools.database.write(wallets.release_lease, wallet, fence)
        except UnavailableError:
            _log.warning("worker.lease_not_released", wallet_id=wallet.id)

    async def _work(self, wallet: Wallet, fence: int) -> None:
        _log.info("worker.started", wallet_id=wallet.id, fence=fence)
        await self._sweep_lost_sends()
        sender = Sender(self.tools, wallet, fence)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_connected(wallet, sender))
            group.create_task(self.tools.bookkeeper.run(self.store_id, lambda: sender.info))
            lease = group.create_task(self._keep_lease(wallet, fence))
            while not lease.done():
                self.wake.clear()
                await self._look_at_work(group, sender)
                # Not `wait_for`: in Python 3.11 that swallows a cancellation that meets a wake-up.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self.wake.wait()

    async def _keep_lease(self, wallet: Wallet, fence: int) -> None:
        keeper = GateKeeper(self.tools.database, self.tools.clock, self.tools.rates)
        while True:
            await asyncio.sleep(LEASE_RENEWAL_S)
            held = await self.tools.database.write(
                wallets.prolong_lease, wallet, fence, self.tools.clock.utc_now(), LEASE
            )
            if not held:
                msg = "the wallet's lease was lost"
                raise UnavailableError(msg)
            await keeper.judge(wallet.store_id)

    async def _keep_connected(self, wallet: Wallet, sender: Sender) -> None:
        while True:
            try:
                info = await self._fetch_wallet()
            except GatewayError as error:
                self.health.connected = False
                self.health.away_since = self.health.away_since or self.tools.clock.utc_now()
                self.health.last_error = error.message
                self.health.is_refused = isinstance(error, CredentialRefused)
                await asyncio.sleep(REFUSED_S if self.health.is_refused else PAUSE.total_seconds())
                continue
            now = self.tools.clock.utc_now()
            await self.tools.database.write(take_wallet, wallet.store_id, sender.fence, info, now)
            sender.info, sender.is_refused = info, False
            self.health.connected, self.health.last_error = True, None
            self.health.away_since, self.health.is_refused = None, False
            self.wake.set()
            await asyncio.sleep(BALANCE_EVERY_S)

    def _note_refusal(self) -> None:
        self.health.connected, self.health.is_refused = False, True
        self.health.away_since = self.health.away_since or self.tools.clock.utc_now()
        self.health.last_error = CredentialRefused().message

    async def _fetch_wallet(self) -> WalletInfo:
        client, rates = self.tools.client, self.tools.rates
        await self.tools.pace.take(Need.LOOK_UP)
        info = await client.fetch_wallet()
        if not self.tools.is_allowed_server(client.is_sandbox):
            msg = "This server is not the kind that this database may pay through."
            raise GatewayError(msg)
        for currency in {"USD", self.currency}:
            await rates.refresh(currency, client.fetch_price)
        return info

    async def _sweep_lost_sends(self) -> None:
        """Whatever is `processing` now was on the wire of a worker that is gone."""
        lost = await self.tools.database.read(
            attempts.read_open_work, self.store_id, PayoutState.PROCESSING, OPEN_WORK_LIMIT
        )
        for payout in lost:
            await self.tools.tracking.sweep(payout)

    async def _look_at_work(self, group: asyncio.TaskGroup, sender: Sender) -> None:
        now, busy = self.tools.clock.utc_now(), len(self._busy)
        later = {known for known, memory in self._memory.items() if _is_later(memory, now)}
        work = await self.tools.database.read(
            _read_work, self.store_id, later | self._busy, busy, len(self._looked_up)
        )
        self._forget_closed(work.open_ids)
        if not self._is_closing:
            for payout in work.to_send + work.to_look_up:
                self._begin(group, sender, payout)
        self.health.waiting = sum(payout_id not in self._busy for payout_id in work.approved_ids)
        self.health.working_on = len(self._busy)

    def _begin(self, group: asyncio.TaskGroup, sender: Sender, payout: Payout) -> None:
        memory = self._memory.setdefault(payout.id, Memory())
        self._busy.add(payout.id)
        if payout.state is PayoutState.IN_FLIGHT:
            self._looked_up.add(payout.id)
        group.create_task(self._advance(sender, payout, memory))

    def _forget_closed(self, open_ids: set[str]) -> None:
        for payout_id in [known for known in self._memory if known not in open_ids]:
            if payout_id not in self._busy:
                watched = self._memory.pop(payout_id).watched
                if watched is not None:
                    self.tools.socket.drop(watched)

    async def _advance(self, sender: Sender, payout: Payout, memory: Memory) -> None:
        """Have one payout taken one step further, and look at it again when it is due."""
        try:
            await sender.advance(payout, memory)
        except StateChanged:
            memory.due = None  # somebody else moved it; the next look shows where
        except (GatewayError, UnavailableError) as error:
            self.health.last_error = error.message
            sender.is_refused = sender.is_refused or isinstance(error, CredentialRefused)
            memory.due = self.tools.clock.utc_now() + PAUSE
        except Exception as error:  # noqa: BLE001  # one payout must not stop the others' sends
            _log.exception("worker.step_failed", payout_id=payout.id)
            self.health.last_error = type(error).__name__
            memory.due = self.tools.clock.utc_now() + FAILED_STEP_PAUSE
        finally:
            if sender.is_refused:
                self._note_refusal()
            self._busy.discard(payout.id)
            self._looked_up.discard(payout.id)
            self.wake.set()


def _is_later(memory: Memory, now: datetime) -> bool:
    return memory.due is not None and now < memory.due


@dataclass(frozen=True, slots=True)
class _Work:
    """What is open as of one moment, by id, and whole what of it can be begun now."""

    approved_ids: list[str]
    open_ids: set[str]
    to_send: list[Payout]
    to_look_up: list[Payout]


def _read_work(tx: Transaction, store_id: str, known: set[str], busy: int, looked_up: int) -> _Work:
    """Return the open work without that which is in hand or not due; so many are busy.

    Whoever is woken for each payout that moves would else read all that are on their way each time.
    """
    approved, lost, unknown = (
        attempts.read_open_ids(tx, store_id, state, OPEN_WORK_LIMIT)
        for state in (PayoutState.APPROVED, PayoutState.PROCESSING, PayoutState.IN_FLIGHT)
    )

    def read(ids: list[str], most: int) -> list[Payout]:
        chosen = [payout_id for payout_id in ids if payout_id not in known][: max(0, most)]
        found = [payouts.read_payout(tx, store_id, payout_id) for payout_id in chosen]
        return [payout for payout in found if payout is not None]

    # What is `processing` though nobody here works on it lost its worker or its answer.
    to_send = read(approved + lost, AT_ONCE - busy)
    # Neither keeps the other waiting: look-ups leave room for sends, and sends some for look-ups.
    room = LOOK_UPS_AT_ONCE - busy - len(to_send)
    to_look_up = read(unknown, max(room, LOOK_UPS_LEAST - looked_up))
    return _Work(approved, {*approved, *lost, *unknown}, to_send, to_look_up)
