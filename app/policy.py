"""The headers of every answer, and the content security policy of the screens.

NiceGUI evaluates what the server sends (`run_javascript`, Vue's compiler), so its pages need
'unsafe-eval' and inline styles; a script in the page itself runs only with the nonce of that
answer, so text that became markup still would not run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import Scope

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Pages scan codes with the camera; nothing else does.
_FEATURES = b"permissions-policy"
_NO_CAMERA = b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"
_CAMERA = _NO_CAMERA.replace(b"camera=()", b"camera=(self)")
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_POLICY = b"content-security-policy"
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
_SCREENS = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

Headers = Iterable[tuple[bytes, bytes]]


def give_nonce(scope: Scope) -> None:
    """Give a request the nonce of its answer."""
    scope["nonce"] = secrets.token_urlsafe(16)


def with_policy(scope: Scope, headers: Headers, *, is_secure: bool) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with those that are missing; what a route said itself stays."""
    given = list(headers)
    said = {name.lower(): value for name, value in given}
    is_screen = said.get(b"content-type", b"").startswith(b"text/html")
    added = _missing(frozenset(said), is_screen=is_screen, is_secure=is_secure)
    if is_screen and _POLICY not in said:
        policy = _SCREENS.format(nonce=scope.get("nonce", "")).encode()
        return [*given, *added, (_POLICY, policy)]
    return [*given, *added]


@lru_cache(maxsize=256)
def _missing(
    names: frozenset[bytes], *, is_screen: bool, is_secure: bool
) -> tuple[tuple[bytes, bytes], ...]:
    """Return what is added to an answer that says these; a screen's policy has a nonce of its own.

    Routes say a few sets of names only, so they are looked up instead of put together each time.
    """
    added = [pair for pair in _ALWAYS if pair[0] not in names]
    if is_secure:
        added.append(_HSTS)
    if _FEATURES not in names:
        added.append((_FEATURES, _CAMERA if is_screen else _NO_CAMERA))
    if _POLICY not in names and not is_screen:
        added.append((_POLICY, _NOTHING))
    return tuple(added)
