"""A BOLT 11 invoice as the decoder hands it on; its rules are in `services/bolt11.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Network = Literal["bitcoin", "testnet", "signet", "regtest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What an invoice asks for; descriptions are a stranger's text, so escape them on display.

    Attributes:
        text: The canonical lower-case form, without a `lightning:` prefix.
        amount_msat: None when the payer is to choose the amount.
        payment_hash: 64 hex digits; it identifies the payment.
        payee: The node's public key in hex; it says who is paid, not who asked.
        description_hash: The SHA-256 of a description told elsewhere (LUD-06 metadata), in hex.
        features: The feature bits that are set, in ascending order (BOLT 9).
        route_hint_count: How many private routes to the payee the invoice names.
    """

    text: str
    network: Network
    amount_msat: int | None
    payment_hash: str
    payment_secret: str = field(repr=False)
    timestamp_s: int
    expiry_s: int
    payee: str
    description: str | None
    description_hash: str | None
    min_final_cltv: int
    features: tuple[int, ...]
    route_hint_count: int

    @property
    def expires_at_s(self) -> int:
        """Return the Unix second from which the invoice must not be paid any more."""
        return self.timestamp_s + self.expiry_s
