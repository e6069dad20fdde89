"""Payees: who make the invoices that the tills hand in, at home with Flash or elsewhere."""

from __future__ import annotations

import hashlib
import random
import secrets
from dataclasses import dataclass

import httpx

from services.bolt11_encode import sign_invoice
from tests.crash.almanac import Almanac
from tests.crash.control import Control

HOUR_S = 3600
_EXPIRIES = ((HOUR_S, 80), (600, 15), (45, 5))  # seconds and how often
_PAYEES = 12
_AGAIN = 0.1  # how often somebody is paid what was paid just before


@dataclass(frozen=True, slots=True)
class Asked:
    """An invoice that somebody wants to be paid."""

    text: str
    payment_hash: str


class Purse:
    """Makes invoices of random payees."""

    def __init__(self, control: Control, almanac: Almanac, chance: random.Random) -> None:
        self._control = control
        self._almanac = almanac
        self._chance = chance
        self._keys = [chance.randbytes(32) for _ in range(_PAYEES)]
        self._last_msat = 0

    async def ask(self, least_msat: int, most_msat: int) -> Asked:
        """Make an invoice; while the sandbox is down only foreign payees can."""
        chance = self._chance
        amount_msat = chance.randint(least_msat, most_msat)
        if chance.random() < 0.8:
            amount_msat = max(least_msat, amount_msat // 1000 * 1000)
        if least_msat <= self._last_msat <= most_msat and chance.random() < _AGAIN:
            amount_msat = self._last_msat
        self._last_msat = amount_msat
        seconds, often = zip(*_EXPIRIES, strict=True)
        expiry_s = chance.choices(seconds, often)[0]
        if chance.random() < 0.5:
            try:
                return await self.at_home(amount_msat, expiry_s)
            except httpx.HTTPError:
                pass
        return self.abroad(amount_msat, expiry_s)

    async def at_home(self, amount_msat: int, expiry_s: int = HOUR_S) -> Asked:
        """Have the sandbox mint an invoice of one of Flash's own users."""
        made = await self._control.post(
            "invoices",
            payee=f"payee{self._chance.randrange(_PAYEES)}",
            amount_msat=amount_msat,
            expiry_s=expiry_s,
        )
        return Asked(made["pr"], made["hash"])

    def abroad(self, amount_msat: int, expiry_s: int = HOUR_S) -> Asked:
        """Sign an invoice of a wallet that Flash knows nothing of."""
        payment_hash = hashlib.sha256(secrets.token_bytes(32)).digest()
        text = sign_invoice(
            self._chance.choice(self._keys),
            amount_msat=amount_msat,
            payment_hash=payment_hash,
            payment_secret=secrets.token_bytes(32),
            timestamp_s=self._almanac.now_s(),
            expiry_s=expiry_s,
        )
        return Asked(text, payment_hash.hex())
