"""Invoices of one's own, and the state of anybody's."""

from __future__ import annotations

from typing import Any, Final

from app.sandbox.accounts import Account, Wallet
from app.sandbox.amounts import nanousd_of_cents, sats_for
from app.sandbox.caller import Call
from app.sandbox.fields.root import Root, public
from app.sandbox.problems import IBEX, NOT_MY_WALLET, TOO_MANY_INVOICES, UNDECODABLE, Problem
from app.sandbox.world import World
from models.errors import InvoiceError
from models.invoice import Invoice
from models.money import MSAT_PER_SAT

MAX_EXPIRY_S: Final = 60
_MINUTE_S: Final = 60


def _refused(problem: Problem) -> dict[str, Any]:
    return {"errors": [problem.shown()], "invoice": None}


async def _minted(call: Call, wallet: Wallet, msat: int | None, given: Any) -> dict[str, Any]:
    """Mint within the account's limit; whatever was asked, sixty seconds is the longest life."""
    world = call.world
    if not world.may_mint(wallet.account_id):
        return _refused(TOO_MANY_INVOICES)
    minutes = given.get("expiresIn")
    expiry_s = MAX_EXPIRY_S if minutes is None else min(minutes * _MINUTE_S, MAX_EXPIRY_S)
    invoice = world.invoices.mint(wallet, msat, given.get("memo") or "", expiry_s)
    await world.ledger.writer.flush()
    shown = {
        "paymentRequest": invoice.request,
        "paymentHash": invoice.payment_hash,
        "paymentSecret": invoice.secret,
        "satoshis": None,
    }
    return {"errors": [], "invoice": shown}


async def _for_cents(call: Call, wallet: Wallet | None, given: Any) -> dict[str, Any]:
    if wallet is None:
        return _refused(NOT_MY_WALLET)
    nanousd = nanousd_of_cents(given["amount"])
    sats = sats_for(nanousd, call.world.nanousd_per_btc())
    if sats <= 0:
        return _refused(IBEX)
    return await _minted(call, wallet, sats * MSAT_PER_SAT, given)


async def _ln_usd_invoice_create(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    return await _for_cents(call, call.own_wallet(given["walletId"]), given)


async def _ln_no_amount_invoice_create(call: Call, **args: Any) -> dict[str, Any]:
    """Mint without an amount; the legacy wallet id is taken as it is, and the expiry is needed."""
    given = args["input"]
    wallet = call.own_wallet(given["walletId"], reroutes=False)
    if wallet is None:
        return _refused(NOT_MY_WALLET)
    if given.get("expiresIn") is None:
        return _refused(IBEX)
    return await _minted(call, wallet, None, given)


async def _on_behalf(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    account: Account | None = call.world.accounts.owner(given["recipientWalletId"])
    wallet = None if account is None else call.world.cash_wallet(account)
    return await _for_cents(call, wallet, given)


def invoice_status(world: World, invoice: Invoice) -> str | None:
    """Return PAID, EXPIRED or PENDING; nothing for a foreign invoice that still lives."""
    home = world.invoices.find(invoice.payment_hash)
    if home is not None and home.is_paid:
        return "PAID"
    if world.clock.now_s() >= invoice.expires_at_s:
        return "EXPIRED"
    return None if home is None else "PENDING"


def _ln_invoice_payment_status(call: Call, **args: Any) -> dict[str, Any]:
    try:
        invoice = call.world.invoices.decode(args["input"]["paymentRequest"])
    except InvoiceError:
        return {"errors": [UNDECODABLE.shown()], "status": None}
    status = invoice_status(call.world, invoice)
    return {"errors": [IBEX.shown()] if status is None else [], "status": status}


ROOTS: Final = {
    "lnUsdInvoiceCreate": Root(_ln_usd_invoice_create, scope="write:wallet"),
    "lnNoAmountInvoiceCreate": Root(_ln_no_amount_invoice_create, scope="write:wallet"),
    "lnUsdInvoiceCreateOnBehalfOfRecipient": public(_on_behalf),
    "lnInvoicePaymentStatus": public(_ln_invoice_payment_status),
}
