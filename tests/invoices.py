"""Signed invoices for tests and benches, with the private key that BOLT 11 publishes."""

from __future__ import annotations

from typing import Final

from coincurve import PrivateKey

from models.invoice import Network
from services import bech32, bolt11_encode

TEST_KEY: Final = bytes.fromhex("e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734")
TEST_PAYEE: Final = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
TEST_SECRET: Final = bytes([0x11]) * 32
TEST_HASH: Final = bytes(range(32))

_NETWORKS: Final[dict[str, Network]] = {
    "bc": "bitcoin",
    "tb": "testnet",
    "tbs": "signet",
    "bcrt": "regtest",
}


def sign_invoice(
    private_key: bytes = TEST_KEY,
    *,
    network: str = "bc",
    amount_msat: int | None = 1_000_000,
    payment_hash: bytes = TEST_HASH,
    payment_secret: bytes = TEST_SECRET,
    timestamp_s: int = 1_760_000_000,
    expiry_s: int = 3600,
    description: str = "",
    description_hash: bytes | None = None,
    min_final_cltv: int = 18,
    features: tuple[int, ...] = (8, 14),
    names_payee: bool = False,
) -> str:
    """Return an invoice of 1,000 sats unless told otherwise; the network is its prefix."""
    return bolt11_encode.sign_invoice(
        private_key,
        network=_NETWORKS[network],
        amount_msat=amount_msat,
        payment_hash=payment_hash,
        payment_secret=payment_secret,
        timestamp_s=timestamp_s,
        expiry_s=expiry_s,
        description=description,
        description_hash=description_hash,
        min_final_cltv=min_final_cltv,
        features=features,
        names_payee=names_payee,
    )


def sign_fields(prefix: str, fields: dict[str, str], *, timestamp_s: int = 1_760_000_000) -> str:
    """Return a well signed invoice with exactly these fields, right or wrong, as base-32 digits."""
    head = bech32.to_digits(timestamp_s, 35)
    body = head + "".join(bolt11_encode._field(*field) for field in fields.items())
    return bolt11_encode._seal(PrivateKey(TEST_KEY), prefix, body)


def ordinary_fields() -> dict[str, str]:
    """Return the fields of an invoice that decodes, to be changed by a test."""
    return {
        "s": bech32.bytes_to_digits(TEST_SECRET),
        "p": bech32.bytes_to_digits(TEST_HASH),
        "d": bech32.bytes_to_digits(b"payout"),
    }
