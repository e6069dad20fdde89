"""Write signed BOLT 11 invoices: for the sandbox's wallets, the tests and the benches."""

from __future__ import annotations

from typing import Final

from coincurve import PrivateKey

from models.invoice import Network
from services import bech32
from services.bolt11 import DEFAULT_EXPIRY_S, DEFAULT_MIN_FINAL_CLTV, signed_digest

_PREFIXES: Final[dict[Network, str]] = {
    "bitcoin": "lnbc",
    "testnet": "lntb",
    "signet": "lntbs",
    "regtest": "lnbcrt",
}
# From the largest unit down: the first that divides the amount gives the shortest text.
_UNITS: Final = (("", 10**12), ("m", 10**9), ("u", 10**6), ("n", 10**3), ("p", 1))
_VAR_ONION: Final = 8
_PAYMENT_SECRET: Final = 14
_TIMESTAMP_BITS: Final = 35
_LENGTH_BITS: Final = 10
_HASH_LENGTH: Final = 32


def sign_invoice(
    private_key: bytes | PrivateKey,
    *,
    network: Network = "bitcoin",
    amount_msat: int | None,
    payment_hash: bytes,
    payment_secret: bytes,
    timestamp_s: int,
    expiry_s: int = DEFAULT_EXPIRY_S,
    description: str = "",
    description_hash: bytes | None = None,
    min_final_cltv: int = DEFAULT_MIN_FINAL_CLTV,
    features: tuple[int, ...] = (_VAR_ONION, _PAYMENT_SECRET),
    names_payee: bool = False,
) -> str:
    """Return a signed invoice in lower case (BOLT 11, requirements for a writer).

    A `description_hash` takes the place of the description; `names_payee` writes the payee's key
    out instead of leaving it to be recovered from the signature.
    """
    assert amount_msat is None or amount_msat > 0
    assert len(payment_hash) == len(payment_secret) == _HASH_LENGTH
    key = PrivateKey(private_key) if isinstance(private_key, bytes) else private_key
    prefix = _PREFIXES[network] + _amount(amount_msat)
    fields = [
        _field("s", bech32.bytes_to_digits(payment_secret)),
        _field("p", bech32.bytes_to_digits(payment_hash)),
        _described(description, description_hash),
    ]
    if expiry_s != DEFAULT_EXPIRY_S:
        fields.append(_field("x", _number(expiry_s)))
    if min_final_cltv != DEFAULT_MIN_FINAL_CLTV:
        fields.append(_field("c", _number(min_final_cltv)))
    if names_payee:
        fields.append(_field("n", bech32.bytes_to_digits(key.public_key.format())))
    if features:
        fields.append(_field("9", _number(sum(1 << bit for bit in features))))
    body = bech32.to_digits(timestamp_s, _TIMESTAMP_BITS) + "".join(fields)
    return _seal(key, prefix, body)


def _seal(key: PrivateKey, prefix: str, body: str) -> str:
    signature = key.sign_recoverable(signed_digest(prefix, body), hasher=None)
    return bech32.join(prefix, body + bech32.bytes_to_digits(signature))


def _amount(amount_msat: int | None) -> str:
    if amount_msat is None:
        return ""
    tenths = amount_msat * 10
    return next(f"{tenths // size}{unit}" for unit, size in _UNITS if tenths % size == 0)


def _described(description: str, description_hash: bytes | None) -> str:
    if description_hash is not None:
        return _field("h", bech32.bytes_to_digits(description_hash))
    return _field("d", bech32.bytes_to_digits(description.encode()))


def _field(letter: str, digits: str) -> str:
    return bech32.letters_to_digits(letter) + bech32.to_digits(len(digits), _LENGTH_BITS) + digits


def _number(number: int) -> str:
    """Return a number in as few digits as hold it (BOLT 11, fields `x`, `c` and `9`)."""
    return bech32.to_digits(number, -(-number.bit_length() // 5) * 5)
