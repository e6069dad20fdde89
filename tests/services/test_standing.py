"""How a wallet stands is read from the books, on both databases, as counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.errors import NotFoundError
from models.pull_payment import PullPaymentState
from models.standing import Owed
from models.states import PayoutState
from services.database import Database
from services.rates import USABLE, Rates
from services.standing import Standings
from services.storage import pull_payment as pull_payments
from services.storage import store as stores
from services.storage import wallet as wallets
from services.storage.standing import paid_sats
from tests.models.test_standing import RATE
from tests.support.builders import a_payout, a_pull_payment, a_store, a_wallet, bring
from tests.support.clock import NOON, HandClock
from tests.support.databases import Raw

DOLLAR = 1_000_000_000
STORE = a_store(time_zone="Asia/Kathmandu")  # a quarter hour off: 17:45 there at noon
WAITING = (
    PayoutState.PENDING,
    PayoutState.AWAITING_APPROVAL,
    PayoutState.APPROVED,
    PayoutState.PROCESSING,
)


@pytest.fixture
def rates(clock: HandClock) -> Rates:
    rates = Rates(clock)
    rates.put(RATE)
    return rates


@pytest.fixture
def standings(database: Database, beneath: Raw, clock: HandClock, rates: Rates) -> Standings:
    with beneath.transaction() as tx:
        for store in (STORE, a_store()):
            stores.add_store(tx, store, b"sealed")
            wallet = a_wallet(store, balance_nanousd=100 * DOLLAR, balance_at=NOON)
            wallets.add_wallet(tx, wallet)
    return Standings(database, clock, rates)


async def test_every_state_is_counted_where_it_belongs(standings: Standings, beneath: Raw) -> None:
    with beneath.transaction() as tx:
        for number, state in enumerate(PayoutState):
            bring(tx, a_payout(STORE, sats=10**number), state)
        bring(tx, a_payout(STORE, sats=7, amount_msat=6_001), PayoutState.APPROVED)

    standing = await standings.read(STORE)

    # By the order of the states: pending 1, awaiting 10, approved 100, processing 1,000 sats.
    assert standing.waiting == Owed(5, 1_111_000 + 6_001)
    assert standing.unsettled == Owed(2, 110_000_000)
    assert (standing.balance_nanousd, standing.balance_at) == (100 * DOLLAR, NOON)
    assert standing.rate == RATE
    assert standing.paid_sats == 0  # all of them were made today
    assert standing.completed == 2  # one of them was reversed


async def test_an_amount_nobody_knows_yet_is_counted_apart(
    standings: Standings, beneath: Raw
) -> None:
    with beneath.transaction() as tx:
        unquoted = replace(a_payout(STORE), amount_msat=None, amount_sats=None, currency="USD")
        bring(tx, unquoted, PayoutState.AWAITING_APPROVAL)

    assert (await standings.read(STORE)).waiting == Owed(1, 0, unquoted=1)


async def test_fourteen_full_days_of_the_stores_zone_are_averaged(
    standings: Standings, beneath: Raw
) -> None:
    # There it is 20 November: the days are 6 to 19 November, from 18:15 UTC of the day before.
    first = datetime(2026, 11, 5, 18, 15, tzinfo=UTC)
    end = datetime(2026, 11, 19, 18, 15, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    moments = {
        first - tick: 1,
        first: 10,
        first + timedelta(days=7): 100,
        end - tick: 1_000,
        end: 10_000,
    }
    with beneath.transaction() as tx:
        for at, sats in moments.items():
            bring(tx, a_payout(STORE, sats=sats, created_at=at), PayoutState.COMPLETED)
        bring(tx, a_payout(STORE, sats=5_000_000, created_at=first), PayoutState.FAILED)
        assert paid_sats(tx, STORE.id, first - timedelta(days=1), end) == 1_111

    standing = await standings.read(STORE)

    assert standing.paid_sats == 1_110
    assert standing.completed == 2  # made since midnight of the 19th, UTC
    # 100 dollars are 100,000 sats; 1,110 sats in 14 days: 1,261.26 days.
    assert standing.cover_tenths == 12_612


async def test_an_old_price_is_shown_and_not_used(
    standings: Standings, clock: HandClock, beneath: Raw
) -> None:
    with beneath.transaction() as tx:
        bring(tx, a_payout(STORE), PayoutState.APPROVED)
    clock.set(NOON + USABLE + timedelta(seconds=1))

    standing = await standings.read(STORE)

    assert (standing.rate, standing.newest_rate_at) == (None, NOON)
    assert (standing.free_nanousd, standing.balance_is_old) == (None, True)
    with pytest.raises(NotFoundError):
        await standings.read(a_store())


async def test_budgets_nearest_to_empty_come_first(standings: Standings, beneath: Raw) -> None:
    hour = timedelta(hours=1)
    planned: dict[str, dict[str, Any]] = {
        "half": {"paid": 500},
        "eleven": {"paid": 800, "reserved": 90},
        "five": {"paid": 900, "reserved": 50, "expires_at": NOON + hour},
        "used up": {"paid": 1_000},
        "over": {"paid": 990, "expires_at": NOON},
        "not yet": {"paid": 990, "starts_at": NOON + hour},
        "archived": {"paid": 990, "state": PullPaymentState.ARCHIVED},
        "whole": {},
    }
    with beneath.transaction() as tx:
        for name, fields in planned.items():
            budget = a_pull_payment(STORE, name=name, budget=1_000, **fields)
            pull_payments.add_pull_payment(tx, budget)
        for number in range(4):
            much = {"budget": 10**15, "paid": 4 * 10**14, "created_at": NOON + number * hour}
            pull_payments.add_pull_payment(tx, a_pull_payment(STORE, name=f"more {number}", **much))

    standing = await standings.read(STORE)

    names = [budget.name for budget in standing.budgets]
    assert names == ["five", "eleven", "half", "more 0", "more 1"]
    assert standing.nearly_empty == 1
    assert standing.budgets[0].expires_at == NOON + hour
