"""The core that moves money: holds it, ends payments by their script, and writes the ledger.

Nothing a caller is told comes before the commit: balances, paid marks, events and answers all
follow from the ledger's acknowledgement.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Accounts, Wallet
from app.sandbox.amounts import credit_of, debit_of
from app.sandbox.clock import SandboxClock
from app.sandbox.events import Events
from app.sandbox.idempotency import SendKey
from app.sandbox.invoices import HomeInvoice, Invoices
from app.sandbox.ledger import Ledger, Row
from app.sandbox.payment import (
    CannotPay,
    Outcome,
    Payment,
    Script,
    ShortBalance,
    State,
)
from app.sandbox.price import PriceWalk
from app.sandbox.timetable import Timetable
from app.sandbox.uuids import new_uuid
from app.sandbox.writer import LedgerBusy, Statement
from models.invoice import Invoice
from models.money import MSAT_PER_SAT

# IBEX's transaction types: what came in over Lightning, what went out.
RECEIVED: Final = 1
SENT: Final = 2
_FEE_STEPS: Final = 3_001
_MILLION: Final = 1_000_000
_AGAIN_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller wants paid, and how the payment is to go."""

    wallet: Wallet | None
    operation: str
    invoice: Invoice
    amount_msat: int
    script: Script
    key: SendKey | None = None
    # A pending answer is stored under the key when the payment starts, any other when it ends.
    is_pending: bool = False


class Payments:
    """All payments under way, and the door through which new ones come."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        accounts: Accounts,
        invoices: Invoices,
        price: PriceWalk,
        clock: SandboxClock,
        timetable: Timetable,
        events: Events,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._invoices = invoices
        self._price = price
        self._clock = clock
        self._timetable = timetable
        self._events = events
        self._last_id = ledger.last_payment_id()
        self._live: dict[str, Payment] = {}

    def load(self) -> None:
        """Take up what was under way when the ledger was last closed or cut off."""
        for row in self._ledger.rows(sql.ALL_INFLIGHT):
            payment = self._read(row)
            self._hold(payment)
            self._schedule(payment)

    def next_id(self) -> int:
        """Return a number that no payment has yet."""
        self._last_id += 1
        return self._last_id

    def live(self, payment_hash: str) -> Payment | None:
        """Return the payment under way for a hash."""
        return self._live.get(payment_hash)

    def quote(self, payment_hash: str, amount_msat: int, *, is_home: bool) -> tuple[int, int]:
        """Return debit and fee in nano-dollars at the present price; home payments are free."""
        self._price.advance(self._clock.now_ms())
        debit = debit_of(amount_msat, self._price.nanousd_per_btc)
        if is_home:
            return debit, 0
        # At most 0.3 %, and the same each time for one invoice.
        ppm = int(payment_hash[:8], 16) % _FEE_STEPS
        return debit, -(-debit * ppm // _MILLION)

    def check(self, invoice: Invoice, wallet: Wallet | None) -> HomeInvoice | None:
        """Refuse what the network would refuse, and return the home invoice if it is one.

        Raises:
            CannotPay: It has expired, is under way, is paid, or pays the payer.
        """
        if self._clock.now_s() >= invoice.expires_at_s:
            raise CannotPay("expired")
        if invoice.payment_hash in self._live:
            raise CannotPay("already_prepared")
        home, is_settled = self._invoices.judge(invoice.payment_hash)
        if home is not None and wallet is not None and home.wallet_id == wallet.id:
            raise CannotPay("self_payment")
        if is_settled:
            raise CannotPay("already_prepared")
        return home

    def start(self, order: Order) -> Payment:
        """Hold the money and set a payment going.

        Raises:
            CannotPay: Nothing was done.
            LedgerBusy: Nothing was done.
        """
        home = self.check(order.invoice, order.wallet)
        payment_hash = order.invoice.payment_hash
        debit_nanousd, fee_nanousd = self.quote(
            payment_hash, order.amount_msat, is_home=home is not None
        )
        if order.script.drift_sats:
            drift_msat = order.script.drift_sats * MSAT_PER_SAT
            debit_nanousd += debit_of(drift_msat, self._price.nanousd_per_btc)
        wallet = order.wallet
        if wallet is not None and wallet.balance_nanousd < debit_nanousd + fee_nanousd:
            raise ShortBalance(wallet.balance_nanousd)
        payment = Payment(
            id=self.next_id(),
            wallet=wallet,
            operation=order.operation,
            payee_kind="foreign" if home is None else "home",
            invoice=home,
            payment_hash=payment_hash,
            amount_msat=order.amount_msat,
            debit_nanousd=debit_nanousd,
            fee_nanousd=fee_nanousd,
            nanousd_per_btc=self._price.nanousd_per_btc,
            script=order.script,
            started_ms=self._clock.now_ms(),
            key=None if order.is_pending else order.key,
        )
        self._begin(payment, order)
        return payment

    def end(self, payment: Payment, *, is_settled: bool, reason: str = "") -> None:
        """End a payment that is under way; ending it again does nothing.

        Raises:
            LedgerBusy: Nothing was done.
        """
        if payment.state == "inflight":
            statements: list[Statement] = [(sql.END_INFLIGHT, (payment.id,))]
            self._end(payment, statements, "settled" if is_settled else "failed", reason)

    def _begin(self, payment: Payment, order: Order) -> None:
        """Write the start; what ends at once is written whole, in one transaction."""
        started: Statement = (sql.ADD_PAYMENT, payment.row())
        due_ms = payment.script.due_ms
        if payment.script.ending != "hold" and (due_ms is None or due_ms <= payment.started_ms):
            state: State = "settled" if payment.script.ending == "settle" else "failed"
            self._end(payment, [started], state, "")
            self._hold(payment)
            return
        statements = [started, (sql.ADD_INFLIGHT, (payment.id,))]
        if order.is_pending and order.key is not None:
            statements.append(order.key.keep("PENDING", payment.started_ms))
        self._ledger.writer.submit(statements)
        self._hold(payment)
        self._schedule(payment)

    def _hold(self, payment: Payment) -> None:
        self._live[payment.payment_hash] = payment
        if payment.wallet is not None:
            payment.wallet.held_nanousd += payment.cost_nanousd

    def _schedule(self, payment: Payment) -> None:
        if payment.script.ending == "hold":
            return
        self._timetable.at(payment.script.due_ms or 0, partial(self._end_when_due, payment))

    def _end_when_due(self, payment: Payment) -> None:
        try:
            self.end(payment, is_settled=payment.script.ending == "settle")
        except LedgerBusy:
            self._timetable.after(_AGAIN_MS, partial(self._end_when_due, payment))

    def _end(
        self, payment: Payment, statements: list[Statement], state: State, reason: str
    ) -> None:
        now_ms = self._clock.now_ms()
        row = (payment.id, payment.payment_hash, state, reason, now_ms)
        statements.append((sql.ADD_OUTCOME, row))
        if state == "settled":
            statements += self._movements(payment, now_ms)
        if payment.key is not None:
            status = "SUCCESS" if state == "settled" else "FAILURE"
            statements.append(payment.key.keep(status, now_ms))
        self._ledger.writer.submit(statements, partial(self._ended, payment, state, now_ms))
        payment.state = "landing"

    def _movements(self, payment: Payment, now_ms: int) -> list[Statement]:
        """Return the rows of both books; an entry's fee stands beside its amount."""
        moved: list[Statement] = []
        shown_ms = now_ms + payment.script.row_delay_ms
        if payment.wallet is not None:
            debit, fee = -payment.debit_nanousd, payment.fee_nanousd
            moved.append(self._entry(payment.wallet.id, SENT, debit, fee, payment, shown_ms))
            moved.append((sql.MOVE_BOOK, (-payment.cost_nanousd, payment.wallet.id)))
        if payment.invoice is not None:
            credit = credit_of(payment.amount_msat, payment.nanousd_per_btc)
            to = payment.invoice.wallet_id
            moved.append(self._entry(to, RECEIVED, credit, 0, payment, shown_ms))
            moved.append((sql.MOVE_BOOK, (credit, to)))
        return moved

    def _entry(
        self, wallet_id: str, type_id: int, amount: int, fee: int, payment: Payment, shown_ms: int
    ) -> Statement:
        has_fee = int(payment.script.has_fee or type_id != SENT)
        values = (new_uuid(), wallet_id, type_id, amount, fee, has_fee)
        rest = (payment.payment_hash, payment.nanousd_per_btc, self._clock.now_ms(), shown_ms)
        return sql.ADD_ENTRY, values + rest

    def _ended(self, payment: Payment, state: State, at_ms: int) -> None:
        """Let the world see what is now in the ledger."""
        payment.state = state
        self._live.pop(payment.payment_hash, None)
        wallet, invoice = payment.wallet, payment.invoice
        if wallet is not None:
            wallet.held_nanousd -= payment.cost_nanousd
        if state == "settled":
            if wallet is not None:
                wallet.book_nanousd -= payment.cost_nanousd
            if invoice is not None:
                credit = credit_of(payment.amount_msat, payment.nanousd_per_btc)
                self._accounts.wallet(invoice.wallet_id).book_nanousd += credit
                invoice.is_paid = True
                self._invoices.mark_paid(invoice.payment_hash)
        if not payment.landed.done():
            payment.landed.set_result(state)
        self._events.ended(
            Outcome(
                payment_id=payment.id,
                payment_hash=payment.payment_hash,
                state=state,
                payee_kind=payment.payee_kind,
                wallet_id=None if wallet is None else wallet.id,
                payee_wallet_id=None if invoice is None else invoice.wallet_id,
                amount_msat=payment.amount_msat,
                at_ms=at_ms,
            )
        )

    def _read(self, row: Row) -> Payment:
        wallet_id = row["wallet_id"]
        return Payment(
            id=row["id"],
            wallet=None if wallet_id is None else self._accounts.wallet(wallet_id),
            operation=row["operation"],
            payee_kind=row["payee_kind"],
            invoice=self._invoices.find(row["payment_hash"]),
            payment_hash=row["payment_hash"],
            amount_msat=row["amount_msat"],
            debit_nanousd=row["debit_nanousd"],
            fee_nanousd=row["fee_nanousd"],
            nanousd_per_btc=row["nanousd_per_btc"],
            script=Script.read(row["script"]),
            started_ms=row["started_ms"],
        )
