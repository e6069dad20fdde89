"""The wallets of the town's payees: Flash users of this sandbox, and nodes of their own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

from coincurve import PrivateKey

from app.sandbox.townsfolk import Payee
from app.sandbox.world import World
from models.money import MSAT_PER_SAT
from services.bolt11_encode import sign_invoice

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Ask:
    """An invoice that a payee shows."""

    pr: str
    payment_hash: str
    is_home: bool


@lru_cache(maxsize=256)
def node_key(payee_key: str) -> PrivateKey:
    """Return the key of somebody's own node; it follows from the name, as nobody guards it."""
    return PrivateKey(sha256(f"node of {payee_key}".encode()).digest())


async def ask_for(world: World, payee: Payee, sats: int, memo: str, expiry_s: int) -> Ask:
    """Have a payee make an invoice.

    Raises:
        LedgerBusy: The sandbox cannot take a home invoice down.
    """
    amount_msat = sats * MSAT_PER_SAT
    if payee.username is not None:
        home = await world.mint(payee.username, amount_msat, memo, expiry_s)
        return Ask(home.request, home.payment_hash, is_home=True)
    payment_hash = sha256(secrets.token_bytes(_SECRET_BYTES))
    pr = sign_invoice(
        node_key(payee.key),
        amount_msat=amount_msat,
        payment_hash=payment_hash.digest(),
        payment_secret=secrets.token_bytes(_SECRET_BYTES),
        timestamp_s=world.clock.now_s(),
        expiry_s=expiry_s,
        description=memo,
    )
    return Ask(pr, payment_hash.hexdigest(), is_home=False)
