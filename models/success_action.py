"""What a recipient wants shown once a payment is settled (LUD-09, LUD-10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SuccessAction:
    """A line to show once the payment is settled, and a link on the recipient's own host.

    Of an `aes` one `ciphertext` and `iv` are kept: only the payment's preimage opens them.
    """

    kind: Literal["message", "url", "aes"]
    text: str
    url: str | None = None
    ciphertext: str | None = field(default=None, repr=False)
    iv: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ShownAction:
    """A settled payment's action; `secret` is what an `aes` one said, where it could be opened."""

    kind: Literal["message", "url", "aes"]
    text: str
    url: str | None
    secret: str | None = field(repr=False)
