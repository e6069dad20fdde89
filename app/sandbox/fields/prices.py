"""Prices: what one sat and one cent are worth in a currency, as base and offset."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLError

from app.sandbox.caller import Call
from app.sandbox.faults import Subject
from app.sandbox.fields.root import public
from app.sandbox.price import sat_price_base
from models.money import minor_exponent

if TYPE_CHECKING:
    from app.sandbox.world import World

SAT_OFFSET: Final = 12
_CENT_OFFSET: Final = 6
_MICRO: Final = 1_000_000

# Display currencies: symbol, name, flag, and how many millionths of it a dollar buys.
_CURRENCIES: Final[dict[str, tuple[str, str, str, int]]] = {
    "USD": ("$", "US Dollar", "🇺🇸", 1_000_000),
    "EUR": ("€", "Euro", "🇪🇺", 915_000),
    "GBP": ("£", "Pound Sterling", "🇬🇧", 790_000),
    "CAD": ("$", "Canadian Dollar", "🇨🇦", 1_370_000),
    "JMD": ("$", "Jamaican Dollar", "🇯🇲", 158_500_000),
    "TTD": ("$", "Trinidad and Tobago Dollar", "🇹🇹", 6_790_000),
    "BBD": ("$", "Barbadian Dollar", "🇧🇧", 2_000_000),
    "JPY": ("¥", "Japanese Yen", "🇯🇵", 151_200_000),
    "KWD": ("KD", "Kuwaiti Dinar", "🇰🇼", 307_000),
}


def realtime_price(world: World, currency: str, *, operation: str = "realtimePrice") -> Any:
    """Return a RealtimePrice of now.

    Raises:
        GraphQLError: There is no price in this currency.
    """
    if currency not in _CURRENCIES:
        raise GraphQLError("Price is not available")
    base, cent_base = _bases(world.nanousd_per_btc(), currency)
    age_s = 0
    if world.faults.wants("read"):
        fault = world.faults.draw("read", Subject(operation), "stale_price")
        age_s = 0 if fault is None else fault.params["age_s"]
    return {
        "__typename": "RealtimePrice",
        "id": currency,
        "timestamp": world.clock.now_s() - age_s,
        "denominatorCurrency": currency,
        "btcSatPrice": {"base": base, "offset": SAT_OFFSET, "currencyUnit": "MINOR"},
        "usdCentPrice": {"base": cent_base, "offset": _CENT_OFFSET, "currencyUnit": "MINOR"},
    }


def sat_price(world: World, sats: int = 1) -> dict[str, Any]:
    """Return the deprecated Price: so many sats in US cents."""
    base = sats * sat_price_base(world.nanousd_per_btc())
    return {
        "__typename": "Price",
        "base": base,
        "offset": SAT_OFFSET,
        "currencyUnit": "USDCENT",
        "formattedAmount": f"{Decimal(base).scaleb(-SAT_OFFSET).normalize():f}",
    }


def price_updates(world: World, currency: str) -> list[dict[str, Any]]:
    """Return what `myUpdates` says of prices; the older shape exists for dollars only."""
    realtime = realtime_price(world, currency, operation="myUpdates")
    return [sat_price(world), realtime] if currency == "USD" else [realtime]


def is_known(currency: str) -> bool:
    """Tell whether there is a price in a currency."""
    return currency in _CURRENCIES


def _bases(nanousd_per_btc: int, currency: str) -> tuple[int, int]:
    """Return minor units per sat times 10^12, and per US cent times 10^6."""
    micros = _CURRENCIES[currency][3]
    # A rate is major units per dollar; minor units per cent differ by the places beyond two.
    exponent = minor_exponent(currency)
    scaled = micros * 10**exponent
    return sat_price_base(nanousd_per_btc) * scaled // (_MICRO * 100), scaled // 100


def _realtime_price(call: Call, currency: str = "USD") -> Any:
    return realtime_price(call.world, currency)


def _btc_price(call: Call, currency: str = "USD") -> Any:
    return sat_price(call.world) if currency == "USD" else None


def _currency_list(_call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": code,
            "symbol": symbol,
            "name": name,
            "flag": flag,
            "fractionDigits": minor_exponent(code),
        }
        for code, (symbol, name, flag, _) in _CURRENCIES.items()
    ]


ROOTS: Final = {
    "realtimePrice": public(_realtime_price),
    "btcPrice": public(_btc_price),
    "currencyList": public(_currency_list),
}
