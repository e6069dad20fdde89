"""What is reckoned for each request without waiting: invoices read, taps checked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import sha256

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from services import bolt11
from services.card_crypto import PiccReader, parse_tap, tap_query, verify_mac
from tests.load import town
from tests.load.table import print_table

_DISTINCT = 200


def measure(seconds: float) -> None:
    """Measure both checks beside the cryptography in them that no code of ours can make faster."""
    recover, block = _rate(_recover(), seconds), _rate(_block(), seconds)
    invoice, tap = _rate(_invoices(), seconds), _rate(_taps(), seconds)
    rows = [
        ("recover a key from a signature (coincurve)", recover, 1e6 / recover, None),
        ("read an invoice: checksum, fields, signature", invoice, 1e6 / invoice, invoice / recover),
        ("decrypt one AES block (cryptography)", block, 1e6 / block, None),
        ("check a tap: decrypt p, three CMACs' worth of c", tap, 1e6 / tap, tap / block),
    ]
    print_table("Checks, one core", ("what", "per s", "us each", "of raw"), rows)


def _rate(act: Callable[[int], object], seconds: float) -> float:
    started = time.perf_counter()
    done = 0
    while (elapsed := time.perf_counter() - started) < seconds:
        for number in range(_DISTINCT):
            act(number)
        done += _DISTINCT
    return done / elapsed


def _invoices() -> Callable[[int], object]:
    texts = [town.invoice() for _ in range(_DISTINCT)]
    return lambda number: bolt11.decode(texts[number])


def _recover() -> Callable[[int], object]:
    digest = sha256(b"bench").digest()
    signature = PrivateKey(town.PAYEE_KEY).sign_recoverable(digest, hasher=None)
    return lambda _: PublicKey.from_signature_and_message(signature, digest, hasher=None)


def _taps() -> Callable[[int], object]:
    k1, k2, uid = secrets.token_bytes(16), secrets.token_bytes(16), secrets.token_bytes(7)
    sent = [
        tap_query(k1, k2, uid, number + 1, secrets.token_bytes(5)) for number in range(_DISTINCT)
    ]

    reader = PiccReader(k1)

    def check(number: int) -> bool:
        query = parse_tap(*sent[number])
        picc = reader.read(query.p)
        assert picc is not None
        return verify_mac(k2, picc.uid, picc.counter, query.c)

    assert check(0)
    return check


def _block() -> Callable[[int], object]:
    key, block = algorithms.AES(secrets.token_bytes(16)), secrets.token_bytes(16)
    return lambda _: Cipher(key, modes.CBC(bytes(16))).decryptor().update(block)
