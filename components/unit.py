"""What money is shown in: sats, or the worth in the store's currency when payouts were created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from models.money import SATS_CURRENCY, minor_exponent

UnitKey = Literal["sats", "fiat"]
# Where a sign alone is understood; other currencies are named behind the number.
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "NGN": "₦", "PHP": "₱"}


class Sum(Protocol):
    """What has an amount in both units."""

    @property
    def amount_sats(self) -> int:
        """Return sats."""
        ...

    @property
    def value_cents(self) -> int:
        """Return the worth in the currency's minor unit."""
        ...


@dataclass(frozen=True, slots=True)
class Unit:
    """Picks an amount out of a sum and writes it."""

    key: UnitKey
    currency: str

    @property
    def places(self) -> int:
        """Return how many decimal places its whole numbers hide."""
        return minor_exponent(self.currency)

    @property
    def name(self) -> str:
        """Return what the unit is called."""
        return "sats" if self.key == "sats" else self.currency

    @property
    def one(self) -> str:
        """Return what a single one is called."""
        return "sat" if self.key == "sats" else self.currency

    def of(self, found: Sum) -> int:
        """Return the amount of a sum in this unit's whole numbers."""
        return found.amount_sats if self.key == "sats" else found.value_cents

    def write(self, amount: int) -> str:
        """Write an amount with its unit: `1,234 sats`, `$12.34`, `12.34 CHF`."""
        if self.key == "sats":
            return f"{amount:,} {self.one if amount == 1 else self.name}"
        sign = _SIGNS.get(self.currency)
        number = self.number(amount)
        return f"{number} {self.currency}" if sign is None else f"{sign}{number}"

    def number(self, amount: int) -> str:
        """Write an amount without its unit."""
        whole, rest = divmod(amount, 10**self.places)
        return f"{whole:,}.{rest:0{self.places}d}" if self.places else f"{whole:,}"


SATS: Final = Unit("sats", SATS_CURRENCY)


def unit_of(key: str | None, currency: str) -> Unit:
    """Return the unit that an address names; sats where it names none that is known."""
    return Unit("fiat", currency) if key == "fiat" else SATS
