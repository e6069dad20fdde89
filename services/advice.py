"""What each state and error means in plain words, and what to do: one table, no clock."""

from __future__ import annotations

from models.instants import iso
from models.payout import EvidenceGrade
from models.payout_detail import Advice
from models.payout_view import PayoutView
from models.states import PayoutState

_NOTHING = "Nothing to do."
_BY_STATE: dict[PayoutState, Advice] = {
    PayoutState.PENDING: Advice("It is not due yet.", _NOTHING),
    PayoutState.AWAITING_APPROVAL: Advice(
        "Somebody has to approve it before it is paid.",
        "Approve or reject it before its invoice runs out.",
    ),
    PayoutState.APPROVED: Advice(
        "It waits for its turn at the wallet.",
        "If it stays here, look at the wallet: stop, gate, balance, connection.",
    ),
    PayoutState.PROCESSING: Advice("It is being sent at this moment.", _NOTHING),
    PayoutState.IN_FLIGHT: Advice(
        "It was sent, or may have been; the outcome is not known yet.",
        "Do not pay it another way. It is looked up until there is evidence.",
    ),
    PayoutState.NEEDS_REVIEW: Advice(
        "Nothing the machine may rely on tells whether it was paid.",
        "Ask the recipient for the state of their invoice, then resolve it with that evidence.",
    ),
    PayoutState.COMPLETED: Advice("It was paid.", _NOTHING),
    PayoutState.REVERSED: Advice("It was paid and taken back.", _NOTHING),
    PayoutState.FAILED: Advice(
        "It was certainly not paid; its money is back in the budget.",
        "The recipient can claim again with a new invoice.",
    ),
    PayoutState.REJECTED: Advice(
        "Somebody turned it down; its money is back in the budget.", _NOTHING
    ),
    PayoutState.CANCELLED: Advice("It was withdrawn before it was sent.", _NOTHING),
    PayoutState.EXPIRED: Advice(
        "Its invoice ran out before it was sent; its money is back in the budget.",
        "The recipient can claim again with a new invoice.",
    ),
}
_BY_ERROR: dict[str, Advice] = {
    "INSUFFICIENT_BALANCE": Advice(
        "The wallet did not hold enough.", "Top the wallet up; the recipient can claim again."
    ),
    "payment_failed": Advice(
        "No way was found to deliver the payment.",
        "The recipient can try a smaller amount, or another wallet.",
    ),
    "probe_refused": Advice(
        "Flash found no way to the recipient's wallet, so nothing was sent.",
        "The recipient can try a smaller amount, or another wallet.",
    ),
    "fee_too_high": Advice(
        "Sending it would have cost more than a payout may, so nothing was sent.",
        "Try later, or pay the recipient another way.",
    ),
    "destination_unreachable": Advice(
        "The recipient's server did not answer, so there was no invoice to pay.",
        "Ask the recipient, then retry.",
    ),
    "not_paid": Advice(
        "The wallet's books, or a person, showed that it was not paid.",
        "It can be tried again, or paid another way.",
    ),
    "invoice_expired": Advice(
        "The invoice ran out before it was paid.", "The recipient makes a new invoice."
    ),
    "already_paid": Advice(
        "Somebody had paid this invoice before.", "The recipient makes a new invoice."
    ),
}
GRADES: dict[EvidenceGrade, str] = {
    EvidenceGrade.PREIMAGE: "proof: the preimage of the payment hash",
    EvidenceGrade.FLASH_SUCCESS: "Flash answered SUCCESS to the payment",
    EvidenceGrade.FLASH_INVOICE: "Flash says that the recipient's invoice is paid",
    EvidenceGrade.STATEMENT: "the wallet's statement shows it",
    EvidenceGrade.STRIPE_TRANSFER: "Stripe's transfer",
    EvidenceGrade.PERSON: "a person confirmed it",
}


def advise(payout: PayoutView) -> Advice:
    """Return what a payout's state and error mean, and what to do."""
    closed = payout.state in {PayoutState.FAILED, PayoutState.EXPIRED}
    if closed and payout.error_code in _BY_ERROR:
        return _BY_ERROR[payout.error_code]
    return _BY_STATE[payout.state]


def claim_text(payout: PayoutView) -> str:
    """Return a text for a customer who says that a payout did not arrive."""
    amount = "an amount" if payout.amount_sats is None else f"{payout.amount_sats:,} sats"
    when = iso(payout.completed_at or payout.created_at)
    if payout.completed_at is None:
        return (
            f"Your payout of {amount} (asked for at {when}) is {payout.status}. "
            f"Reference {payout.id}, payment hash {payout.payment_hash}."
        )
    proof = f" Its preimage is {payout.preimage}." if payout.preimage else ""
    grade = "" if payout.evidence is None else f" Evidence: {GRADES[payout.evidence]}."
    return (
        f"We paid {amount} at {when} to the invoice with payment hash {payout.payment_hash}."
        f"{grade}{proof} Please search your wallet for this hash. Reference {payout.id}."
    )
