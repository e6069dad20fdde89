"""Whole HTTP answers of the API port, also those that are not GraphQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

_JSON: Final = (b"content-type", b"application/json")
_HTML: Final = (b"content-type", b"text/html")
_TEXT: Final = (b"content-type", b"text/plain")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)


def json_answer(value: Any, status: int = 200) -> Answer:
    """Return a value as JSON."""
    return Answer(status, orjson.dumps(value))


def refusal(message: str) -> Answer:
    """Return what a request gets that is not GraphQL."""
    return json_answer({"errors": [{"message": message}]}, 400)


def page(status: int, title: str) -> Answer:
    """Return the short page of an ingress."""
    text = f"<html><head><title>{status} {title}</title></head><body>{title}</body></html>"
    return Answer(status, text.encode(), (_HTML,))


def plain(status: int, words: str) -> Answer:
    """Return plain text, as gateways do."""
    return Answer(status, words.encode(), (_TEXT,))


def unauthorized(kind: str) -> Answer:
    """Return HTTP 401 for a bad token or key."""
    if kind == "key":
        return json_answer({"error": "invalid_api_key"}, 401)
    return page(401, "Authorization Required")


def key_limited(retry_after_s: int, limit: int, remaining: int) -> Answer:
    """Return what a key over its limit gets: HTTP 200 with a top-level error."""
    extensions = {
        "code": "TOO_MANY_REQUESTS",
        "retryAfterSeconds": retry_after_s,
        "rateLimit": {"limit": limit, "remaining": remaining},
    }
    error = {"message": "API key rate limit exceeded", "extensions": extensions}
    return json_answer({"data": None, "errors": [error]})


def too_many(retry_after_s: int) -> Answer:
    """Return HTTP 429, which says itself when to come back."""
    retry_after = (b"retry-after", str(retry_after_s).encode())
    return Answer(429, b"Too Many Requests", (_TEXT, retry_after))


UNAVAILABLE: Final = page(503, "Service Temporarily Unavailable")
"""What an ingress says when it will not let a call in."""
