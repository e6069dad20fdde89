"""The sandbox's side of the past: the same payments, and money to make them with."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import Final

from app.demo.scene import Paid, Told, Waiting
from app.sandbox import ledger_sql as sql
from app.sandbox.bulk_ledger import BulkLedger
from app.sandbox.history import PastPayment
from app.sandbox.price import NANOUSD_PER_DOLLAR
from app.sandbox.townsfolk import PAYEES
from models.balance import KEPT
from models.instants import MICROSECOND

# The owner fills the wallet up to this much beyond what the next stretch of time will cost.
_CUSHION_NANOUSD: Final = 40_000 * NANOUSD_PER_DOLLAR
_FILL_STEP_NANOUSD: Final = 5_000 * NANOUSD_PER_DOLLAR
_BALANCES_APART: Final = timedelta(minutes=20)


class PastLedger:
    """Books parts of the past, one after the other."""

    def __init__(self, ledger: BulkLedger) -> None:
        self._ledger = ledger
        # At least so far apart, in microseconds since 1970.
        self.balances: deque[tuple[int, int]] = deque(maxlen=KEPT // _BALANCES_APART)
        accounts = {
            payee.username: ledger.open_account(payee.username)
            for payee in PAYEES.values()
            if payee.username is not None
        }
        self.payee_wallets = {name: account.usdt.id for name, account in accounts.items()}

    def book(self, told: Told) -> None:
        """Book the payments of one part, after filling the wallet for them."""
        wallet = self._ledger.wallet
        cost_nanousd = sum(
            paid.debit_nanousd + paid.fee_nanousd for paid in told.payments if paid.is_settled
        )
        missing_nanousd = cost_nanousd + _CUSHION_NANOUSD - wallet.book_nanousd
        if told.payments and missing_nanousd > 0:
            steps = -(-missing_nanousd // _FILL_STEP_NANOUSD)
            price = told.payments[0].nanousd_per_btc
            self._ledger.fill(steps * _FILL_STEP_NANOUSD, price, told.first_us // 1000)
        self._see_balances(told, wallet.book_nanousd)
        self._ledger.book([self._past(paid) for paid in told.payments])
        self._ledger.write([(sql.ADD_INVOICE, self._invoice(asked)) for asked in told.waiting])

    def _see_balances(self, told: Told, held_nanousd: int) -> None:
        """Keep what the wallet held after payments, as whoever asked now and then would see it."""
        apart_us = _BALANCES_APART // MICROSECOND
        for paid in told.payments:
            if paid.is_settled:
                held_nanousd -= paid.debit_nanousd + paid.fee_nanousd
            at_us = paid.at_ms * 1000
            if not self.balances or at_us >= self.balances[-1][0] + apart_us:
                self.balances.append((at_us, held_nanousd))

    def _past(self, paid: Paid) -> PastPayment:
        return PastPayment(
            payment_hash=paid.payment_hash,
            amount_msat=paid.amount_msat,
            debit_nanousd=paid.debit_nanousd,
            at_ms=paid.at_ms,
            fee_nanousd=paid.fee_nanousd,
            state="settled" if paid.is_settled else "failed",
            payee_kind="foreign" if paid.payee is None else "home",
            payee_wallet_id=None if paid.payee is None else self.payee_wallets[paid.payee],
            nanousd_per_btc=paid.nanousd_per_btc,
        )

    def _invoice(self, waiting: Waiting) -> tuple[object, ...]:
        return (
            *(waiting.payment_hash, waiting.request, self.payee_wallets[waiting.payee]),
            *(waiting.preimage, waiting.secret, waiting.amount_msat, waiting.memo),
            *(waiting.created_ms, waiting.expires_ms, 0),
        )
