"""Reckons how a store's wallet stands: balance, what is owed, for how long it lasts."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from models.errors import NotFoundError
from models.instants import Clock
from models.rollup import DAY, Grain, bucket_of
from models.standing import PAID_DAYS, Owed, WalletStanding
from models.states import PayoutState
from models.store import Store
from services.database import Database
from services.figures import bucket_starts
from services.rates import Rates
from services.storage import standing as rows
from services.storage import wallet as wallets
from services.storage.statement import Transaction

WALLET_CURRENCY = "USD"
BUDGETS = 5
_UNSETTLED = (PayoutState.IN_FLIGHT, PayoutState.NEEDS_REVIEW)


class Standings:
    """Answers how wallets stand."""

    def __init__(self, database: Database, clock: Clock, rates: Rates) -> None:
        self._database = database
        self._clock = clock
        self._rates = rates

    async def read(self, store: Store) -> WalletStanding:
        """Return how the wallet of a store stands now.

        Raises:
            NotFoundError: There is no such store.
        """
        return await self._database.read(self._read, store)

    def _read(self, tx: Transaction, store: Store) -> WalletStanding:
        now = self._clock.utc_now()
        wallet = wallets.read_wallet(tx, store.id)
        if wallet is None:
            raise NotFoundError("There is no wallet.")
        owed = rows.read_owed(tx, store.id)
        days = bucket_starts(now, ZoneInfo(store.time_zone), PAID_DAYS + 1, "day")
        newest = self._rates.newest(WALLET_CURRENCY)
        return WalletStanding(
            balance_nanousd=wallet.balance_nanousd,
            balance_at=wallet.balance_at,
            waiting=_sum(found for state, found in owed.items() if state not in _UNSETTLED),
            unsettled=_sum(owed.get(state, Owed()) for state in _UNSETTLED),
            paid_sats=rows.paid_sats(tx, store.id, days[0], days[PAID_DAYS]),
            completed=rows.count_completed(tx, store.id, bucket_of(Grain.DAY, now - DAY)),
            rate=self._rates.usable(WALLET_CURRENCY, now),
            newest_rate_at=None if newest is None else newest.at,
            budgets=tuple(rows.read_budgets(tx, store.id, now, BUDGETS)),
            nearly_empty=rows.count_nearly_empty(tx, store.id, now),
            as_of=now,
        )


def _sum(parts: Iterable[Owed]) -> Owed:
    return sum(parts, Owed())
