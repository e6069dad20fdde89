"""Codes of authenticator apps (RFC 6238: SHA-1, six digits, thirty seconds)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
# A phone's clock may be one step off, either way.
DRIFT = 1
SECRET_BYTES = 20


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226 section 5.3)."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(seconds: int) -> int:
    """Return the time step of a Unix second."""
    return seconds // STEP_S


def matching_step(secret: bytes, code: str, seconds: int, last_step: int) -> int | None:
    """Return the step a code is of; none if it fits no step, or one that was taken before."""
    now = step_of(seconds)
    found = None
    # All steps are compared, so that the time taken says nothing.
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > last_step:
            found = step
    return found


def as_base32(secret: bytes) -> str:
    """Return a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def provisioning_uri(secret: bytes, account: str, issuer: str) -> str:
    """Return the address that an app reads from a QR code."""
    query = urlencode({"secret": as_base32(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{query}"
