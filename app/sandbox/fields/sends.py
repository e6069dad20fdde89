"""Paying BOLT11 invoices, and LNURLs that lead to one."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from app.sandbox.amounts import nanousd_of_cents, sats_for
from app.sandbox.caller import Call
from app.sandbox.errand import Errand, run
from app.sandbox.fields.root import Root
from app.sandbox.problems import (
    ALREADY_PAID,
    GENERIC,
    IBEX,
    INVALID_LNURL,
    NOT_MY_WALLET,
    Problem,
    Reply,
    top_level,
)
from models.errors import InvoiceError, RuleError
from models.money import MSAT_PER_SAT
from services import lnurl

_SEND: Final = "write:wallet"
_MAX_LNURL_MSAT: Final = 2_147_483_647
_NO_WALLET: Final = Reply(None, NOT_MY_WALLET)


async def _ln_invoice_payment_send(call: Call, **args: Any) -> dict[str, Any]:
    """Pay an invoice with an amount; the legacy wallet id is taken as it is."""
    given = args["input"]
    request = given["paymentRequest"]
    wallet = call.own_wallet(given["walletId"], reroutes=False)
    if wallet is None:
        return _NO_WALLET.shown()
    try:
        invoice = call.world.invoices.decode(request)
    except InvoiceError:
        return Reply("FAILURE", GENERIC).shown()
    if invoice.amount_msat is None:
        return Reply("FAILURE", GENERIC).shown()
    errand = Errand("lnInvoicePaymentSend", wallet, invoice, invoice.amount_msat)
    reply = await run(call.world, errand, given.get("idempotencyKey"), f"ln|{request}")
    return reply.shown()


async def _ln_no_amount_usd_invoice_payment_send(call: Call, **args: Any) -> dict[str, Any]:
    """Pay an invoice without an amount by an amount in cents; there is no key for this."""
    given = args["input"]
    wallet = call.own_wallet(given["walletId"])
    if wallet is None:
        return _NO_WALLET.shown()
    nanousd = nanousd_of_cents(given["amount"])
    amount_msat = sats_for(nanousd, call.world.nanousd_per_btc()) * MSAT_PER_SAT
    try:
        invoice = call.world.invoices.decode(given["paymentRequest"])
    except InvoiceError:
        return Reply("FAILURE", IBEX).shown()
    if invoice.amount_msat is not None or amount_msat <= 0:
        return Reply("FAILURE", IBEX).shown()
    errand = Errand(
        "lnNoAmountUsdInvoicePaymentSend", wallet, invoice, amount_msat, IBEX, ALREADY_PAID
    )
    return (await run(call.world, errand, None, "")).shown()


async def _lnurl_payment_send(call: Call, **args: Any) -> dict[str, Any]:
    """Pay an LNURL of this sandbox's own host; the answer is PENDING and stays so."""
    given = args["input"]
    world = call.world
    wallet = call.own_wallet(given["walletId"])
    if wallet is None:
        return _NO_WALLET.shown()
    username = _own_name(call, given["lnurl"])
    cents = int(nanousd_of_cents(given["amount"]) // 10_000_000)
    amount_msat = sats_for(cents * 10_000_000, world.nanousd_per_btc()) * MSAT_PER_SAT
    if not 0 < amount_msat <= _MAX_LNURL_MSAT:
        return Reply("FAILURE", INVALID_LNURL).shown()
    minted = await world.mint(username, amount_msat)
    invoice = world.invoices.decode(minted.request)
    errand = Errand(
        "lnurlPaymentSend", wallet, invoice, amount_msat, IBEX, IBEX, answers_pending=True
    )
    return (await run(world, errand, None, "")).shown()


def _own_name(call: Call, text: str) -> str:
    """Return whose LNURL it is; other hosts are out of the sandbox's reach."""
    unreachable = top_level(Problem("Could not reach the LNURL host", "INTERNAL_SERVER_ERROR"))
    origin = call.world.origin
    try:
        url = lnurl.decode(text, outbound_allow=(urlsplit(origin).netloc,))
    except RuleError:
        raise unreachable from None
    name = url.removeprefix(f"{origin}/.well-known/lnurlp/")
    if name == url or call.world.accounts.named(name) is None:
        raise unreachable
    return name


ROOTS: Final = {
    "lnInvoicePaymentSend": Root(_ln_invoice_payment_send, scope=_SEND),
    "lnNoAmountUsdInvoicePaymentSend": Root(_ln_no_amount_usd_invoice_payment_send, scope=_SEND),
    "lnurlPaymentSend": Root(_lnurl_payment_send, scope=_SEND),
}
