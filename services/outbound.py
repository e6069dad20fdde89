"""The only way out to addresses that strangers name: guarded, small, brief, without redirects.

A name is resolved once; unless every address it has is public the request is refused, and the
connection goes to the very address that was judged, so that a second answer of the name server
cannot lead it elsewhere.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import SOCK_STREAM
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from models.errors import GatewayError
from services.points import Watch, unwatched

BODY_LIMIT: Final = 65_536
TIMEOUT_S: Final = 5.0
_PARALLEL: Final = 20
_NAT64: Final = ip_network("64:ff9b::/96")
_UNREACHABLE: Final = "The recipient's server could not be reached."
_INWARD: Final = "This address does not lead to a public server."

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_name(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the operating system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Tell whether an address lies in the open internet, also behind every way to wrap it."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if parsed.version == 6 and parsed in _NAT64:  # noqa: PLR2004  # a way to say IPv4, no more
        parsed = IPv4Address(int(parsed) & 0xFFFF_FFFF)
    return all(_is_open(each) for each in (parsed, *_wrapped(parsed)))


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False  # deprecated, yet routed inside of old networks
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address carries."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    return [each for each in found if each is not None]


class Outbound:
    """Fetches small answers from servers that somebody else chose."""

    def __init__(
        self,
        allow: Collection[str] = (),
        *,
        resolve: Resolve = resolve_name,
        timeout_s: float = TIMEOUT_S,
        watch: Watch = unwatched,
    ) -> None:
        self._allow = frozenset(allow)
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._watch = watch
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._turns = asyncio.Semaphore(_PARALLEL)

    @property
    def allow(self) -> frozenset[str]:
        """Return the `host:port` pairs that the operator exempts from the guard."""
        return self._allow

    async def get(self, url: str) -> bytes:
        """Return the body of an answer, whatever its status says (LUD-01).

        Raises:
            GatewayError: The address is not public, or gives no answer that is small and soon.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._turns:
                self._watch("wire:get:before")
                body = await self._fetch(url)
                self._watch("wire:get:after")
                return body
        except TimeoutError:
            raise GatewayError("The recipient's server did not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, ValueError):
            raise GatewayError(_UNREACHABLE) from None

    async def close(self) -> None:
        """Close what is open."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _fetch(self, url: str) -> bytes:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._judged_address(parts.scheme, host, port)
        pinned = f"[{address}]" if ":" in address else address
        target = urlunsplit((parts.scheme, f"{pinned}:{port}", parts.path, parts.query, ""))
        headers = {"Host": parts.netloc.rpartition("@")[2], "Accept": "application/json"}
        client = await self._opened()
        request = client.build_request(
            "GET", target, headers=headers, extensions={"sni_hostname": host}
        )
        answer = await client.send(request, stream=True)
        try:
            return await _small_body(answer)
        finally:
            await answer.aclose()

    async def _judged_address(self, scheme: str, host: str, port: int) -> str:
        is_exempt = f"{host}:{port}" in self._allow
        if scheme != "https" and not is_exempt:
            raise GatewayError(_UNREACHABLE)  # onions need a proxy, clear text nobody
        addresses = await self._resolve(host, port)
        # All of them: a name with one inward address is a trick, whichever would be taken.
        if not addresses or not (is_exempt or all(map(is_public, addresses))):
            raise GatewayError(_INWARD)
        return addresses[0]

    async def _opened(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                # Reading all certificates takes long enough to be felt by a tap.
                context = await asyncio.to_thread(ssl.create_default_context)
                self._client = httpx.AsyncClient(
                    verify=context,
                    trust_env=False,
                    follow_redirects=False,
                    headers={"Accept-Encoding": "identity", "User-Agent": "flash-payouts"},
                    limits=httpx.Limits(max_connections=_PARALLEL, max_keepalive_connections=0),
                    timeout=self._timeout_s,
                )
            return self._client


async def _small_body(answer: httpx.Response) -> bytes:
    if answer.is_redirect:
        raise GatewayError("The recipient's server points elsewhere, which is not followed.")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise GatewayError(_UNREACHABLE)  # a few packed bytes may unfold to any size
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise GatewayError("The recipient's server answers too much.")
    return bytes(body)
