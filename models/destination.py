"""What a payout can be sent to, as it was read from what somebody typed, pasted or scanned."""

from __future__ import annotations

from dataclasses import dataclass

from models.invoice import Invoice
from models.payout import DestinationKind
from models.success_action import SuccessAction


@dataclass(frozen=True, slots=True)
class Destination:
    """A BOLT11 invoice, or where to ask for one.

    Attributes:
        text: In the form that is stored and shown.
        url: Where the recipient's service is asked (LUD-06); nothing for an invoice.
        host: The domain a person should see before paying; nothing for an invoice.
    """

    kind: DestinationKind
    text: str
    invoice: Invoice | None = None
    url: str | None = None
    host: str | None = None

    @property
    def is_amountless(self) -> bool:
        """Tell whether it is an invoice that leaves the amount to the payer."""
        return self.invoice is not None and self.invoice.amount_msat is None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a recipient's service takes, and the words it uses; a stranger's text, to escape."""

    min_msat: int
    max_msat: int
    description: str
    callback_host: str
    comment_length_max: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one invoice that a recipient's service gave for an attempt."""

    invoice: Invoice
    verify_url: str | None
    notes: tuple[str, ...]
    success_action: SuccessAction | None = None


def is_amountless(invoice_text: str) -> bool:
    """Tell by its prefix alone whether a valid invoice leaves the amount to the payer (BOLT 11).

    The separator is the last `1`; before it stand the network and, if there is one, the amount.
    """
    prefix = invoice_text[: invoice_text.rfind("1")]
    return not any(letter.isdigit() for letter in prefix)
