"""Home invoices: what the sandbox mints for its own wallets, signed with its own node key."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from app.sandbox import ledger_sql as sql
from app.sandbox.accounts import Wallet
from app.sandbox.clock import SandboxClock
from app.sandbox.ledger import Ledger
from models.errors import InvoiceError
from models.invoice import Invoice
from services import bolt11
from services.bolt11_encode import sign_invoice

# More than the writer's queue holds, so that nothing is forgotten before it is on the disk.
_REMEMBERED: Final = 25_000
_DECODED: Final = 5_000


@dataclass(slots=True)
class HomeInvoice:
    """One invoice of the sandbox itself, with the preimage that proves its payment."""

    payment_hash: str
    request: str
    wallet_id: str
    preimage: str
    secret: str
    amount_msat: int | None
    memo: str
    created_ms: int
    expires_ms: int
    # Only what the Lightning Address host gave out can be asked about there (LUD-21).
    via_address: bool
    is_paid: bool = False


class Invoices:
    """Mints home invoices, finds them again, and reads anybody's."""

    def __init__(self, ledger: Ledger, clock: SandboxClock, node_key: bytes) -> None:
        self._ledger = ledger
        self._clock = clock
        self._node_key = node_key
        self._recent: OrderedDict[str, HomeInvoice] = OrderedDict()
        self._decoded: OrderedDict[str, Invoice] = OrderedDict()

    def decode(self, request: str) -> Invoice:
        """Return what an invoice says; the last ones are remembered.

        Raises:
            InvoiceError: It is not a valid BOLT11 invoice.
        """
        invoice = self._decoded.get(request)
        if invoice is None:
            invoice = bolt11.decode(request)
            self._decoded[request] = invoice
            if len(self._decoded) > _DECODED:
                self._decoded.popitem(last=False)
        return invoice

    def hash_of(self, request: str) -> str | None:
        """Return the payment hash of an invoice, or nothing if it cannot be read."""
        try:
            return self.decode(request).payment_hash
        except InvoiceError:
            return None

    def mint(
        self,
        wallet: Wallet,
        amount_msat: int | None,
        memo: str,
        expiry_s: int,
        *,
        via_address: bool = False,
        description_hash: bytes | None = None,
    ) -> HomeInvoice:
        """Make an invoice that pays into a wallet; it is queued for the ledger.

        Raises:
            LedgerBusy: The ledger's queue is full.
        """
        preimage = secrets.token_bytes(32)
        secret = secrets.token_bytes(32)
        payment_hash = sha256(preimage).digest()
        now_ms = self._clock.now_ms()
        now_s = now_ms // 1000
        request = sign_invoice(
            self._node_key,
            amount_msat=amount_msat,
            payment_hash=payment_hash,
            payment_secret=secret,
            timestamp_s=now_s,
            expiry_s=expiry_s,
            description=memo,
            description_hash=description_hash,
        )
        invoice = HomeInvoice(
            payment_hash=payment_hash.hex(),
            request=request,
            wallet_id=wallet.id,
            preimage=preimage.hex(),
            secret=secret.hex(),
            amount_msat=amount_msat,
            memo=memo,
            created_ms=now_ms,
            expires_ms=(now_s + expiry_s) * 1000,
            via_address=via_address,
        )
        self._ledger.writer.submit([(sql.ADD_INVOICE, _row(invoice))])
        self._remember(invoice)
        return invoice

    def find(self, payment_hash: str) -> HomeInvoice | None:
        """Return the home invoice of a hash, paid or not."""
        invoice = self._recent.get(payment_hash)
        if invoice is None:
            row = self._ledger.row(sql.ONE_INVOICE, payment_hash)
            if row is None:
                return None
            row["via_address"] = bool(row["via_address"])
            invoice = HomeInvoice(**row, is_paid=self._ledger.is_settled(payment_hash))
            self._remember(invoice)
        return invoice

    def judge(self, payment_hash: str) -> tuple[HomeInvoice | None, bool]:
        """Return the home invoice of a hash, if any, and whether the hash has been settled."""
        home = self._recent.get(payment_hash)
        if home is not None and home.is_paid:
            return home, True
        is_home, is_settled = self._ledger.facts(payment_hash)
        if home is None and is_home:
            home = self.find(payment_hash)
        return home, is_settled

    def mark_paid(self, payment_hash: str) -> None:
        """Note what the ledger now says of an invoice."""
        invoice = self._recent.get(payment_hash)
        if invoice is not None:
            invoice.is_paid = True

    def _remember(self, invoice: HomeInvoice) -> None:
        self._recent[invoice.payment_hash] = invoice
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)


def _row(invoice: HomeInvoice) -> tuple[object, ...]:
    return (
        invoice.payment_hash,
        invoice.request,
        invoice.wallet_id,
        invoice.preimage,
        invoice.secret,
        invoice.amount_msat,
        invoice.memo,
        invoice.created_ms,
        invoice.expires_ms,
        int(invoice.via_address),
    )
