"""What the schema offers for bitcoin wallets, which nobody has."""

from __future__ import annotations

from typing import Any, Final

from app.sandbox.caller import Call
from app.sandbox.fields.root import Root, public
from app.sandbox.problems import MISMATCHED, WRONG_CURRENCY, Problem, Reply


def _always(problem: Problem, status: str | None = None) -> Any:
    """Return a resolver that answers one payload error; absent members read null."""
    shown = Reply(status, problem).shown()

    def resolve(_call: Call, **_args: Any) -> dict[str, Any]:
        return shown

    return resolve


_SEND: Final = "write:wallet"
_PROBE: Final = "read:wallet"

ROOTS: Final = {
    "lnNoAmountInvoicePaymentSend": Root(_always(WRONG_CURRENCY, "FAILURE"), scope=_SEND),
    "intraLedgerPaymentSend": Root(_always(MISMATCHED, "FAILURE"), scope=_SEND),
    "onChainPaymentSend": Root(_always(Problem("BTC amount is not supported")), scope=_SEND),
    "onChainUsdPaymentSendAsBtcDenominated": Root(
        _always(Problem("Currently do not support Bitcoin denomination.")), scope=_SEND
    ),
    "lnInvoiceCreate": Root(_always(Problem("Flash does not support BTC wallets.")), scope=_SEND),
    "lnInvoiceCreateOnBehalfOfRecipient": public(
        _always(Problem("Flash does not support BTC wallets."))
    ),
    "lnInvoiceFeeProbe": Root(_always(Problem("LnInvoiceFeeProbeMutation")), scope=_PROBE),
    "lnNoAmountInvoiceFeeProbe": Root(_always(WRONG_CURRENCY), scope=_PROBE),
}
