"""Random UUIDs, cheaply: many are made, and none of them is a secret."""

from __future__ import annotations

import os
import random
from typing import Final

_SOURCE: Final = random.SystemRandom()
_CHANCE: Final = random.Random(_SOURCE.getrandbits(256))
# Processes that are forked off one must not draw the same.
os.register_at_fork(after_in_child=lambda: _CHANCE.seed(_SOURCE.getrandbits(256)))


def new_uuid() -> str:
    """Return a UUID of version 4."""
    text = f"{_CHANCE.getrandbits(128):032x}"
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
