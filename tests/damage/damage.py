"""Damages good texts and good answers, by a seed."""

from __future__ import annotations

import copy
from decimal import Decimal
from random import Random
from typing import Any

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_LETTERS = (
    BECH32 * 4
    + "0123456789abcdefABCDEF:/?#@%&=+-_.,;~!*'()[]{}<>|\\^`\"$ \t\r\n\0"
    + "\u00e9\u202e\u2028\u0130\ud800\U0001f300\ufeff"
)
STRANGE: tuple[Any, ...] = (
    *(None, True, False, "", " ", [], {}, [[]], [None], [{}], {"errors": "x"}, [1], ["x"]),
    *(-1, 0, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, float("nan"), float("inf")),
    *(Decimal("1e400"), Decimal("-1e-400"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")),
    *("NaN", "sNaN", "Infinity", "1e999999", "1e999990", "-0", "0x10", "1_000", "9" * 5_000),
    *("\ud800", "\0", "x" * 5_000, "1970-01-01", "PAID", "SUCCESS", "PENDING", "FAILURE", "SEND"),
    *("INVALID_INPUT", "IBEX_ERROR", "TOO_MANY_REQUESTS", "\u0661\u0662", "https://127.0.0.1/"),
)


def damaged_text(random: Random, text: str) -> str:
    """Return the text with one to four flips, insertions, deletions, cuts, doublings or cases."""
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(text))
        match random.randrange(8):
            case 0 | 1:
                text = text[:place] + random.choice(_LETTERS) + text[place + 1 :]
            case 2:
                text = text[:place] + random.choice(_LETTERS) + text[place:]
            case 3:
                text = text[:place] + text[place + random.randint(1, 9) :]
            case 4:
                text = text[:place]
            case 5:
                text = text[:place] + text[max(0, place - random.randint(1, 60)) :]
            case 6:
                text = text[:place].swapcase() + text[place:]
            case _:
                text = random.choice(_LETTERS) * random.randint(1, 40) + text[place:]
    return text


def damaged_value(random: Random, value: Any) -> Any:
    """Return a copy in which one to three places hold something strange, or nothing."""
    whole = [copy.deepcopy(value)]
    for _ in range(random.randint(1, 3)):
        holder, key = random.choice(list(_places(whole)))
        inner = holder[key]
        choice = random.randrange(6)
        if choice == 0 and isinstance(holder, dict):
            del holder[key]
        elif choice == 1 and isinstance(inner, str):
            holder[key] = damaged_text(random, inner)
        elif choice == 2 and isinstance(inner, list) and inner:
            inner.append(copy.deepcopy(inner[0]))
        else:
            holder[key] = copy.deepcopy(random.choice(STRANGE))
    return whole[0]


def _places(holder: Any) -> Any:
    keys = holder.keys() if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _places(holder[key])
