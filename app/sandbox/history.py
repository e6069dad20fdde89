"""A past for the ledger: payments that were made before anybody watched, booked in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Wallet
from app.sandbox.ledger import Ledger
from app.sandbox.payment import PayeeKind, Script
from app.sandbox.payments import SENT, Payments
from app.sandbox.price import ANCHOR
from app.sandbox.uuids import new_uuid
from app.sandbox.writer import Statement

MAX_ROWS: Final = 20_000
_OPERATION: Final = "lnInvoicePaymentSend"
_SCRIPT: Final = Script().text()


@dataclass(frozen=True, slots=True)
class PastPayment:
    """One payment of the past, as the ledger will say it was."""

    payment_hash: str
    amount_msat: int
    debit_nanousd: int
    at_ms: int
    fee_nanousd: int = 0
    state: Literal["settled", "failed"] = "settled"
    payee_kind: PayeeKind = "foreign"
    payee_wallet_id: str | None = None
    nanousd_per_btc: int = ANCHOR


class History:
    """Books the past of one wallet, whole batches in one transaction."""

    def __init__(self, ledger: Ledger, payments: Payments) -> None:
        self._ledger = ledger
        self._payments = payments

    async def book(self, wallet: Wallet, past: list[PastPayment]) -> int:
        """Write payments of the past and take what they cost from the wallet's book.

        Raises:
            ValueError: There are too many for one batch.
        """
        if len(past) > MAX_ROWS:
            raise ValueError(f"at most {MAX_ROWS} payments of the past at once")
        statements: list[Statement] = []
        spent_nanousd = 0
        for payment in past:
            statements += past_rows(self._payments.next_id(), wallet.id, payment)
            if payment.state == "settled":
                spent_nanousd += payment.debit_nanousd + payment.fee_nanousd
        statements.append((sql.MOVE_BOOK, (-spent_nanousd, wallet.id)))
        await self._ledger.writer.commit(statements)
        wallet.book_nanousd -= spent_nanousd
        return len(past)


def past_rows(payment_id: int, wallet_id: str, payment: PastPayment) -> list[Statement]:
    """Return the rows of one payment of the past; what moves the book comes once for many."""
    at_ms, price = payment.at_ms, payment.nanousd_per_btc
    money = (payment.amount_msat, payment.debit_nanousd, payment.fee_nanousd, price)
    payee = (payment.payee_kind, payment.payee_wallet_id, payment.payment_hash)
    started = (payment_id, wallet_id, _OPERATION, *payee, *money, _SCRIPT, at_ms)
    ended = (payment_id, payment.payment_hash, payment.state, "history", at_ms)
    rows: list[Statement] = [(sql.ADD_PAYMENT, started), (sql.ADD_OUTCOME, ended)]
    if payment.state == "settled":
        amounts = (-payment.debit_nanousd, payment.fee_nanousd, 1)
        entry = (new_uuid(), wallet_id, SENT, *amounts, payment.payment_hash, price)
        rows.append((sql.ADD_ENTRY, (*entry, at_ms, at_ms)))
    return rows
