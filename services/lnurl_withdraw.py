"""What a withdraw service says (LUD-03), and when it asks for a PIN (the `pinLimit` draft).

All of these go out with HTTP 200: some wallets show nothing of an error with another status.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from models.errors import InvalidField, WithdrawError
from services.plain_text import plain_text

JsonObject = dict[str, str | int]

MAX_REASON: Final = 90
"""Phoenix shows no more of a reason."""
_MAX_DESCRIPTION: Final = 200
# Our own address is not judged by its name: it may well be one that only the shop's network knows.
_OWN_URL: Final = re.compile(
    r"https://[!-~]+"
    r"|http://(?:[a-z0-9.-]+\.onion|localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?/[!-~]*"
)
_PAY_LINK: Final = re.compile(r"lnurlp://[!-~]+")
_PIN: Final = re.compile(r"[0-9]{1,8}")


def ok() -> JsonObject:
    """Return the answer to an accepted callback (LUD-03); it does not promise a settlement."""
    return {"status": "OK"}


def error(reason: str) -> JsonObject:
    """Return an error answer of one short, plain line (LUD-03)."""
    return {"status": "ERROR", "reason": plain_text(reason, MAX_REASON) or "Something went wrong."}


def withdraw_request(
    *,
    callback: str,
    k1: str,
    description: str,
    min_msat: int,
    max_msat: int,
    pin_limit_msat: int | None = None,
    pay_link: str | None = None,
    balance_check: str | None = None,
) -> JsonObject:
    """Return the first answer to a wallet (LUD-03, with LUD-14 and LUD-19 where asked for).

    Bounds that leave nothing to withdraw become 0 and 0, which LUD-03 counts as a success.
    `pin_limit_msat` shuts strict clients out, so only cards that have a PIN send it.

    Raises:
        InvalidField: For what wallets refuse: a callback in clear text, an empty k1.
    """
    if not k1:
        raise InvalidField("k1", "A withdrawal needs a k1.")
    lowest_msat = max(min_msat, 1)
    is_empty = max_msat < lowest_msat
    answer: JsonObject = {
        "tag": "withdrawRequest",
        "callback": _own_url("callback", callback),
        "k1": k1,
        "defaultDescription": plain_text(description, _MAX_DESCRIPTION),
        "minWithdrawable": 0 if is_empty else lowest_msat,
        "maxWithdrawable": 0 if is_empty else max_msat,
    }
    if pin_limit_msat is not None:
        # Some terminals take 0 for "no PIN".
        answer["pinLimit"] = max(pin_limit_msat, 1)
    if pay_link is not None:
        answer["payLink"] = _pay_link(pay_link)
    if balance_check is not None:
        answer["balanceCheck"] = _own_url("balance_check", balance_check)
        answer["currentBalance"] = answer["maxWithdrawable"]
    return answer


def pin_needed(amount_msat: int, pin_limit_msat: int | None) -> bool:
    """Return whether an amount needs a PIN (`pinLimit` draft: from the limit on)."""
    return pin_limit_msat is not None and amount_msat >= pin_limit_msat


def check_pin(
    amount_msat: int,
    pin_limit_msat: int | None,
    pin: str | None,
    is_right: Callable[[str], bool],
) -> None:
    """Refuse a callback whose PIN is needed and missing, malformed or wrong (`pinLimit` draft).

    `is_right` compares in constant time against a hash; it is only asked about a needed PIN,
    so that only those count as tries.

    Raises:
        WithdrawError: `pin_required`, `bad_pin_format` or `wrong_pin`.
    """
    if not pin_needed(amount_msat, pin_limit_msat):
        return
    # Some terminals send an empty parameter when they asked for no PIN.
    if not pin:
        raise WithdrawError("pin_required", "This amount needs the card's PIN.")
    if _PIN.fullmatch(pin) is None:
        raise WithdrawError("bad_pin_format", "A PIN has one to eight digits.")
    if not is_right(pin):
        raise WithdrawError("wrong_pin", "The PIN is wrong.")


def _own_url(field: str, url: str) -> str:
    """Return our own URL if wallets take it; onions and the sandbox may be clear text (LUD-01)."""
    if _OWN_URL.fullmatch(url) is None:
        raise InvalidField(field, "Wallets take only an address that begins with https.")
    return url


def _pay_link(link: str) -> str:
    if _PAY_LINK.fullmatch(link) is None:
        raise InvalidField("pay_link", "A pay link begins with lnurlp://.")
    return link
