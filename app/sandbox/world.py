"""The world the sandbox shows: accounts, money, invoices, payments, prices and time.

It can be used in-process, without a socket: whoever plays its customers takes invoices from
`mint`, listens at `outcomes` or asks `is_paid`, waits with `timetable.sleep`, and runs beside the
calls by `spawn`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Literal, cast

import structlog

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Account, Accounts, Wallet
from app.sandbox.clock import SandboxClock, machine_ms
from app.sandbox.events import OUTCOMES, Events
from app.sandbox.faults import Faults
from app.sandbox.history import History
from app.sandbox.hub import Feed, Hub
from app.sandbox.idempotency import Idempotency
from app.sandbox.invoices import HomeInvoice, Invoices
from app.sandbox.keys import KeyRing
from app.sandbox.ledger import Ledger
from app.sandbox.limits import MintLimiter
from app.sandbox.payments import Payments
from app.sandbox.price import PriceWalk
from app.sandbox.sessions import Sessions
from app.sandbox.settings import SandboxSettings
from app.sandbox.statement import Statements
from app.sandbox.timetable import Timetable
from app.sandbox.treasury import Treasury
from app.sandbox.writer import LedgerWriter
from models.money import NANOUSD_PER_CENT
from services import lnurl

log = structlog.get_logger(__name__)

CutoverState = Literal["PRE", "IN_PROGRESS", "COMPLETE", "ROLLED_BACK"]
DEFAULT_USERNAME: Final = "merchant"
_MAX_TASKS: Final = 10_000


class World:
    """Everything behind the sandbox's two ports."""

    def __init__(
        self,
        settings: SandboxSettings,
        ledger: Ledger,
        meta: dict[str, str],
        machine: Callable[[], int] = machine_ms,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.clock = SandboxClock(machine, int(meta["clock_offset_ms"]))
        self.timetable = Timetable(self.clock)
        self.price = PriceWalk(**json.loads(meta["price"]))
        self.cutover: CutoverState = cast("CutoverState", meta["cutover"])
        self._has_moved = meta["has_moved"] == "1"
        self.latency_ms = settings.settle_ms
        # Where the HTTP port answers; known once it is bound.
        self.origin = ""
        self.hub = Hub()
        self._mint_limiter = MintLimiter()
        self.accounts = Accounts(settings.seed)
        self.sessions = Sessions()
        self.keys = KeyRing()
        self.faults = Faults(ledger, settings.seed)
        self.invoices = Invoices(ledger, self.clock, bytes.fromhex(meta["node_key"]))
        self.events = Events(self.hub, self.accounts, self.faults, self.timetable)
        self.idempotency = Idempotency(ledger, self.clock, settings.lock_wait_ms)
        self.payments = Payments(
            ledger=ledger,
            accounts=self.accounts,
            invoices=self.invoices,
            price=self.price,
            clock=self.clock,
            timetable=self.timetable,
            events=self.events,
        )
        self.statements = Statements(ledger, self.clock)
        self.treasury = Treasury(ledger, self.clock, self.price)
        self.history = History(ledger, self.payments)
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: SandboxSettings,
        machine: Callable[[], int] = machine_ms,
        writer: Callable[[Path], LedgerWriter] = LedgerWriter,
    ) -> AsyncIterator[World]:
        """Open the ledger, take up what was under way, and close everything at the end."""
        ledger = Ledger.open(settings.ledger, writer)
        try:
            meta = await _first_meta(ledger, settings, machine())
            world = cls(settings, ledger, meta, machine)
            for part in (world.accounts, world.sessions, world.keys):
                part.load(ledger)
            world.faults.load()
            world.payments.load()
            await world._first_account()
            async with asyncio.TaskGroup() as world._tasks:
                world._start(world._watch_ledger())
                try:
                    yield world
                finally:
                    world.timetable.close()
                    for task in world._running:
                        task.cancel()
        finally:
            await ledger.close()

    def nanousd_per_btc(self) -> int:
        """Return the price of now."""
        self.price.advance(self.clock.now_ms())
        return self.price.nanousd_per_btc

    def payee(self, username: str) -> Account:
        """Return a home payee, who becomes a Flash user when first named.

        Raises:
            ValueError: There are too many accounts.
        """
        account = self.accounts.named(username)
        if account is None:
            account, statements = self.accounts.create(username, "USD", self.clock.now_ms())
            self.ledger.writer.submit(statements)
        return account

    def cash_wallet(self, account: Account) -> Wallet:
        """Return the wallet an account's money is in."""
        return account.usdt if self.is_migrated else account.usd

    @property
    def is_migrated(self) -> bool:
        """Tell whether money has moved from the USD to the USDT wallets."""
        return self._has_moved and self.settings.profile != "2025-08"

    async def mint(
        self, username: str, amount_msat: int | None, memo: str = "", expiry_s: int = 60
    ) -> HomeInvoice:
        """Make an invoice of a home payee and wait until the ledger knows it."""
        wallet = self.cash_wallet(self.payee(username))
        invoice = self.invoices.mint(wallet, amount_msat, memo, expiry_s)
        await self.ledger.writer.flush()
        return invoice

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the calls; it ends with the world.

        Raises:
            RuntimeError: Too much is running already.
        """
        if len(self._running) >= _MAX_TASKS:
            work.close()
            raise RuntimeError("the sandbox does too much at once")
        self._start(_logged(work))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _watch_ledger(self) -> None:
        """Fail when the ledger's thread does: without a ledger the sandbox must stop."""
        await self.ledger.writer.failure

    def may_mint(self, account_id: str) -> bool:
        """Count an invoice against its account's limit."""
        if not self.settings.pace:
            return True
        return self._mint_limiter.allows(account_id, self.clock.now_ms())

    def lnurlp(self, account: Account) -> str:
        """Return the LNURL of an account's Lightning Address."""
        return lnurl.encode(f"{self.origin}/.well-known/lnurlp/{account.username}")

    def is_paid(self, payment_hash: str) -> bool:
        """Tell whether a payment with this hash, home or foreign, was settled."""
        return self.ledger.is_settled(payment_hash)

    @contextmanager
    def outcomes(self) -> Iterator[Feed]:
        """Listen to every `Outcome` of a payment until the block is left."""
        with self.hub.listen(OUTCOMES) as feed:
            yield feed

    async def advance_clock(self, ms: int) -> None:
        """Move time forward and do what has fallen due meanwhile."""
        self.clock.advance(ms)
        await self._remember("clock_offset_ms", str(self.clock.offset_ms))
        self.timetable.run_due()

    async def set_price(self, nanousd_per_btc: int, *, is_held: bool) -> None:
        """Put the price somewhere, and keep it there if asked."""
        self.price.set(nanousd_per_btc, is_held=is_held)
        await self._remember("price", self.price.text())

    async def set_cutover(self, state: CutoverState) -> None:
        """Change the state of the cash wallet cutover; its end moves the money, one way or back."""
        self.cutover = state
        await self._remember("cutover", state)
        if state == "IN_PROGRESS" or self._has_moved == (state == "COMPLETE"):
            return
        self._has_moved = state == "COMPLETE"
        await self._remember("has_moved", str(int(self._has_moved)))
        for account in self.accounts:
            wallets = (account.usd, account.usdt)
            source, target = wallets if self._has_moved else wallets[::-1]
            await self.treasury.move(source, target)

    async def _remember(self, name: str, value: str) -> None:
        """Keep a named setting in the ledger."""
        await self.ledger.writer.commit([(sql.SET_META, (name, value))])

    async def _first_account(self) -> None:
        """Make the merchant on the first start; a token given later is added to those it has."""
        now_ms = self.clock.now_ms()
        account = self.accounts.named(DEFAULT_USERNAME)
        if account is None:
            account, statements = self.accounts.create(DEFAULT_USERNAME, "USD", now_ms)
            await self.ledger.writer.commit(statements)
            if self.settings.opening_cents > 0:
                await self.treasury.deposit(
                    self.cash_wallet(account), self.settings.opening_cents * NANOUSD_PER_CENT
                )
        token, api_key = self.settings.token, self.settings.api_key
        has_any = bool(self.sessions.of_account(account.id, now_ms))
        if (token is None and not has_any) or (token and self.sessions.find(token) is None):
            _, statements = self.sessions.start(account.id, now_ms, token)
            await self.ledger.writer.commit(statements)
        if api_key is not None and self.keys.find(api_key, now_ms) is None:
            scopes = ("read:user", "write:wallet", "read:transactions")
            _, _, statements = self.keys.create(account.id, "payouts", scopes, now_ms, text=api_key)
            await self.ledger.writer.commit(statements)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Run what nobody waits for; its mistakes are told to the log and stop nothing else."""
    try:
        await work
    except Exception:
        log.exception("sandbox.work_failed")


async def _first_meta(ledger: Ledger, settings: SandboxSettings, now_ms: int) -> dict[str, str]:
    """Return the ledger's settings; a new ledger gets its own node key and price."""
    meta = ledger.meta()
    price = PriceWalk(settings.seed, settings.price_period_ms, now_ms)
    first: dict[str, Any] = {
        "clock_offset_ms": "0",
        "node_key": secrets.token_bytes(32).hex(),
        "cutover": "COMPLETE",
        "has_moved": "1",
        "price": price.text(),
    }
    missing = {name: value for name, value in first.items() if name not in meta}
    if missing:
        await ledger.writer.commit([(sql.SET_META, item) for item in missing.items()])
    return meta | missing
