"""How much each visitor, key, card and link may ask for, at the edge.

Whoever asks from this machine itself is let through, but for signing in: that is the operator. What
a proxy on this machine hands on says so in its header, or shows it by the name that it asks for:
its visitors have their own addresses if TRUSTED_PROXIES names it, else they share ten times as much
as one.
"""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import parse_qs

from starlette.types import Scope

from app.settings import is_loopback
from models.errors import RateLimited
from services.rate_limits import Rate, RateLimits

SIGN_IN = Rate(burst=20, per_minute=20)
PAGE = Rate(burst=60, per_minute=120)
LNURL = Rate(burst=200, per_minute=1_200)
API = Rate(burst=1_000, per_minute=3_000)
ASSET = Rate(burst=2_000, per_minute=6_000)
PROBE = Rate(burst=60, per_minute=120)
KEY = Rate(burst=1_000, per_minute=3_000)
CARD = Rate(burst=30, per_minute=60)
K1 = Rate(burst=20, per_minute=30)
OWN_TIMES = 10
_SIGN_IN_PATHS = ("/login", "/setup/", "/join/", "/reset/", "/v1/auth/")
_LNURL_PATHS = ("/lnurlw/", "/boltcard/", "/.well-known/lnurlp/")
# These ask the database, one of them by writing to it.
_PROBES = ("/readyz", "/metrics")
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HANDED_ON = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"})
_K1_LIMIT = 64


class Allowance:
    """Knows which rule a request falls under, and whether there is any left."""

    def __init__(self, limits: RateLimits | None = None) -> None:
        # An empty one is false, as everything empty is.
        self.limits = RateLimits(time.monotonic_ns) if limits is None else limits

    def of_request(self, scope: Scope) -> int:
        """Count a request by its address; returns 0, or after how many seconds to ask again."""
        path, host = str(scope["path"]), (scope.get("client") or ("", 0))[0]
        is_own = is_loopback(host)
        is_sign_in = path.startswith(_SIGN_IN_PATHS) and scope.get("method", "GET") == "POST"
        if not is_sign_in and (path == "/healthz" or is_spared(scope)):
            return 0
        rule, rate = ("sign-in", SIGN_IN) if is_sign_in else _rule_of(path)
        wait_s = self.limits.take(rule, network_of(host), rate.times(OWN_TIMES) if is_own else rate)
        if wait_s == 0 and rule == "lnurl":
            for k1 in parse_qs(scope.get("query_string", b"").decode("latin-1")).get("k1", [])[:1]:
                wait_s = self.limits.take("k1", k1[:_K1_LIMIT], K1)
        return wait_s

    def of_key(self, key_id: str, scope: Scope) -> None:
        """Count a request of an API key or a person's token.

        Raises:
            RateLimited: There is nothing left.
        """
        self._need("key", key_id, KEY, scope)

    def of_card(self, card_id: str, scope: Scope) -> None:
        """Count a tap of a card.

        Raises:
            RateLimited: There is nothing left.
        """
        self._need("card", card_id, CARD, scope)

    def _need(self, rule: str, name: str, rate: Rate, scope: Scope) -> None:
        if is_spared(scope):
            return
        wait_s = self.limits.take(rule, name, rate)
        if wait_s:
            raise RateLimited(wait_s)


def is_spared(scope: Scope) -> bool:
    """Tell whether a request began on this machine: no proxy handed it on."""
    host, name = (scope.get("client") or ("", 0))[0], host_name(scope).strip("[]")
    return is_loopback(host) and not is_handed_on(scope) and (not name or is_loopback(name))


def is_handed_on(scope: Scope) -> bool:
    """Tell whether a proxy hands a request on, as far as it can be seen."""
    # What some proxies speak to those behind them if they are told nothing else.
    is_old = scope.get("http_version") == "1.0"
    return is_old or any(name in _HANDED_ON for name, _ in scope["headers"])


def is_local_name(scope: Scope) -> bool:
    """Tell whether a request asks for a name that means this machine."""
    return host_name(scope) in _LOCAL_NAMES


def host_name(scope: Scope) -> str:
    """Return the name that a request asks for, without a port."""
    for field, value in scope["headers"]:
        if field == b"host":
            host = str(value.decode("latin-1").lower())
            return host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return ""


def network_of(host: str) -> str:
    """Return what one visitor has: an address, or of IPv6 the network of a household."""
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> 64)


def _rule_of(path: str) -> tuple[str, Rate]:
    if path == "/boltcard" or path.startswith(_LNURL_PATHS):
        return "lnurl", LNURL
    if path in _PROBES:
        return "probe", PROBE
    if path.startswith("/v1/"):
        return "api", API
    if path.startswith("/_nicegui"):
        return "asset", ASSET
    return "page", PAGE
