"""The k1 of a claim link: it is not kept but signs itself; the payout it makes keeps its hash."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta

from models.errors import WithdrawError
from models.instants import from_seconds, to_seconds
from services.vault import Vault

LIFE = timedelta(hours=1)
_NONCE_BYTES = 12
_SECONDS_BYTES = 4
_BODY_BYTES = _NONCE_BYTES + _SECONDS_BYTES
_SHAPE = re.compile(r"[0-9a-f]{64}\Z")


def sign_k1(vault: Vault, claim_token: str, now: datetime) -> str:
    """Return a k1 for a claim token, 96 random bits with an end and a signature, in hex."""
    until = to_seconds(now + LIFE).to_bytes(_SECONDS_BYTES, "big")
    body = secrets.token_bytes(_NONCE_BYTES) + until
    return (body + vault.sign(body + claim_token.encode())).hex()


def check_k1(vault: Vault, k1: str, claim_token: str, now: datetime) -> None:
    """Refuse a k1 that was not made here for this token, or is over.

    Raises:
        WithdrawError: `unknown_k1` or `k1_expired`.
    """
    # One spelling only: another one of the same bytes would count as another k1.
    raw = bytes.fromhex(k1) if _SHAPE.match(k1) else b""
    body, signature = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
    if not raw or not hmac.compare_digest(vault.sign(body + claim_token.encode()), signature):
        raise WithdrawError("unknown_k1", "This withdrawal is not known; scan again.")
    if from_seconds(int.from_bytes(body[_NONCE_BYTES:], "big")) <= now:
        raise WithdrawError("k1_expired", "This withdrawal has expired; scan again.")
