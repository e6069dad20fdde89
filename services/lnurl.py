"""LNURL addresses: bech32 (LUD-01), Lightning Addresses (LUD-16), schemes (LUD-17), callbacks.

Only the text is judged here. Where a name leads is for the fetcher to find out and to refuse.
`outbound_allow` holds `host:port` pairs that the operator exempts, such as the sandbox's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

from models.errors import InvalidField
from services import bech32

MAX_LENGTH: Final = 4096

_FIELD: Final = "destination"
_PREFIX: Final = "lnurl"
_LIGHTNING: Final = "lightning:"
_TAGS: Final = {
    "lnurlw": "withdrawRequest",
    "lnurlp": "payRequest",
    "lnurlc": "channelRequest",
    "keyauth": "login",
}
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z]{4,7})://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[/?#][!-~]*)?)"
)
# Phoenix also takes `lnurlw:` without slashes.
_SCHEME: Final = re.compile(r"(?P<scheme>lnurlw|lnurlp|lnurlc|keyauth):(?://)?", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
# A last label that starts with a letter leaves no way to write an IP address.
_NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_ADDRESS: Final = re.compile(
    r"(?P<name>[a-z0-9_.-]+(?:\+[a-z0-9_.-]+)?)@(?P<authority>[a-z0-9.-]+(?::[0-9]{1,5})?)"
)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_INWARD_SUFFIXES: Final = (".localhost", ".local", ".internal")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class LnurlTarget:
    """Where an LNURL leads, and which kind of answer its scheme promises."""

    url: str
    tag: str | None


def encode(url: str) -> str:
    """Return a URL as upper-case bech32, which makes the smaller QR code (LUD-01)."""
    if not url.isascii():
        raise InvalidField("url", "An LNURL can only hold a web address in plain ASCII.")
    return bech32.join(_PREFIX, bech32.bytes_to_digits(url.encode())).upper()


def decode(text: str, *, outbound_allow: Collection[str] = ()) -> str:
    """Return the URL in a bech32 LNURL, also one within a `lightning` parameter (LUD-01).

    Raises:
        InvalidField: `destination`.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidField(_FIELD, "This text is too long for an LNURL.")
    letters = _without_lightning(text)
    if _WEB.match(letters):
        letters = _lightning_parameter(letters)
    try:
        prefix, digits = bech32.split(letters)
        digits = bech32.check(prefix, digits)
    except bech32.Bech32Error:
        raise InvalidField(_FIELD, "This LNURL has a typing or scanning error.") from None
    data = bech32.digits_to_bytes(digits)
    is_canonical = bech32.bytes_to_digits(data) == digits
    if prefix != _PREFIX or not is_canonical or not data.isascii():
        raise InvalidField(_FIELD, "This is not an LNURL.")
    return check_url(data.decode("ascii"), outbound_allow=outbound_allow)


def to_https(text: str, *, outbound_allow: Collection[str] = ()) -> str:
    """Return the URL to ask for an `lnurlw:`, `lnurlp:`, `lnurlc:` or `keyauth:` link (LUD-17).

    Raises:
        InvalidField: `destination`.
    """
    match = _SCHEME.match(text)
    if match is None:
        return check_url(text, outbound_allow=outbound_allow)
    rest = text[match.end() :]
    authority = re.split("[/?#]", rest, maxsplit=1)[0].lower()
    scheme = _scheme_for(authority, outbound_allow)
    return check_url(f"{scheme}://{rest}", outbound_allow=outbound_allow)


def expected_tag(text: str) -> str | None:
    """Return the tag that the answer must carry, if the scheme says so (LUD-17)."""
    match = _SCHEME.match(text)
    return _TAGS[match["scheme"].lower()] if match else None


def to_lnurlw(url: str) -> str:
    """Return our own URL as a lower-case `lnurlw://` link (LUD-17).

    Clear text passes for an onion, and for loopback, where only the sandbox reads it.

    Raises:
        InvalidField: `url`.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise InvalidField("url", "This is not a web address.")
    host, scheme = match["host"].lower(), match["scheme"].lower()
    is_clear_text_fine = host in _LOOPBACK or host.endswith(".onion")
    if scheme != "https" and not (scheme == "http" and is_clear_text_fine):
        raise InvalidField("url", "An lnurlw link needs an https address.")
    return f"lnurlw://{url.partition('://')[2]}"


def lightning_address_url(address: str, *, outbound_allow: Collection[str] = ()) -> str:
    """Return the URL behind a Lightning Address in its protocol form, lower case (LUD-16).

    Raises:
        InvalidField: `destination`.
    """
    match = _ADDRESS.fullmatch(address) if len(address) <= MAX_LENGTH else None
    # A name of dots alone would climb out of the well-known folder.
    if match is None or not match["name"].strip("."):
        raise InvalidField(_FIELD, "This is not a Lightning Address.")
    authority = match["authority"]
    scheme = _scheme_for(authority, outbound_allow)
    url = f"{scheme}://{authority}/.well-known/lnurlp/{match['name']}"
    return check_url(url, outbound_allow=outbound_allow)


def resolve(text: str, *, outbound_allow: Collection[str] = ()) -> LnurlTarget:
    """Return where anything that a person scanned or pasted leads (LUD-01, LUD-16, LUD-17).

    Raises:
        InvalidField: `destination`.
    """
    link = _without_lightning(text)
    if _SCHEME.match(link):
        return LnurlTarget(to_https(link, outbound_allow=outbound_allow), expected_tag(link))
    if "@" in link and "/" not in link:
        url = lightning_address_url(link, outbound_allow=outbound_allow)
        return LnurlTarget(url, _TAGS["lnurlp"])
    if _WEB.match(link) and not _has_lightning_parameter(link):
        return LnurlTarget(check_url(link, outbound_allow=outbound_allow), None)
    return LnurlTarget(decode(link, outbound_allow=outbound_allow), None)


def check_url(url: str, *, field: str = _FIELD, outbound_allow: Collection[str] = ()) -> str:
    """Return a URL that may be asked: https by a name, or http to an onion (LUD-01).

    Raises:
        InvalidField: Naming the field.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_LENGTH else None
    if match is None:
        raise InvalidField(field, "This is not a web address.")
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or _DEFAULT_PORTS.get(scheme, 0))
    if scheme not in _DEFAULT_PORTS or not 0 < port <= _MAX_PORT:
        raise InvalidField(field, "This is not a web address.")
    if f"{host}:{port}" in outbound_allow:
        return url
    if scheme == "http" and not host.endswith(".onion"):
        raise InvalidField(field, "This address is not encrypted; it must begin with https.")
    if not _NAME.fullmatch(host) or host.endswith(_INWARD_SUFFIXES):
        raise InvalidField(field, "This address does not name a public server.")
    return url


def callback_url(callback: str, parameters: Mapping[str, str]) -> str:
    """Return a callback with parameters behind its own ones, before a fragment (LUD-03, LUD-06)."""
    base, hash_sign, fragment = callback.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    pairs = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='', errors='replace')}"
        for name, value in parameters.items()
    )
    return f"{base}{joint}{pairs}{hash_sign}{fragment}"


def _without_lightning(text: str) -> str:
    return text[len(_LIGHTNING) :] if text[: len(_LIGHTNING)].lower() == _LIGHTNING else text


def _lightning_parameter(url: str) -> str:
    """Return the value of a URL's `lightning` parameter; two of them would be ambiguous."""
    values = _lightning_values(url)
    if len(values) != 1:
        raise InvalidField(_FIELD, "This web address holds no LNURL.")
    return values[0]


def _has_lightning_parameter(url: str) -> bool:
    return bool(_lightning_values(url))


def _lightning_values(url: str) -> list[str]:
    query = url.partition("#")[0].partition("?")[2]
    return [value for name, value in parse_qsl(query) if name.lower() == "lightning"]


def _scheme_for(authority: str, outbound_allow: Collection[str]) -> str:
    """Return how a host is asked: onions, and loopback where allowed, have no certificates."""
    host = re.sub(r":[0-9]+\Z", "", authority)
    is_exempt_loopback = host in _LOOPBACK and authority in outbound_allow
    return "http" if host.endswith(".onion") or is_exempt_loopback else "https"
