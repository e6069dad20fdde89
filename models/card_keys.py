"""The keys of one Boltcard; they never show in a repr, a log or an error."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CardKeys:
    """The five AES-128 keys of an NTAG 424 DNA, 16 bytes each.

    Attributes:
        k0: The only key that may change keys.
        k1: Decrypts `p`; one for all cards of an issuer, as it works before the UID is known.
        k2: Makes `c`.
        k3: Unused, but never left at the factory's zeros.
        k4: Unused, but never left at the factory's zeros.
    """

    k0: bytes = field(repr=False)
    k1: bytes = field(repr=False)
    k2: bytes = field(repr=False)
    k3: bytes = field(repr=False)
    k4: bytes = field(repr=False)
