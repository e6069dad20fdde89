"""What is written on a Boltcard, and the links that start the programmer app."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from models.errors import InvalidField

MAX_BASE_LENGTH: Final = 195
"""Base, parameters and the header of seven bytes fill the card's NDEF file of 256 bytes."""

_BASE: Final = re.compile(r"lnurlw://[A-Za-z0-9\[][!\"$-~]*")
_P_LENGTH: Final = 32
_C_LENGTH: Final = 16
_NDEF_HEADER: Final = 7


@dataclass(frozen=True, slots=True)
class CardTemplate:
    """The URL on a card with zeros where the card puts `p` and `c`, and where these start.

    Attributes:
        picc_offset: Byte in the NDEF file at which `p` starts.
        mac_offset: Byte in the NDEF file at which `c` starts.
        file_length: Bytes of the NDEF file in use.
    """

    url: str
    picc_offset: int
    mac_offset: int
    file_length: int


def card_template(base: str) -> CardTemplate:
    """Return what the programmer app will write for a base (NT4H2421Gx 9.3, Boltcard CARD_MANUAL).

    Raises:
        InvalidField: `lnurlw_base`.
    """
    check_card_base(base)
    joint = "&" if "?" in base else "?"
    head = f"{base}{joint}p="
    middle = f"{head}{'0' * _P_LENGTH}&c="
    url = f"{middle}{'0' * _C_LENGTH}"
    return CardTemplate(
        url=url,
        picc_offset=_NDEF_HEADER + len(head),
        mac_offset=_NDEF_HEADER + len(middle),
        file_length=_NDEF_HEADER + len(url),
    )


def check_card_base(base: str) -> None:
    """Refuse a base that apps would write wrongly or that does not fit on a card.

    Apps find the place of `p` and `c` by the first `p=` and `c=` in the whole URL, and take
    `lnurlw://` in lower case only.

    Raises:
        InvalidField: `lnurlw_base`.
    """
    if _BASE.fullmatch(base) is None:
        raise InvalidField("lnurlw_base", "A card's address begins with lnurlw://.")
    if "p=" in base or "c=" in base:
        raise InvalidField("lnurlw_base", "A card's address must not contain p= or c=.")
    if len(base) > MAX_BASE_LENGTH:
        raise InvalidField("lnurlw_base", "This address is too long for a card.")


def card_deeplink(action: Literal["program", "reset"], url: str) -> str:
    """Return the link that makes the programmer app fetch keys from a URL (Boltcard DEEPLINK)."""
    return f"boltcard://{action}?url={quote(url, safe='')}"
