"""Pay to LNURL-pay and Lightning Addresses (LUD-06): read each answer, refuse what does not fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from models.errors import GatewayError, InvalidField, InvoiceError
from models.invoice import Invoice
from models.success_action import SuccessAction
from services.lnurl import callback_url, check_url
from services.lnurl_answer import is_whole, parse_json, read_answer
from services.success_action import read_success_action

DESCRIPTION_HASH_DIFFERS: Final = "description_hash_differs"

_UNUSABLE: Final = "The recipient's service gave no usable answer."
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a payment is for, in the recipient's words; they are a stranger's, escape them."""

    text: str
    long_text: str | None
    identifier: str | None


@dataclass(frozen=True, slots=True)
class PayOffer:
    """What a payRequest offers (LUD-06 step 3).

    Attributes:
        raw_metadata: Exactly as sent, since its hash counts.
        comment_length_max: How long a comment may be (LUD-12); 0 for none.
    """

    callback: str
    min_msat: int
    max_msat: int
    raw_metadata: str
    metadata: Metadata
    comment_length_max: int


@dataclass(frozen=True, slots=True)
class PayAnswer:
    """What the callback gave (LUD-06 step 6).

    Attributes:
        verify_url: Where to ask whether it was paid (LUD-21), if it may be asked.
        success_action: What to show after the payment (LUD-09), if it may be shown.
    """

    invoice_text: str
    verify_url: str | None
    success_action: SuccessAction | None


def read_offer(body: bytes, *, outbound_allow: Collection[str] = ()) -> PayOffer:
    """Return what a recipient's service offers, or refuse it before its callback is asked (LUD-06).

    Raises:
        GatewayError: For an answer that is not a payRequest by the rules.
        InvalidField: `destination`, if it demands details about the payer (LUD-18).
    """
    answer = read_answer(body)
    callback, metadata = answer.get("callback"), answer.get("metadata")
    if answer.get("tag") != "payRequest":
        raise GatewayError("This link is not for receiving payments.")
    if not isinstance(callback, str) or not isinstance(metadata, str):
        raise GatewayError(_UNUSABLE)
    _check_payer_data(answer.get("payerData"))
    min_msat, max_msat = _bounds(answer)
    comment_length = answer.get("commentAllowed")
    return PayOffer(
        callback=_usable_url(callback, outbound_allow),
        min_msat=min_msat,
        max_msat=max_msat,
        raw_metadata=metadata,
        metadata=read_metadata(metadata),
        comment_length_max=max(comment_length, 0) if is_whole(comment_length) else 0,
    )


def read_metadata(raw: str) -> Metadata:
    """Return the parts of a metadata string: one text/plain, one image at most (LUD-06).

    Raises:
        GatewayError: If it breaks these rules.
    """
    entries = parse_json(raw)
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise GatewayError(_UNUSABLE)
    texts = [value for kind, value, *_ in entries if kind == "text/plain"]
    images = [kind for kind, *_ in entries if kind.startswith("image/")]
    if len(texts) != 1 or not isinstance(texts[0], str) or len(images) > 1:
        raise GatewayError(_UNUSABLE)
    identifier = _first_text(entries, "text/identifier") or _first_text(entries, "text/email")
    return Metadata(texts[0], _first_text(entries, "text/long-desc"), identifier)


def description_hash(raw_metadata: str, raw_payer_data: str = "") -> str:
    """Return the SHA-256 an invoice's description hash was made from (LUD-06, LUD-18)."""
    return sha256((raw_metadata + raw_payer_data).encode()).hexdigest()


def pay_url(offer: PayOffer, amount_msat: int, comment: str | None = None) -> str:
    """Return the URL that yields an invoice over this amount (LUD-06 step 5, LUD-12).

    Raises:
        InvalidField: `amount` or `comment`, if the offer does not take it.
    """
    if amount_msat < offer.min_msat:
        raise InvalidField("amount", "The amount is below what the recipient accepts.")
    if amount_msat > offer.max_msat:
        raise InvalidField("amount", "The amount is above what the recipient accepts.")
    parameters = {"amount": str(amount_msat)}
    if comment:
        if len(comment) > offer.comment_length_max:
            raise InvalidField("comment", "The comment is longer than the recipient accepts.")
        parameters["comment"] = comment
    return callback_url(offer.callback, parameters)


def read_pay_answer(
    body: bytes, offer: PayOffer, *, outbound_allow: Collection[str] = ()
) -> PayAnswer:
    """Return the invoice a callback gave and what came with it (LUD-06 step 6).

    Raises:
        GatewayError: If there is no invoice in it.
    """
    answer = read_answer(body)
    invoice_text = answer.get("pr")
    if not isinstance(invoice_text, str) or not invoice_text:
        raise GatewayError("The recipient's service gave no invoice.")
    return PayAnswer(
        invoice_text=invoice_text,
        verify_url=_verify_url(answer.get("verify"), outbound_allow),
        success_action=read_success_action(answer.get("successAction"), offer.callback),
    )


def check_amount(invoice: Invoice, offer: PayOffer, amount_msat: int) -> tuple[str, ...]:
    """Refuse an invoice that is not over exactly the amount asked for (LUD-06 step 7).

    Return notes to keep: a foreign description hash is no reason to refuse any more, as many
    nodes cannot sign one. `bolt11.check_payable` judges network and time.

    Raises:
        InvoiceError: `no_amount` or `amount_mismatch`.
    """
    if invoice.amount_msat is None:
        raise InvoiceError("no_amount", "The recipient's invoice has no amount.")
    if invoice.amount_msat != amount_msat:
        raise InvoiceError("amount_mismatch", "The recipient's invoice is over another amount.")
    if invoice.description_hash == description_hash(offer.raw_metadata):
        return ()
    return (DESCRIPTION_HASH_DIFFERS,)


def _bounds(answer: dict[str, Any]) -> tuple[int, int]:
    min_msat, max_msat = answer.get("minSendable"), answer.get("maxSendable")
    if not (is_whole(min_msat) and is_whole(max_msat)) or not 1 <= min_msat <= max_msat:
        raise GatewayError(_UNUSABLE)
    return min_msat, max_msat


def _check_payer_data(demands: object) -> None:
    if demands is None:
        return
    if not isinstance(demands, dict):
        raise GatewayError(_UNUSABLE)
    for demand in demands.values():
        if isinstance(demand, dict) and demand.get("mandatory"):
            raise InvalidField(
                "destination", "The recipient's service demands details about the payer."
            )


def _usable_url(url: str, outbound_allow: Collection[str]) -> str:
    try:
        return check_url(url, outbound_allow=outbound_allow)
    except InvalidField:
        raise GatewayError("The recipient's service names an address that is not safe.") from None


def _verify_url(url: object, outbound_allow: Collection[str]) -> str | None:
    """Return a verify URL that may be asked; without one the payment is simply not verified."""
    if not isinstance(url, str):
        return None
    try:
        return check_url(url, outbound_allow=outbound_allow)
    except InvalidField:
        return None


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) >= _PAIR and isinstance(entry[0], str)


def _first_text(entries: list[list[Any]], kind: str) -> str | None:
    found = (value for name, value, *_ in entries if name == kind and isinstance(value, str))
    return next(found, None)
