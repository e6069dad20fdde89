"""How a wallet stands against what its store still owes, and what is left of its budgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.money import MSAT_PER_SAT, NANOUSD_PER_CENT, Rate, ceil_div

PAID_DAYS = 14  # full days of the store's zone, over which the average of a day is taken
BALANCE_OLD_AFTER = timedelta(minutes=5)  # the worker reads it every minute
# Flash names no fee before it pays; what it was seen to take is far below this.
FEE_PER_MILLE = 5
NEARLY_EMPTY_PARTS = 10  # less than one part in ten of a budget is left


@dataclass(frozen=True, slots=True)
class Owed:
    """Payouts that have not ended; `unquoted` of them have no amount in sats yet."""

    count: int = 0
    amount_msat: int = 0
    unquoted: int = 0

    def __add__(self, other: Owed) -> Owed:
        return Owed(
            self.count + other.count,
            self.amount_msat + other.amount_msat,
            self.unquoted + other.unquoted,
        )

    @property
    def with_fees_msat(self) -> int:
        """Return the amount and what is set aside for its fees."""
        return self.amount_msat + ceil_div(self.amount_msat * FEE_PER_MILLE, 1000)


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of one pull payment, in minor units of its currency."""

    pull_payment_id: str
    name: str
    currency: str
    budget: int
    paid: int
    reserved: int
    expires_at: datetime | None

    @property
    def remaining(self) -> int:
        """Return what can still be claimed."""
        return self.budget - self.paid - self.reserved

    @property
    def used_percent(self) -> int:
        """Return whole percent that left the budget, rounded down."""
        return 100 * (self.paid + self.reserved) // self.budget

    @property
    def is_nearly_empty(self) -> bool:
        """Tell whether less than a tenth is left."""
        return self.remaining * NEARLY_EMPTY_PARTS < self.budget


@dataclass(frozen=True, slots=True)
class WalletStanding:
    """A wallet's balance against what is owed; whatever a missing rate hides is nothing.

    `waiting` is still to be sent; `unsettled` was sent and may or may not have left the balance,
    so it stays set aside. `completed` counts what was made since yesterday and is paid: when it
    grows, something was paid just now. The newest rate may be too old for `rate`.
    """

    balance_nanousd: int | None
    balance_at: datetime | None
    waiting: Owed
    unsettled: Owed
    paid_sats: int
    completed: int
    rate: Rate | None
    newest_rate_at: datetime | None
    budgets: tuple[Budget, ...]
    nearly_empty: int
    as_of: datetime

    @property
    def owed(self) -> Owed:
        """Return all that has not ended."""
        return self.waiting + self.unsettled

    @property
    def committed_nanousd(self) -> int | None:
        """Return what is owed with its fees, rounded up; nothing without a rate."""
        return self._nanousd(self.owed.with_fees_msat)

    @property
    def free_nanousd(self) -> int | None:
        """Return what nobody has a claim on; below zero when the wallet is short."""
        committed = self.committed_nanousd
        if committed is None or self.balance_nanousd is None:
            return None
        return self.balance_nanousd - committed

    @property
    def short_nanousd(self) -> int:
        """Return by how much the wallet covers less than what waits; zero where unknown."""
        free = self.free_nanousd
        return max(0, -free) if free is not None and self.waiting.count else 0

    @property
    def cover_tenths(self) -> int | None:
        """Return for how many tenths of a day the free money lasts at the average of late.

        Nothing when nothing was paid, or when the free money is not known.
        """
        free, paid = self.free_nanousd, self._nanousd(self.paid_sats * MSAT_PER_SAT)
        if free is None or not paid:
            return None
        return max(0, free) * 10 * PAID_DAYS // paid

    @property
    def balance_is_old(self) -> bool:
        """Tell whether the balance was read too long ago to be today's."""
        return self.balance_at is not None and self.as_of - self.balance_at > BALANCE_OLD_AFTER

    def _nanousd(self, amount_msat: int) -> int | None:
        if amount_msat == 0:
            return 0
        if self.rate is None:
            return None
        per = MSAT_PER_SAT * self.rate.denominator
        return ceil_div(amount_msat * self.rate.numerator * NANOUSD_PER_CENT, per)
