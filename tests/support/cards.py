"""Virtual Boltcards: real keys, real counters, real `p` and `c`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from services.boltcards import NewCard
from services.card_crypto import TapQuery, parse_tap, tap_query


@dataclass
class VirtualCard:
    """A card in somebody's pocket; every read of it counts one up."""

    uid: bytes = field(default_factory=lambda: b"\x04" + secrets.token_bytes(6))
    k1: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    k2: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    counter: int = 0

    def read(self) -> tuple[str, str]:
        """Hold it to a reader; returns the next `p` and `c`."""
        self.counter += 1
        return self.reading(self.counter)

    def reading(self, counter: int) -> tuple[str, str]:
        """Return the `p` and `c` of a certain read."""
        return tap_query(self.k1, self.k2, self.uid, counter, secrets.token_bytes(5))

    def tap(self) -> TapQuery:
        """Hold it to a reader; returns what the service is asked."""
        return parse_tap(*self.read())

    def as_new(self, alias: str, pull_payment_id: str, *, knows_uid: bool = True) -> NewCard:
        """Return what this card is registered with."""
        uid = self.uid if knows_uid else None
        return NewCard(alias, pull_payment_id, uid, self.k1, self.k2)
