"""Intraledger sends: a fresh invoice on the recipient's wallet, paid at once."""

from __future__ import annotations

from typing import Any, Final

from app.sandbox.accounts import Wallet
from app.sandbox.amounts import nanousd_of_cents, sats_for
from app.sandbox.caller import Call
from app.sandbox.errand import Errand, run
from app.sandbox.fields.root import Root
from app.sandbox.problems import IBEX, MISMATCHED, NOT_MY_WALLET, Reply
from models.money import MSAT_PER_SAT

_EXPIRY_S: Final = 60


async def _intra_ledger_usd_payment_send(call: Call, **args: Any) -> dict[str, Any]:
    given = args["input"]
    world = call.world
    wallet = call.own_wallet(given["walletId"])
    if wallet is None:
        return Reply(None, NOT_MY_WALLET).shown()
    recipient = _recipient(call, given["recipientWalletId"])
    if recipient is None:
        return Reply("FAILURE", IBEX).shown()
    if recipient.currency != wallet.currency:
        return Reply("FAILURE", MISMATCHED).shown()
    nanousd = nanousd_of_cents(given["amount"])
    amount_msat = sats_for(nanousd, world.nanousd_per_btc()) * MSAT_PER_SAT
    if amount_msat <= 0 or recipient is wallet:
        return Reply("FAILURE", IBEX).shown()
    minted = world.invoices.mint(recipient, amount_msat, given.get("memo") or "", _EXPIRY_S)
    invoice = world.invoices.decode(minted.request)
    errand = Errand("intraLedgerUsdPaymentSend", wallet, invoice, amount_msat, IBEX, IBEX)
    fingerprint = f"intraledger|{given['recipientWalletId']}|{given['amount']}"
    return (await run(world, errand, given.get("idempotencyKey"), fingerprint)).shown()


def _recipient(call: Call, wallet_id: str) -> Wallet | None:
    """Return the wallet to pay into; the legacy id leads to the USDT wallet."""
    account = call.world.accounts.owner(wallet_id)
    if account is None:
        return None
    return account.usdt if call.world.is_migrated else account.wallets[wallet_id]


ROOTS: Final = {
    "intraLedgerUsdPaymentSend": Root(_intra_ledger_usd_payment_send, scope="write:wallet"),
}
