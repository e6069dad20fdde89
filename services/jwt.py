"""Signed tokens of one fixed kind (RFC 7519, RFC 9068): HS256, a short life, one audience."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

# No other algorithm is known here, so none can be asked for.
_HEADER = {"alg": "HS256", "typ": "at+jwt"}
TOKEN_LIMIT = 2000
_PARTS = 3


def sign(claims: dict[str, Any], key: bytes) -> str:
    """Return a token."""
    head = f"{_written(_HEADER)}.{_written(claims)}"
    return f"{head}.{_signature(head, key)}"


def read(token: str, key: bytes, *, audience: str, now_s: int) -> dict[str, Any] | None:
    """Return the claims of a token that is ours, for this audience and not over; else nothing."""
    parts = token.split(".")
    if len(token) > TOKEN_LIMIT or len(parts) != _PARTS or not token.isascii():
        return None
    if not hmac.compare_digest(_signature(f"{parts[0]}.{parts[1]}", key), parts[2]):
        return None
    header, claims = _read(parts[0]), _read(parts[1])
    if header != _HEADER or claims is None or claims.get("aud") != audience:
        return None
    until, since = claims.get("exp"), claims.get("iat")
    if not isinstance(until, int) or not isinstance(since, int) or not since <= now_s < until:
        return None
    return claims


def _written(value: dict[str, Any]) -> str:
    return _encoded(orjson.dumps(value))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(head: str, key: bytes) -> str:
    return _encoded(hmac.new(key, head.encode(), hashlib.sha256).digest())


def _read(part: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return None
    return found if isinstance(found, dict) else None
