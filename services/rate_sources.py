"""Independent prices of bitcoin, each read from a public service, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from models.errors import GatewayError
from models.instants import Clock, from_seconds
from models.money import SATS_PER_BTC, Rate, minor_exponent
from services.lnurl_answer import parse_json
from services.outbound import Outbound

_SCALE: Final = 10_000  # four decimals below the minor unit are plenty for a whole bitcoin
_LEAST: Final = Decimal(1)
_MOST: Final = Decimal(10) ** 12

Read = Callable[[Mapping[str, Any], str], tuple[Any, Any]]


class RateSource(Protocol):
    """Whoever tells a price."""

    @property
    def name(self) -> str:
        """Return what the price is called by in a payout's rate."""
        ...

    async def fetch(self, currency: str) -> Rate:
        """Return the price of a sat.

        Raises:
            GatewayError: There is no usable answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class PublicSource:
    """One public service, asked through the guarded way out; `{currency}` stands in its URL."""

    name: str
    url: str
    read: Read
    outbound: Outbound
    clock: Clock

    async def fetch(self, currency: str) -> Rate:
        """Return the price of a sat.

        Raises:
            GatewayError: There is no usable answer.
        """
        body = await self.outbound.get(self.url.replace("{currency}", currency))
        rate = read_rate(self.name, self.read, body, currency, self.clock.utc_now())
        if rate is None:
            raise GatewayError(f"{self.name} has no price in {currency}.")
        return rate


def read_rate(name: str, read: Read, body: bytes, currency: str, now: datetime) -> Rate | None:
    """Return the price in an answer; one that says no time was made now."""
    answer = parse_json(body)
    if not isinstance(answer, Mapping):
        return None
    try:
        price, at_s = read(answer, currency)
        value = Decimal(str(price))
        at = now if at_s is None else from_seconds(int(at_s))
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError):
        return None
    if not value.is_finite() or not _LEAST <= value <= _MOST:
        return None
    minor = value * 10 ** minor_exponent(currency) * _SCALE
    return Rate(currency, int(minor), SATS_PER_BTC * _SCALE, name, at)


def _coingecko(answer: Mapping[str, Any], currency: str) -> tuple[Any, Any]:
    bitcoin = answer["bitcoin"]
    return bitcoin[currency.lower()], bitcoin.get("last_updated_at")


def _coindesk(answer: Mapping[str, Any], currency: str) -> tuple[Any, Any]:
    tick = answer["Data"][f"BTC-{currency}"]
    return tick["VALUE"], tick.get("VALUE_LAST_UPDATE_TS")


def _coinbase(answer: Mapping[str, Any], currency: str) -> tuple[Any, Any]:
    data = answer["data"]
    if data["currency"] != currency:
        raise ValueError(currency)
    return data["amount"], None


READERS: Final[dict[str, Read]] = {
    "coingecko": _coingecko,
    "coindesk": _coindesk,
    "coinbase": _coinbase,
}


def public_sources(
    named: Sequence[tuple[str, str]], outbound: Outbound, clock: Clock
) -> list[RateSource]:
    """Return the sources that the operator names, each with its URL."""
    return [PublicSource(name, url, READERS[name], outbound, clock) for name, url in named]
