"""Read BOLT 11 invoices strictly and say whether one may be paid; pure, `now_s` is handed in.

Strict, because Flash decodes the same text again and the two must see the same invoice: forms
that a writer must not use are refused, not repaired.
"""

from __future__ import annotations

import re
from collections.abc import Container
from hashlib import sha256
from typing import Final

from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from models.errors import InvoiceError
from models.invoice import Invoice, Network
from models.money import MAX_MSAT
from services import bech32

MAX_LENGTH: Final = 4096
"""Real invoices stay below 1,500 characters; longer text is refused before any work."""
DEFAULT_EXPIRY_S: Final = 3600
DEFAULT_MIN_FINAL_CLTV: Final = 18
KNOWN_EVEN_FEATURES: Final = frozenset({8, 14, 16, 24, 30, 36, 48, 262})

_SCHEME: Final = "lightning:"
_NETWORKS: Final[dict[str, Network]] = {
    "bc": "bitcoin",
    "tb": "testnet",
    "tbs": "signet",
    "bcrt": "regtest",
}
# Alternatives are tried in order, so `bcrt` and `tbs` stand before what they start with.
_PREFIX: Final = re.compile(r"ln(?P<network>bcrt|bc|tbs|tb)(?P<amount>[0-9]*)(?P<unit>[a-z]?)")
_TENTHS_OF_MSAT: Final = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}
# 21 million bitcoin in pico-bitcoin; longer ones need no arithmetic.
_MAX_AMOUNT_DIGITS: Final = 20

_TIMESTAMP: Final = slice(0, 7)
_SIGNATURE_LENGTH: Final = 104
_MIN_LENGTH: Final = 7 + _SIGNATURE_LENGTH
_TAG_HEAD: Final = 3
# Tags are kept as base-32 digits, like everything around them.
_HASH: Final = bech32.letters_to_digits("p")
_SECRET: Final = bech32.letters_to_digits("s")
_DESCRIPTION: Final = bech32.letters_to_digits("d")
_DESCRIPTION_HASH: Final = bech32.letters_to_digits("h")
_PAYEE: Final = bech32.letters_to_digits("n")
_EXPIRY: Final = bech32.letters_to_digits("x")
_CLTV: Final = bech32.letters_to_digits("c")
_FEATURES: Final = bech32.letters_to_digits("9")
_HINT: Final = bech32.letters_to_digits("r")
_NAMED_TAGS: Final = frozenset(
    {_HASH, _FEATURES, _EXPIRY, _DESCRIPTION, _SECRET, _PAYEE, _DESCRIPTION_HASH, _CLTV}
)
# A reader skips these fields when their length is another one.
_FIXED_LENGTHS: Final = {_HASH: 52, _DESCRIPTION_HASH: 52, _SECRET: 52, _PAYEE: 53}

_CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_MAX_RECOVERY_ID: Final = 3
_MAX_CLTV: Final = 2**31 - 1
# The last second of the year 9999: every clock and calendar downstream can hold it.
_LAST_SECOND: Final = 253_402_300_799
_EVEN_BITS: Final = int("01" * 2560, 2)
_KNOWN_EVEN_BITS: Final = sum(1 << bit for bit in KNOWN_EVEN_FEATURES)
_UNKNOWN_EVEN_BITS: Final = _EVEN_BITS & ~_KNOWN_EVEN_BITS

_BECH32_MESSAGES: Final = {
    "bad_char": "This invoice contains a character that does not belong in it.",
    "mixed_case": "This invoice mixes capital and small letters.",
    "no_separator": "This is not a Lightning invoice.",
    "too_short": "This invoice is too short; part of it is missing.",
    "bad_checksum": "This invoice has a typing or scanning error.",
}


def decode(text: str) -> Invoice:
    """Return what an invoice asks for, or refuse it (BOLT 11, requirements for a reader).

    Raises:
        InvoiceError: Whatever the text; `reason` is one stable word.
    """
    canonical = _canonical(text)
    prefix, digits = _unwrap(canonical)
    network, amount_msat = _prefix(prefix)
    body, signature = digits[:-_SIGNATURE_LENGTH], digits[-_SIGNATURE_LENGTH:]
    values, route_hint_count = _fields(body)
    description, description_hash = _descriptions(values)
    timestamp_s = int(body[_TIMESTAMP], 32)
    return Invoice(
        text=canonical,
        network=network,
        amount_msat=amount_msat,
        payment_hash=_hex(values, _HASH, "no_payment_hash"),
        payment_secret=_hex(values, _SECRET, "no_payment_secret"),
        timestamp_s=timestamp_s,
        expiry_s=_expiry(values, timestamp_s),
        payee=_payee(prefix, body, signature, values.get(_PAYEE)),
        description=description,
        description_hash=description_hash,
        min_final_cltv=_min_final_cltv(values),
        features=_features(values),
        route_hint_count=route_hint_count,
    )


def check_payable(
    invoice: Invoice,
    *,
    now_s: int,
    network: str,
    min_msat: int,
    max_msat: int,
    min_seconds_left: int,
    max_future_s: int = 600,
    seen_payment_hashes: Container[str] = frozenset(),
) -> None:
    """Refuse an invoice that is well formed but not to be paid here and now.

    `seen_payment_hashes` only spares a round trip: the database's UNIQUE has the last word.

    Raises:
        InvoiceError: `wrong_network`, `no_amount`, `below_min`, `above_max`,
            `timestamp_in_future`, `expired`, `expires_too_soon` or `payment_hash_seen`.
    """
    if invoice.network != network:
        raise InvoiceError("wrong_network", "This invoice is for another network.")
    _check_amount(invoice.amount_msat, min_msat, max_msat)
    _check_time(invoice, now_s, min_seconds_left, max_future_s)
    if invoice.payment_hash in seen_payment_hashes:
        raise InvoiceError("payment_hash_seen", "This invoice has been used before.")


def _check_amount(amount_msat: int | None, min_msat: int, max_msat: int) -> None:
    if amount_msat is None:
        raise InvoiceError("no_amount", "This invoice needs an amount.")
    if amount_msat < min_msat:
        raise InvoiceError("below_min", "The amount of this invoice is below the minimum.")
    if amount_msat > max_msat:
        raise InvoiceError("above_max", "The amount of this invoice is above the maximum.")


def _check_time(invoice: Invoice, now_s: int, min_seconds_left: int, max_future_s: int) -> None:
    if invoice.timestamp_s > now_s + max_future_s:
        raise InvoiceError("timestamp_in_future", "This invoice is dated in the future.")
    if now_s >= invoice.expires_at_s:
        raise InvoiceError("expired", "This invoice has expired.")
    if invoice.expires_at_s - now_s < min_seconds_left:
        raise InvoiceError("expires_too_soon", "This invoice expires too soon to be paid.")


def _canonical(text: str) -> str:
    """Return the text without `lightning:`, in lower case if all of it was upper case."""
    if len(text) > MAX_LENGTH:
        raise InvoiceError("too_long", "This text is too long for an invoice.")
    if text[: len(_SCHEME)].lower() == _SCHEME:
        text = text[len(_SCHEME) :]
    if not text:
        raise InvoiceError("empty", "There is no invoice here.")
    return text.lower() if text.isascii() and text.isupper() else text


def _unwrap(canonical: str) -> tuple[str, str]:
    """Return prefix and data; foreign prefixes go first, as "typing error" would mislead."""
    try:
        prefix, digits = bech32.split(canonical)
        if not prefix.startswith("ln"):
            raise InvoiceError("not_an_invoice", "This is not a Lightning invoice.")
        digits = bech32.check(prefix, digits)
    except bech32.Bech32Error as error:
        raise InvoiceError(error.reason, _BECH32_MESSAGES[error.reason]) from None
    if len(digits) < _MIN_LENGTH:
        raise InvoiceError("too_short", _BECH32_MESSAGES["too_short"])
    return prefix, digits


def _prefix(prefix: str) -> tuple[Network, int | None]:
    """Return the network and the amount in the human-readable part."""
    match = _PREFIX.fullmatch(prefix)
    if match is None:
        if _PREFIX.match(prefix) is None:
            raise InvoiceError("unknown_network", "This invoice is for an unknown network.")
        raise InvoiceError("bad_amount", "The amount of this invoice cannot be read.")
    return _NETWORKS[match["network"]], _amount_msat(match["amount"], match["unit"])


def _amount_msat(amount: str, unit: str) -> int | None:
    if unit not in _TENTHS_OF_MSAT:
        raise InvoiceError("bad_multiplier", "The amount of this invoice cannot be read.")
    if not amount:
        if unit:
            raise InvoiceError("bad_amount", "The amount of this invoice cannot be read.")
        return None
    if amount == "0":
        raise InvoiceError("amount_zero", "The amount of this invoice is zero.")
    if amount[0] == "0":
        raise InvoiceError("amount_leading_zero", "The amount of this invoice cannot be read.")
    if len(amount) > _MAX_AMOUNT_DIGITS:
        raise InvoiceError("amount_too_large", "The amount of this invoice is impossibly large.")
    amount_msat, rest = divmod(int(amount) * _TENTHS_OF_MSAT[unit], 10)
    if rest:
        raise InvoiceError("sub_millisatoshi", "The amount of this invoice is too finely divided.")
    if amount_msat > MAX_MSAT:
        raise InvoiceError("amount_too_large", "The amount of this invoice is impossibly large.")
    return amount_msat


def _fields(body: str) -> tuple[dict[str, str], int]:
    """Return the tagged fields as digits, the first of each kind, and how many route hints."""
    values: dict[str, str] = {}
    route_hint_count = 0
    position, end = _TIMESTAMP.stop, len(body)
    while position < end:
        start = position + _TAG_HEAD
        if start > end:
            raise InvoiceError("truncated_field", "This invoice is damaged.")
        tag = body[position]
        position = start + int(body[position + 1 : start], 32)
        if position > end:
            raise InvoiceError("truncated_field", "This invoice is damaged.")
        if tag == _HINT:
            route_hint_count += 1
        elif tag in _NAMED_TAGS:
            length = position - start
            if _FIXED_LENGTHS.get(tag, length) == length:
                values.setdefault(tag, body[start:position])
    return values, route_hint_count


def _hex(values: dict[str, str], tag: str, missing: str) -> str:
    if tag not in values:
        raise InvoiceError(missing, "This invoice is incomplete.")
    return bech32.digits_to_bytes(values[tag]).hex()


def _descriptions(values: dict[str, str]) -> tuple[str | None, str | None]:
    """Return the description or its hash; exactly one of them must be there."""
    if _DESCRIPTION in values:
        if _DESCRIPTION_HASH in values:
            raise InvoiceError("two_descriptions", "This invoice describes itself twice.")
        return _text(values[_DESCRIPTION]), None
    return None, _hex(values, _DESCRIPTION_HASH, "no_description")


def _text(digits: str) -> str:
    try:
        text = bech32.digits_to_bytes(digits).decode()
    except UnicodeDecodeError:
        text = "\0"
    # No database column for text holds a NUL, so it is refused where it comes in.
    if "\0" in text:
        raise InvoiceError("bad_description", "The description of this invoice cannot be read.")
    return text


def _expiry(values: dict[str, str], timestamp_s: int) -> int:
    expiry_s = int(values[_EXPIRY] or "0", 32) if _EXPIRY in values else DEFAULT_EXPIRY_S
    if timestamp_s + expiry_s > _LAST_SECOND:
        raise InvoiceError("expiry_too_large", "This invoice expires impossibly late.")
    return expiry_s


def _min_final_cltv(values: dict[str, str]) -> int:
    blocks = int(values[_CLTV] or "0", 32) if _CLTV in values else DEFAULT_MIN_FINAL_CLTV
    if blocks > _MAX_CLTV:
        raise InvoiceError("bad_min_final_cltv", "This invoice is damaged.")
    return blocks


def _features(values: dict[str, str]) -> tuple[int, ...]:
    """Return the feature bits; an even bit that is unknown makes an invoice unpayable (BOLT 9)."""
    bits = int(values.get(_FEATURES) or "0", 32)
    if bits & _UNKNOWN_EVEN_BITS:
        raise InvoiceError("unknown_even_feature", "This invoice needs a newer kind of payment.")
    return tuple(place for place, bit in enumerate(reversed(f"{bits:b}")) if bit == "1")


def _payee(prefix: str, body: str, signature_digits: str, payee_digits: str | None) -> str:
    """Return the payee's key: recovered from the signature, or named and checked against it."""
    signature = bech32.digits_to_bytes(signature_digits)
    if signature[-1] > _MAX_RECOVERY_ID:
        raise InvoiceError("bad_recovery_id", "The signature of this invoice is damaged.")
    digest = signed_digest(prefix, body)
    if payee_digits is not None:
        payee = bech32.digits_to_bytes(payee_digits)
        _verify(payee, signature, digest)
        return payee.hex()
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError:
        raise InvoiceError(
            "unrecoverable_signature", "The signature of this invoice is damaged."
        ) from None
    return key.format().hex()


def _verify(payee: bytes, signature: bytes, digest: bytes) -> None:
    """Refuse a signature that is not the named payee's, or has a high S (BOLT 11, `n` field)."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    if _CURVE_ORDER >> 1 < s < _CURVE_ORDER:
        raise InvoiceError("high_s_with_n", "The signature of this invoice has the wrong form.")
    try:
        is_theirs = PublicKey(payee).verify(encode_dss_signature(r, s), digest, hasher=None)
    except ValueError:
        is_theirs = False
    if not is_theirs:
        raise InvoiceError("bad_signature", "The signature of this invoice is wrong.")


def signed_digest(prefix: str, body: str) -> bytes:
    """Return the SHA-256 that an invoice's signature covers: prefix and data, filled to bytes."""
    bits = 5 * len(body)
    fill = -bits % 8
    data = (int(body, 32) << fill).to_bytes((bits + fill) // 8)
    return sha256(prefix.encode() + data).digest()
