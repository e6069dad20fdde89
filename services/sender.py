"""Takes one payout one step further: asks, sends, repeats, looks up, or refuses.

The order is always the same: commit the intent, call out with no transaction open, commit the
outcome. Which step is due is decided by the pure rules of `attempt_policy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from models.destination import is_amountless
from models.errors import GatewayError, RuleError, UnavailableError
from models.flash import InvoiceStatus, Mutation, Pause, SendOrder, SendOutcome, WalletInfo
from models.instants import Clock
from models.money import NANOUSD_PER_CENT
from models.payout import Attempt, PayeeHome, Payout, Send, SendAnswer, SightingSource
from models.states import PayoutState
from models.wallet import Wallet
from services import attempt_policy, send_log
from services.bookkeeper import Bookkeeper
from services.database import Database
from services.fee_policy import is_too_dear
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace
from services.flash.public_socket import PublicSocket
from services.flash.status_batch import StatusBatch
from services.lnurl_verify import judge_verify
from services.mutation_policy import choose_mutation, order_amount
from services.rates import Rates
from services.resolver import ASK_AGAIN_AFTER, Ready, Resolver, gives_up, is_resolvable
from services.storage import wallet as wallets
from services.tracking import Tracking
from services.vault import Vault

_log = structlog.get_logger(__name__)

PAUSE = timedelta(seconds=2)  # before looking again when something is not ready
AUTH_PAUSE_S = 30.0
LIMIT_PAUSE_S = 5.0
MOST_PAUSE_S = 300
KEEP_ANSWER_AFTER_S = (0.1, 0.5, 2.0, 5.0, 10.0)
WALLET_SHORT_PAUSE = timedelta(seconds=30)
IDLE_LOOK = timedelta(minutes=1)


@dataclass(slots=True)
class Memory:
    """What is remembered of a payout between two looks at it; lost at a restart without harm."""

    due: datetime | None = None
    asked_at: datetime | None = None
    asked: int = 0
    watched: str | None = None
    silences: int = 0  # of the recipient's server, one after another
    silent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker and its senders work with."""

    database: Database
    vault: Vault
    clock: Clock
    tracking: Tracking
    rates: Rates
    client: FlashClient
    socket: PublicSocket
    pace: Pace
    statuses: StatusBatch
    resolver: Resolver
    bookkeeper: Bookkeeper
    is_allowed_server: Callable[[bool], bool]
    # Raises the number that an old copy of the database is known by.
    before_send: Callable[[], Awaitable[None]]


class Sender:
    """Works for the holder of one lease."""

    def __init__(self, tools: Tools, wallet: Wallet, fence: int) -> None:
        self.tools = tools
        self.info: WalletInfo | None = None
        self.paused_until: datetime | None = None
        # A send met a closed door; the next question that is answered says otherwise.
        self.is_refused = False
        self._wallet = wallet
        self.fence = fence

    async def advance(self, payout: Payout, memory: Memory) -> None:
        """Take a payout one step further; its state says which.

        Raises:
            StateChanged: Somebody else moved it.
            GatewayError: Flash gave no usable answer to a question.
        """
        if payout.state is PayoutState.APPROVED:
            await self._pay(payout, memory)
        elif payout.state is PayoutState.PROCESSING:
            await self.tools.tracking.sweep(payout)
        else:
            await self._look_up(payout, memory)

    async def _pay(self, payout: Payout, memory: Memory) -> None:
        info, now = self.info, self.tools.clock.utc_now()
        attempt, may_send = await self.tools.database.read(
            send_log.read_unsent, payout, self._wallet.id, self.fence
        )
        is_over = attempt is not None and not attempt_policy.may_begin(attempt, now)
        if is_over and attempt is not None and not is_resolvable(payout):
            await self._refuse(payout, attempt, "invoice_expired", "The invoice has run out.")
            return
        if info is None or not may_send or (attempt is None and not is_resolvable(payout)):
            memory.due = now + PAUSE
            return
        # No tries, and no invoices, that could only be for nothing.
        needs_another = (attempt is None or is_over) and payout.attempts > 0
        if (payout.submitted_at is not None or needs_another) and self._is_short_for(
            payout, info, now
        ):
            memory.due = now + WALLET_SHORT_PAUSE
            return
        if attempt is None or is_over:
            ready = await self._resolve(payout, memory)
            if ready is None:
                return
            payout, attempt = ready.payout, ready.attempt
        invoice = self._invoice(attempt)
        if is_amountless(invoice):
            ready = await self.tools.resolver.requote(payout, attempt)
            payout, attempt = ready.payout, ready.attempt
        if attempt.home is PayeeHome.UNASKED:
            attempt = await self._ask_home(payout, attempt, invoice)
            if attempt.home is PayeeHome.UNASKED:
                return
        if not await self._probe(payout, attempt, invoice, info):
            return
        await self._send(payout, attempt, invoice, memory)

    def _is_short_for(self, payout: Payout, info: WalletInfo, now: datetime) -> bool:
        """Tell whether the balance, as last read, does not cover a payout."""
        rate = self.tools.rates.of_flash("USD", now)
        if rate is None or info.balance_nanousd is None or payout.amount_msat is None:
            return False
        return info.balance_nanousd < rate.minor_floor(payout.amount_msat * NANOUSD_PER_CENT)

    async def _resolve(self, payout: Payout, memory: Memory) -> Ready | None:
        """Have the recipient give an invoice; what they refuse has failed, silence is waited out.

        Right before the send, because such invoices often live for a minute only.
        """
        resolver, now = self.tools.resolver, self.tools.clock.utc_now()
        try:
            ready = await resolver.prepare(payout)
        except GatewayError as error:
            memory.silent_since = memory.silent_since or now
            if gives_up(payout.approved_at, memory.silent_since, memory.silences, now):
                await resolver.give_up(payout, "destination_unreachable", error.message)
                return None
            memory.due = now + ASK_AGAIN_AFTER[min(memory.silences, len(ASK_AGAIN_AFTER) - 1)]
            memory.silences += 1
            return None
        except RuleError as error:
            await resolver.give_up(payout, error.code, error.message)
            return None
        memory.silences, memory.silent_since = 0, None
        return ready

    async def _ask_home(self, payout: Payout, attempt: Attempt, invoice: str) -> Attempt:
        """Ask once whether Flash issued the invoice; one that is paid or over is not sent."""
        status = await self.tools.statuses.ask(invoice, Need.SEND)
        if status is InvoiceStatus.PAID:
            await self._refuse(payout, attempt, "already_paid", "This invoice is paid already.")
            return attempt
        if status is InvoiceStatus.EXPIRED:
            await self._refuse(payout, attempt, "invoice_expired", "The invoice has run out.")
            return attempt
        # It is written down with the send, which it says how to follow.
        home = PayeeHome.HOME if status is InvoiceStatus.PENDING else PayeeHome.FOREIGN
        return replace(attempt, home=home)

    async def _probe(
        self, payout: Payout, attempt: Attempt, invoice: str, info: WalletInfo
    ) -> bool:
        client, mutation = self.tools.client, _mutation_for(info, invoice)
        if not client.can_probe or mutation is Mutation.NO_AMOUNT_BTC:
            return True
        rate = self.tools.rates.usable("USD", self.tools.clock.utc_now())
        if mutation is Mutation.NO_AMOUNT_USD and rate is None:
            return True
        if not self.tools.pace.try_take(Need.PROBE):
            return True
        cents = order_amount(mutation, attempt.amount_msat, rate)
        outcome = await client.probe_fee(info.flash_wallet_id, invoice, cents)
        if outcome.refused:
            await self._refuse(payout, attempt, outcome.code, outcome.message)
            return False
        worth = 0 if rate is None else rate.minor_floor(attempt.amount_msat * NANOUSD_PER_CENT)
        if rate is not None and is_too_dear(outcome.fee_cents, worth):
            message = "Sending it would cost more than a payout may."
            await self._refuse(payout, attempt, "fee_too_high", message)
            return False
        return True

    async def _send(self, payout: Payout, attempt: Attempt, invoice: str, memory: Memory) -> None:
        """Commit the intent, call out with no transaction open, commit the outcome."""
        info = self.info
        assert info is not None, "nothing is sent before the wallet is known"
        await self.tools.pace.take(Need.SEND)
        now, mutation = self.tools.clock.utc_now(), _mutation_for(info, invoice)
        rate = self.tools.rates.usable("USD", now)
        if rate is None and mutation is Mutation.NO_AMOUNT_USD:
            memory.due = now + PAUSE  # how much to send follows from the rate
            return
        amount = order_amount(mutation, attempt.amount_msat, rate)
        way = self._way(info, mutation)
        # What Flash will debit by, or the best guess: a debit that nobody expects would be taken
        # for that of another payout, and the books would not know that it is on its way.
        rates = self.tools.rates
        priced = rates.of_flash("USD", now) or rates.newest("USD")
        expected = None if priced is None else send_log.expect_debit(attempt, way, priced, now)
        send = await self.tools.database.write(
            send_log.log_send, payout, attempt, way, now, expected
        )
        if send is None:
            memory.due = self.tools.clock.utc_now() + PAUSE
            return
        if attempt.home is PayeeHome.HOME:
            memory.watched = attempt.payment_hash
            self.tools.socket.watch(attempt.payment_hash, invoice)
        order = SendOrder(mutation, send.flash_wallet_id, invoice, send.idempotency_key, amount)
        try:
            await self.tools.before_send()
        except UnavailableError as error:  # then nothing went on the wire, for certain
            outcome = SendOutcome(SendAnswer.NOT_EXECUTED, error.code, error.message)
        else:
            outcome = await self.tools.client.send(order)
        await self._record(send, outcome, attempt, memory)

    async def _record(
        self, send: Send, outcome: SendOutcome, attempt: Attempt, memory: Memory
    ) -> None:
        moved = await self._keep_answer(send, outcome)
        self._obey_pause(outcome)
        state = None if moved is None else moved.state
        _log.info("payout.answered", payout_id=send.payout_id, answer=outcome.answer, state=state)
        if moved is not None and state is not PayoutState.IN_FLIGHT:
            self.tools.socket.drop(attempt.payment_hash)
        if state is PayoutState.APPROVED:
            # The more often Flash did not run it, the longer until it is tried again.
            longer = min(PAUSE * send.number, WALLET_SHORT_PAUSE)
            is_short = outcome.answer is SendAnswer.REFUSED
            pause = WALLET_SHORT_PAUSE if is_short else longer
            memory.due = self.tools.clock.utc_now() + pause
        memory.asked_at, memory.asked = self.tools.clock.utc_now(), 0

    async def _keep_answer(self, send: Send, outcome: SendOutcome) -> Payout | None:
        """Write an answer down, however busy the database is: it may be the only evidence."""
        for pause_s in KEEP_ANSWER_AFTER_S:
            try:
                return await self.tools.tracking.take_answer(send, outcome)
            except UnavailableError:
                _log.warning("payout.answer_not_kept_yet", payout_id=send.payout_id)
                await asyncio.sleep(pause_s)
        return await self.tools.tracking.take_answer(send, outcome)

    def _way(self, info: WalletInfo, mutation: Mutation) -> send_log.Way:
        return send_log.Way(
            wallet_id=self._wallet.id,
            fence=self.fence,
            flash_wallet_id=info.flash_wallet_id,
            takes_keys=self.tools.client.takes_keys and mutation.takes_key,
        )

    def _obey_pause(self, outcome: SendOutcome) -> None:
        if outcome.pause is None:
            return
        limited = outcome.pause is Pause.LIMITED
        self.is_refused = not limited
        seconds = min(outcome.retry_after_s, MOST_PAUSE_S) or (
            LIMIT_PAUSE_S if limited else AUTH_PAUSE_S
        )
        self.tools.pace.block(seconds)
        self.paused_until = self.tools.clock.utc_now() + timedelta(seconds=seconds)

    async def _look_up(self, payout: Payout, memory: Memory) -> None:
        """Do what is due for a payout whose outcome is open: repeat, ask, or give up."""
        now = self.tools.clock.utc_now()
        attempt, sends = await self.tools.database.read(send_log.read_live, payout)
        if attempt is None:
            memory.due = now + PAUSE
            return
        memory.asked_at = memory.asked_at or now
        info = self.info  # it may be learnt while we ask, and what was decided without it stays
        by = "" if info is None else info.flash_wallet_id
        repeat_at = attempt_policy.repeat_due(attempt, sends, flash_wallet_id=by)
        ask_at = attempt_policy.look_up_due(attempt, memory.asked_at, memory.asked)
        if attempt.home is PayeeHome.HOME:
            memory.watched = attempt.payment_hash
            self.tools.socket.watch(attempt.payment_hash, self._invoice(attempt))
        is_due = attempt_policy.may_repeat(attempt, sends, now, flash_wallet_id=by)
        if is_due and await self._may_send():
            await self._send(payout, attempt, self._invoice(attempt), memory)
            return
        silence: GatewayError | None = None
        if ask_at is not None and ask_at <= now:
            try:
                await self._ask(attempt, sends, memory, now)
            except GatewayError as error:
                silence = error  # for days perhaps: what time decides does not wait for it
        moved = await self.tools.tracking.look_at_age(payout)
        if moved is None and silence is not None:
            raise silence
        if moved is None:
            later = self._next_look(attempt, memory, repeat_at, now)
            memory.due = now + PAUSE if info is None else later

    async def _ask(
        self, attempt: Attempt, sends: list[Send], memory: Memory, now: datetime
    ) -> None:
        if attempt.home is PayeeHome.HOME:
            await self._ask_again(attempt, sends, memory, now)
        await self._ask_recipient(attempt, memory, now)

    def _next_look(
        self, attempt: Attempt, memory: Memory, repeat_at: datetime | None, now: datetime
    ) -> datetime:
        asked_at = memory.asked_at or now
        ask_at = attempt_policy.look_up_due(attempt, asked_at, memory.asked)
        # Foreign invoices are nobody's to ask about: only time decides, so look rarely.
        dues = [due for due in (repeat_at, ask_at) if due is not None and due > now]
        return min([*dues, now + IDLE_LOOK])

    async def _ask_again(
        self, attempt: Attempt, sends: list[Send], memory: Memory, now: datetime
    ) -> None:
        status = await self.tools.statuses.ask(self._invoice(attempt), Need.LOOK_UP)
        memory.asked_at, memory.asked = now, memory.asked + 1
        clear = False
        if status is InvoiceStatus.EXPIRED and attempt_policy.expired_twice(attempt, now):
            clear = await self._statement_is_clear(attempt, sends)
        if status in {InvoiceStatus.PAID, InvoiceStatus.EXPIRED}:
            await self.tools.tracking.take_status(
                attempt.payment_hash, status, SightingSource.STATUS, statement_clear=clear
            )

    async def _ask_recipient(self, attempt: Attempt, memory: Memory, now: datetime) -> None:
        """Ask the recipient's own server (LUD-21); only a preimage that fits decides."""
        memory.asked_at, memory.asked = now, memory.asked + (attempt.home is not PayeeHome.HOME)
        try:
            body = await self.tools.resolver.verify(attempt)
        except GatewayError:
            return  # its silence says nothing; Flash may still know
        verdict = None if body is None else judge_verify(body, attempt.payment_hash)
        if verdict is not None and verdict.preimage is not None:
            await self.tools.tracking.take_preimage(
                attempt.payment_hash, verdict.preimage, SightingSource.VERIFY
            )

    async def _statement_is_clear(self, attempt: Attempt, sends: list[Send]) -> bool:
        """Tell whether the wallet's list has no row that could be this payment (rule W)."""
        info = self.info
        rate = self.tools.rates.usable("USD", self.tools.clock.utc_now())
        if info is None or rate is None:
            return False
        if any(send.flash_wallet_id != info.flash_wallet_id for send in sends):
            return False  # another wallet's list says nothing of this payment
        now = self.tools.clock.utc_now()
        known = await self.tools.database.read(send_log.settled_near, attempt, now)
        await self.tools.pace.take(Need.LOOK_UP)
        rows = await self.tools.client.fetch_statement(
            info.flash_wallet_id, send_log.STATEMENT_ROWS
        )
        return send_log.has_no_unclaimed_row(rows, known, attempt, rate)

    async def _refuse(
        self, payout: Payout, attempt: Attempt, code: str | None, message: str | None
    ) -> None:
        """Fail a payout before any send: nothing is on the wire, so this is certain."""
        now = self.tools.clock.utc_now()
        await self.tools.database.write(send_log.refuse_unsent, payout, attempt, code, message, now)

    async def _may_send(self) -> bool:
        return await self.tools.database.read(
            wallets.may_send, self._wallet.store_id, self._wallet.id, self.fence
        )

    def _invoice(self, attempt: Attempt) -> str:
        place = f"attempts/{attempt.id}/invoice"
        return self.tools.vault.of(attempt.store_id).open_text(attempt.invoice_sealed, place)


def _mutation_for(info: WalletInfo, invoice: str) -> Mutation:
    return choose_mutation(info.currency, is_amountless=is_amountless(invoice))
