"""A wallet's gate shuts on doubt, opens when the doubt is gone, and obeys no one else's reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.money import Rate
from models.states import PayoutState
from models.store import SYSTEM
from models.wallet import Gate, Wallet
from services.database import Database
from services.gate import DOUBT, GateKeeper
from services.rates import Rates
from services.storage import payout as payouts
from services.storage import wallet as wallets
from services.storage.attempt import read_open_work
from services.storage.statement import Transaction
from tests.support.builders import Ground, a_payout, plant
from tests.support.clock import NOON, HandClock
from tests.support.databases import Raw

DOLLAR = 1_000_000_000  # nano-dollars
# A sat is a tenth of a cent.
RATE = Rate("USD", 1, 10, "test", NOON)


@pytest.fixture
def ground(beneath: Raw) -> Ground:
    with beneath.transaction() as tx:
        return plant(tx)


@pytest.fixture
def keeper(database: Database, clock: HandClock) -> GateKeeper:
    rates = Rates(clock)
    rates.put(RATE)
    return GateKeeper(database, clock, rates)


def unknown(beneath: Raw, ground: Ground, count: int, sats: int = 1_000) -> None:
    """Add payouts that are unknown as of now."""
    with beneath.transaction() as tx:
        for _ in range(count):
            payout = a_payout(ground.store, sats=sats)
            payouts.create(tx, payout, SYSTEM)
            for target in (PayoutState.APPROVED, PayoutState.PROCESSING):
                payout = payouts.move(tx, payout, target, now=NOON, actor=SYSTEM)
            payouts.move(
                tx, payout, PayoutState.IN_FLIGHT, now=NOON, actor=SYSTEM, unknown_since=NOON
            )


def resolve_all(beneath: Raw, ground: Ground) -> None:
    with beneath.transaction() as tx:
        for payout in read_open_work(tx, ground.store.id, PayoutState.IN_FLIGHT, 100):
            payouts.move(tx, payout, PayoutState.FAILED, now=NOON, actor=SYSTEM)


def change(beneath: Raw, act: Any, ground: Ground, *args: Any, **kwargs: Any) -> None:
    with beneath.transaction() as tx:
        act(tx, ground.wallet, *args, **kwargs)


def holds(tx: Transaction, wallet: Wallet, nanousd: int) -> None:
    wallets.set_connected(
        *(tx, wallet, wallet.fence),
        flash_wallet_id="w",
        currency="USD",
        balance_nanousd=nanousd,
        now=NOON,
    )


async def gate(database: Database, ground: Ground) -> tuple[Gate, str | None]:
    found = await database.read(wallets.read_wallet, ground.store.id)
    assert found is not None
    return found.gate, found.gate_reason


@pytest.mark.parametrize(
    ("count", "minutes", "expected"),
    [(3, 3, Gate.SHUT), (2, 3, Gate.OPEN), (3, 1, Gate.OPEN), (9, 1, Gate.OPEN)],
)
async def test_three_unknowns_of_two_minutes_shut_it(
    database: Database,
    beneath: Raw,
    ground: Ground,
    keeper: GateKeeper,
    clock: HandClock,
    count: int,
    minutes: int,
    expected: Gate,
) -> None:
    unknown(beneath, ground, count)
    clock.advance(minutes=minutes)

    await keeper.judge(ground.store.id)

    assert (await gate(database, ground))[0] is expected


@pytest.mark.parametrize(
    ("sats", "balance", "expected"),
    [
        (100_000, 1_000 * DOLLAR, Gate.OPEN),
        (100_001, 1_000 * DOLLAR, Gate.SHUT),
        (1, 0, Gate.SHUT),
    ],
)
async def test_unknown_money_above_a_tenth_of_the_balance_shuts_it(
    database: Database,
    beneath: Raw,
    ground: Ground,
    keeper: GateKeeper,
    clock: HandClock,
    sats: int,
    balance: int,
    expected: Gate,
) -> None:
    change(beneath, holds, ground, balance)
    unknown(beneath, ground, 1, sats)
    clock.advance(seconds=1)

    await keeper.judge(ground.store.id)

    assert (await gate(database, ground))[0] is expected


async def test_it_opens_by_itself_when_all_is_known(
    database: Database, beneath: Raw, ground: Ground, keeper: GateKeeper, clock: HandClock
) -> None:
    unknown(beneath, ground, 3)
    clock.advance(minutes=3)
    await keeper.judge(ground.store.id)
    assert await gate(database, ground) == (Gate.SHUT, DOUBT)

    resolve_all(beneath, ground)
    await keeper.judge(ground.store.id)

    assert await gate(database, ground) == (Gate.OPEN, None)


async def test_one_that_was_shut_for_another_reason_stays_shut(
    database: Database, beneath: Raw, ground: Ground, keeper: GateKeeper
) -> None:
    change(beneath, wallets.set_gate, ground, Gate.SHUT, "paid_after_release", NOON)

    await keeper.judge(ground.store.id)

    assert await gate(database, ground) == (Gate.SHUT, "paid_after_release")


async def test_a_graver_reason_is_not_forgotten_when_the_doubt_is_gone(
    database: Database, beneath: Raw, ground: Ground, keeper: GateKeeper, clock: HandClock
) -> None:
    unknown(beneath, ground, 3)
    clock.advance(minutes=3)
    await keeper.judge(ground.store.id)

    change(beneath, wallets.set_gate, ground, Gate.SHUT, "paid_after_release", NOON)
    resolve_all(beneath, ground)
    await keeper.judge(ground.store.id)

    assert await gate(database, ground) == (Gate.SHUT, "paid_after_release")


async def test_a_doubt_that_comes_a_moment_after_a_graver_reason_does_not_hide_it(
    database: Database, beneath: Raw, ground: Ground
) -> None:
    change(beneath, wallets.set_gate, ground, Gate.SHUT, "paid_after_release", NOON)

    # The wallet as it was read before: still open.
    change(beneath, wallets.shut_open_gate, ground, DOUBT, NOON)

    assert await gate(database, ground) == (Gate.SHUT, "paid_after_release")


async def test_shutting_it_is_told_once(
    database: Database, beneath: Raw, ground: Ground, keeper: GateKeeper, clock: HandClock
) -> None:
    unknown(beneath, ground, 3)
    clock.advance(minutes=3)

    await keeper.judge(ground.store.id)
    await keeper.judge(ground.store.id)

    told = await database.read(wallets.read_alerts, 10)
    assert [alert.topic for alert in told] == ["gate_shut"]


async def test_without_a_price_only_the_count_decides(
    database: Database, beneath: Raw, ground: Ground, clock: HandClock
) -> None:
    change(beneath, holds, ground, 0)
    unknown(beneath, ground, 1)
    clock.advance(minutes=30)

    await GateKeeper(database, clock, Rates(clock)).judge(ground.store.id)
    await GateKeeper(database, clock, Rates(clock)).judge("st_nobody")

    assert (await gate(database, ground))[0] is Gate.OPEN


async def test_without_a_price_it_does_not_open_while_something_is_unknown(
    database: Database, beneath: Raw, ground: Ground, keeper: GateKeeper, clock: HandClock
) -> None:
    change(beneath, holds, ground, 0)
    unknown(beneath, ground, 1)
    clock.advance(seconds=1)
    await keeper.judge(ground.store.id)
    priceless = GateKeeper(database, clock, Rates(clock))

    await priceless.judge(ground.store.id)
    assert await gate(database, ground) == (Gate.SHUT, DOUBT)

    resolve_all(beneath, ground)
    await priceless.judge(ground.store.id)
    assert await gate(database, ground) == (Gate.OPEN, None)


LEASE = timedelta(seconds=15)


def test_only_the_holder_of_the_newest_fence_may_send(beneath: Raw, ground: Ground) -> None:
    with beneath.transaction() as tx:
        first = wallets.take_lease(tx, ground.wallet, "a", NOON, LEASE)
        refused = wallets.take_lease(tx, ground.wallet, "b", NOON + LEASE, LEASE)
        second = wallets.take_lease(tx, ground.wallet, "b", NOON + 2 * LEASE, LEASE)

        assert (first, refused, second) == (1, None, 2)
        assert not wallets.prolong_lease(tx, ground.wallet, 1, NOON, LEASE)
        assert not wallets.may_send(tx, ground.store.id, ground.wallet.id, 1)
        assert wallets.may_send(tx, ground.store.id, ground.wallet.id, 2)


def test_a_lease_that_was_given_back_is_free_at_once(beneath: Raw, ground: Ground) -> None:
    with beneath.transaction() as tx:
        fence = wallets.take_lease(tx, ground.wallet, "a", NOON, LEASE)
        assert fence == 1

        wallets.release_lease(tx, ground.wallet, fence)

        assert wallets.take_lease(tx, ground.wallet, "b", NOON, LEASE) == 2


@pytest.mark.parametrize("why", ["gate", "stop"])
def test_a_shut_gate_and_a_stop_forbid_sending(beneath: Raw, ground: Ground, why: str) -> None:
    with beneath.transaction() as tx:
        fence = wallets.take_lease(tx, ground.wallet, "a", NOON, LEASE)
        assert fence is not None
        if why == "gate":
            wallets.set_gate(tx, ground.wallet, Gate.SHUT, "test", NOON)
        else:
            wallets.set_stop(tx, ground.store.id, NOON)

        assert not wallets.may_send(tx, ground.store.id, ground.wallet.id, fence)
