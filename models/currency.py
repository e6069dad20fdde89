"""The currencies that a store may count in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.money import minor_exponent


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency as Flash describes it; `digits` are the places of its minor unit."""

    code: str
    name: str
    symbol: str
    digits: int


@dataclass(frozen=True, slots=True)
class CurrencyList:
    """What a store may choose from; without `asked_at` it is our own list, by ISO 4217."""

    items: tuple[Currency, ...]
    asked_at: datetime | None

    def has(self, code: str) -> bool:
        """Tell whether a currency may be chosen."""
        return any(each.code == code for each in self.items)


# ISO 4217, the circulating currencies: what may be chosen while Flash cannot be asked.
_ISO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW "
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
OFFLINE = CurrencyList(
    tuple(Currency(code, code, "", minor_exponent(code)) for code in _ISO.split()), None
)
