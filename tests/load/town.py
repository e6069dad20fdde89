"""Cards that tap and wallets that make invoices, prepared before the clock starts."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.bolt11_encode import sign_invoice
from services.card_crypto import tap_query
from tests.load.shop import Shop
from tests.load.wire import Line, lines_to, written

PAYEE_KEY = secrets.token_bytes(32)
AMOUNT_MSAT = 10_000
BUDGET_SATS = 900_000_000_000_000
# An issuer's cards share their K1, as Boltcards of one shop do.
K1 = secrets.token_bytes(16)


def invoice(amount_msat: int = AMOUNT_MSAT) -> str:
    """Return a fresh invoice of a wallet that is not Flash's."""
    return sign_invoice(
        PAYEE_KEY,
        amount_msat=amount_msat,
        payment_hash=secrets.token_bytes(32),
        payment_secret=secrets.token_bytes(32),
        timestamp_s=int(time.time()),
        expiry_s=3600,
        description="coffee",
    )


@dataclass(slots=True)
class VirtualCard:
    """A Boltcard: it counts its reads."""

    uid: bytes
    k2: bytes
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def tap(self) -> bytes:
        """Return the request that a till makes of a read."""
        p, c = tap_query(K1, self.k2, self.uid, next(self.counter), secrets.token_bytes(5))
        return written("GET", f"/boltcard?p={p}&c={c}")


def tap_claim(k1: str, pr: str) -> bytes:
    return written("GET", f"/boltcard/claim?k1={k1}&pr={pr}")


def link_claim(token: str, k1: str, pr: str) -> bytes:
    return written("GET", f"/lnurlw/{token}/claim?k1={k1}&pr={pr}")


async def pull_payment(
    shop: Shop, line: Line, *, auto_approve: bool, sats: int = BUDGET_SATS
) -> Any:
    """Make a budget."""
    wanted = {"name": "bench", "currency": "SATS", "amount": sats, "auto_approve": auto_approve}
    return await shop.call(line, "POST", "/v1/pull-payments", wanted)


async def cards(shop: Shop, count: int, *, auto_approve: bool) -> list[VirtualCard]:
    """Give a shop cards that draw from one budget."""
    made = []
    async with lines_to(shop.port, 1) as (line,):
        budget = await pull_payment(shop, line, auto_approve=auto_approve)
        for _ in range(count):
            card = VirtualCard(secrets.token_bytes(7), secrets.token_bytes(16))
            wanted = {
                "alias": f"card {card.uid.hex()}",
                "pull_payment_id": budget["id"],
                "uid": card.uid.hex(),
                "k1": K1.hex(),
                "k2": card.k2.hex(),
            }
            await shop.call(line, "POST", "/v1/boltcards", wanted)
            made.append(card)
    return made
