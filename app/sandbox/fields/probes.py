"""Fee probes: what a payment would cost, or a definite no before any send."""

from __future__ import annotations

from typing import Any, Final

from app.sandbox.accounts import Wallet
from app.sandbox.amounts import hundredth_cents, nanousd_of_cents, sats_for, whole_cents
from app.sandbox.caller import Call
from app.sandbox.fields.root import Root
from app.sandbox.payment import CannotPay
from app.sandbox.problems import IBEX, NOT_MY_WALLET, Problem
from models.errors import InvoiceError
from models.invoice import Invoice
from models.money import MSAT_PER_SAT


def _refused(problem: Problem) -> dict[str, Any]:
    return {"errors": [problem.shown()], "amount": None, "invoiceAmount": None}


def _probe(call: Call, wallet: Wallet, invoice: Invoice, amount_msat: int) -> dict[str, Any]:
    """Quote a payment that the core would take on now."""
    try:
        home = call.world.payments.check(invoice, wallet)
    except CannotPay:
        return _refused(IBEX)
    debit_nanousd, fee_nanousd = call.world.payments.quote(
        invoice.payment_hash, amount_msat, is_home=home is not None
    )
    shown = whole_cents if wallet.currency == "USDT" else hundredth_cents
    return {"errors": [], "amount": shown(fee_nanousd), "invoiceAmount": shown(debit_nanousd)}


def _ln_usd_invoice_fee_probe(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    wallet = call.own_wallet(given["walletId"])
    if wallet is None:
        return _refused(NOT_MY_WALLET)
    try:
        invoice = call.world.invoices.decode(given["paymentRequest"])
    except InvoiceError:
        return _refused(IBEX)
    if invoice.amount_msat is None:
        return _refused(IBEX)
    return _probe(call, wallet, invoice, invoice.amount_msat)


def _ln_no_amount_usd_invoice_fee_probe(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    wallet = call.own_wallet(given["walletId"])
    if wallet is None:
        return _refused(NOT_MY_WALLET)
    nanousd = nanousd_of_cents(given["amount"])
    amount_msat = sats_for(nanousd, call.world.nanousd_per_btc()) * MSAT_PER_SAT
    try:
        invoice = call.world.invoices.decode(given["paymentRequest"])
    except InvoiceError:
        return _refused(IBEX)
    if invoice.amount_msat is not None or amount_msat <= 0:
        return _refused(IBEX)
    return _probe(call, wallet, invoice, amount_msat)


ROOTS: Final = {
    "lnUsdInvoiceFeeProbe": Root(_ln_usd_invoice_fee_probe, scope="read:wallet"),
    "lnNoAmountUsdInvoiceFeeProbe": Root(_ln_no_amount_usd_invoice_fee_probe, scope="read:wallet"),
}
