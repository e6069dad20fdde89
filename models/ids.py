"""Prefixed, sortable ids: a word, the millisecond, then eighty random bits (Crockford base 32)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from models.instants import Clock, to_us

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BYTES = 10
_LENGTH = 26
# Letters are spelled two at a time: each tap makes half a dozen ids.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(5 * (_LENGTH - 2), -1, -10)

STORE = "st"
USER = "us"
API_KEY = "ak"
WALLET = "wa"
PULL_PAYMENT = "pp"
PAYOUT = "po"
ATTEMPT = "at"
CARD = "bc"
KEY_SET = "ks"
TAP = "tp"
CARD_LINK = "cl"
SIGHTING = "si"
EVIDENCE = "ev"
REQUEST = "rq"
SAVED_VIEW = "sv"
SESSION = "se"
LINK = "li"
HOLD = "ho"
CLOSED_BOOK = "cb"
CONNECTION = "co"
AUDIT_RUN = "ar"

_SHAPE = re.compile(r"[a-z]{2}_[0-9a-hjkmnp-tv-z]{26}\Z")


class Ids:
    """Makes ids from the injected clock and a source of random bytes."""

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._randomness = randomness

    def new(self, prefix: str) -> str:
        """Return a new id, such as `po_01jd3k…`, that sorts by the time it was made."""
        ms = to_us(self._clock.utc_now()) // 1000
        random_bits = int.from_bytes(self._randomness(_RANDOM_BYTES), "big")
        return make_id(prefix, ms, random_bits)


def make_id(prefix: str, ms: int, random_bits: int) -> str:
    """Spell an id from its three parts."""
    value = (ms << (8 * _RANDOM_BYTES)) | random_bits
    letters = [_PAIRS[value >> shift & 1023] for shift in _SHIFTS]
    return f"{prefix}_{''.join(letters)}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text has the shape of an id of this kind."""
    return text.startswith(f"{prefix}_") and _SHAPE.match(text) is not None
