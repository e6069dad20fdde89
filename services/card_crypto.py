"""Read and check Boltcard taps, and derive card keys; whether a counter is new, storage knows.

The card is an NTAG 424 DNA in AES mode (NT4H2421Gx 9.3): `p` hides UID and counter under K1,
`c` is a truncated CMAC over both under K2.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from models.card_keys import CardKeys
from models.errors import InvalidField, TapError

UID_LENGTH: Final = 7

_KEY_LENGTH: Final = 16
_ZERO_IV: Final = bytes(16)
_PICC_TAG: Final = 0xC7
"""UID mirrored, counter mirrored, UID of seven bytes (NT4H2421Gx table 21)."""
_COUNTER: Final = slice(8, 11)
_SESSION_LABEL: Final = bytes.fromhex("3cc300010080")
_P: Final = re.compile(r"[0-9A-Fa-f]{32}")
_C: Final = re.compile(r"[0-9A-Fa-f]{16}")
_UID: Final = re.compile(r"[0-9A-Fa-f]{14}")
_PADDING_LENGTH: Final = 5

# The derivation's labels differ in their last byte only (Boltcard DETERMINISTIC).
_LABEL: Final = bytes.fromhex("2d003f")
_CARD, _K0, _K1, _K2, _K3, _K4, _ID = range(0x75, 0x7C)
# Nobody draws these by chance; they are the factory's key and the one in everybody's examples.
_KNOWN_KEYS: Final = frozenset({bytes(16), bytes(15) + b"\x01"})


@dataclass(frozen=True, slots=True)
class TapQuery:
    """The two parameters of a tap; with K1 the first gives the UID away, so neither is shown."""

    p: bytes = field(repr=False)
    c: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PiccData:
    """What `p` hides: which card, and its how manieth read."""

    uid: bytes = field(repr=False)
    counter: int


def parse_tap(p: str, c: str) -> TapQuery:
    """Return a tap from its two hex parameters, in either case (NT4H2421Gx 9.3.4, AES mode).

    Raises:
        TapError: `bad_request`.
    """
    # `bytes.fromhex` alone would skip blanks; LRP cards send 48 digits and fail here as well.
    if _P.fullmatch(p) is None or _C.fullmatch(c) is None:
        raise TapError("bad_request", "This is not a card read; tap again.")
    return TapQuery(bytes.fromhex(p), bytes.fromhex(c))


def tap_from_pairs(pairs: Iterable[tuple[str, str]]) -> TapQuery:
    """Return a tap from a query's parameters, of which `p` and `c` must come exactly once.

    Raises:
        TapError: `bad_request`.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise TapError("bad_request", "This is not a card read; tap again.")
        if name in {"p", "c"}:
            found[name] = value
    return parse_tap(found.get("p", ""), found.get("c", ""))


class PiccReader:
    """Reads what cards with one K1 hide; the key is prepared once, for one thread.

    A tap is tried against each K1 there is, and to prepare the key takes thirty times as long as
    to try it.
    """

    def __init__(self, k1: bytes) -> None:
        # Of a single block with an IV of zeros ECB and the card's CBC make the same.
        self._decryptor = Cipher(algorithms.AES(k1), modes.ECB()).decryptor()  # noqa: S305

    def read(self, p: bytes) -> PiccData | None:
        """Return what `p` hides, or None if K1 is not its key (NT4H2421Gx 9.3.4.1).

        A wrong K1 passes once in 256 times: only `verify_mac` decides whose card it is.
        """
        assert len(p) == _KEY_LENGTH, "half a block would stay behind for the next card"
        plain = self._decryptor.update(p)
        if plain[0] != _PICC_TAG:
            return None
        # The last five bytes are random padding and say nothing.
        return PiccData(plain[1 : 1 + UID_LENGTH], int.from_bytes(plain[_COUNTER], "little"))


def decrypt_picc(k1: bytes, p: bytes) -> PiccData | None:
    """Return what `p` hides of a card whose K1 is read once only."""
    return PiccReader(k1).read(p)


def verify_mac(k2: bytes, uid: bytes, counter: int, c: bytes) -> bool:
    """Return whether `c` is this card's MAC for this read, in constant time (NT4H2421Gx 9.3.8)."""
    return compare_digest(_mac(k2, uid, counter), c)


def tap_query(k1: bytes, k2: bytes, uid: bytes, counter: int, padding: bytes) -> tuple[str, str]:
    """Return the `p` and `c` that a card sends for a read, in upper-case hex (NT4H2421Gx 9.3)."""
    assert len(uid) == UID_LENGTH
    assert len(padding) == _PADDING_LENGTH
    plain = bytes([_PICC_TAG]) + uid + counter.to_bytes(3, "little") + padding
    encryptor = Cipher(algorithms.AES(k1), modes.CBC(_ZERO_IV)).encryptor()
    return encryptor.update(plain).hex().upper(), _mac(k2, uid, counter).hex().upper()


def derive_k1(issuer_key: bytes) -> bytes:
    """Return the K1 that all cards of an issuer share (Boltcard DETERMINISTIC)."""
    return _derive(issuer_key, _K1)


def derive_keys(
    issuer_key: bytes, uid: bytes, version: int, *, pull_payment_id: str = ""
) -> CardKeys:
    """Return a card's keys; all but K1 change with the version (Boltcard DETERMINISTIC).

    Cards that BTCPay programmed also need the id of the pull payment they belonged to.
    """
    assert len(uid) == UID_LENGTH
    suffix = version.to_bytes(4, "little") + pull_payment_id.encode()
    card_key = _derive(issuer_key, _CARD, uid + suffix)
    return CardKeys(
        k0=_derive(card_key, _K0),
        k1=derive_k1(issuer_key),
        k2=_derive(card_key, _K2),
        k3=_derive(card_key, _K3),
        k4=_derive(card_key, _K4),
    )


def derive_card_id(issuer_key: bytes, uid: bytes) -> bytes:
    """Return the id that stands for a UID in databases (Boltcard DETERMINISTIC)."""
    assert len(uid) == UID_LENGTH
    return _derive(issuer_key, _ID, uid)


def new_issuer_key() -> bytes:
    """Return 16 random bytes for an issuer of cards."""
    return secrets.token_bytes(_KEY_LENGTH)


def check_issuer_key(key: bytes) -> bytes:
    """Return an issuer key that others cannot know beforehand.

    Raises:
        InvalidField: For a wrong length and for the keys of factories and examples.
    """
    return _check_key("issuer_key", key)


def parse_uid(text: str) -> bytes:
    """Return a card's UID from 14 hex digits, in either case.

    Raises:
        InvalidField: `uid`.
    """
    if _UID.fullmatch(text) is None:
        raise InvalidField("uid", "A card's UID is 14 hexadecimal digits.")
    return bytes.fromhex(text)


def parse_card_key(field_name: str, text: str) -> bytes:
    """Return a card's key from 32 hex digits, refusing the factory's.

    Raises:
        InvalidField: Naming the field, never showing the key.
    """
    if _P.fullmatch(text) is None:
        raise InvalidField(field_name, "A card key is 32 hexadecimal digits.")
    return _check_key(field_name, bytes.fromhex(text))


def _check_key(field_name: str, key: bytes) -> bytes:
    if len(key) != _KEY_LENGTH:
        raise InvalidField(field_name, "A key has 16 bytes.")
    if key in _KNOWN_KEYS:
        raise InvalidField(field_name, "This key is known to everybody; make a random one.")
    return key


def _derive(key: bytes, label: int, data: bytes = b"") -> bytes:
    return _cmac(key, _LABEL + bytes([label]) + data)


def _session_vector(uid: bytes, counter: int) -> bytes:
    return _SESSION_LABEL + uid + counter.to_bytes(3, "little")


def _mac(k2: bytes, uid: bytes, counter: int) -> bytes:
    """Return bytes 1, 3, 5 to 15 of the session's CMAC; Boltcard covers no file data with it."""
    session_key = _cmac(k2, _session_vector(uid, counter))
    return _cmac(session_key, b"")[1::2]


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()
