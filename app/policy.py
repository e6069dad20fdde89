"""The headers of every answer, and the content security policy of the screens.

NiceGUI evaluates what the server sends (`run_javascript`, Vue's compiler), so its pages need
'unsafe-eval' and inline styles; a script in the page itself runs only with the nonce of that
answer, so text that became markup still would not run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

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
    names = {name.lower() for name, _ in given}
    added = [pair for pair in _ALWAYS if pair[0] not in names]
    if is_secure:
        added.append(_HSTS)
    kinds = [value for name, value in given if name.lower() == b"content-type"]
    is_screen = any(kind.startswith(b"text/html") for kind in kinds)
    if _FEATURES not in names:
        added.append((_FEATURES, _CAMERA if is_screen else _NO_CAMERA))
    if _POLICY not in names:
        screens = _SCREENS.format(nonce=scope.get("nonce", "")).encode()
        added.append((_POLICY, screens if is_screen else _NOTHING))
    return [*given, *added]
