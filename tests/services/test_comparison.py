"""What is said of a period, and of the one before it, is what its payouts say."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.books import Finding
from models.invariant import Invariant
from models.payout import Payout
from models.payout_filter import PayoutFilter
from models.period import Fees, Period, TimeToPaid, median_of, range_before
from models.states import PayoutState, PayoutStatus
from models.store import SYSTEM
from services import figures as figures_module
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from tests.support.builders import a_card, a_payout, a_pull_payment, bring
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store
from tests.support.town import Town, populate

COMPLETED = PayoutStatus.COMPLETED
ANY_TIME = st.integers(-60 * 49, 60 * 49).map(lambda n: NOON + timedelta(minutes=n))
BOUNDS = st.none() | st.one_of(
    ANY_TIME,
    ANY_TIME.map(lambda at: at.replace(hour=0, minute=0)),
    ANY_TIME.map(lambda at: at + timedelta(microseconds=1)),
)
BY_HAND = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def town(shop: Shop, beneath: Raw) -> Town:
    """A town whose completed payouts took their time, and of whose fees some are known."""
    town, chance = populate(beneath, shop.store), random.Random(5)
    told: list[Payout] = []
    for number, payout in enumerate(town.payouts):
        changes: dict[str, Any] = {"fee_msat": chance.choice([None, 0, 1, 1_999])}
        if payout.completed_at is not None:
            took = timedelta(microseconds=chance.randrange(1, 10**8))
            changes["completed_at"] = payout.created_at + took
        with beneath.transaction(number % 3) as tx:
            told.append(payouts.amend(tx, payout, **changes))
    return replace(town, payouts=told)


def expected(town: Town, wanted: PayoutFilter) -> Period:
    """Return the figures of a filter as Python sees them."""
    completed = [payout for payout in town.chosen(wanted) if payout.status is COMPLETED]
    known = [payout.fee_msat for payout in completed if payout.fee_msat is not None]
    lengths = [
        payout.completed_at - payout.created_at
        for payout in completed
        if payout.completed_at is not None
    ]
    return Period(
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        by_status=town.figures(wanted),
        fees=Fees(sum(known), len(known), len(completed) - len(known)),
        time_to_paid=TimeToPaid(median_of(lengths), len(lengths), is_sample=False),
    )


@BY_HAND
@given(data=st.data())
async def test_both_periods_are_the_sums_of_their_payouts(
    shop: Shop, town: Town, data: st.DataObject
) -> None:
    wanted = data.draw(
        st.builds(
            PayoutFilter,
            statuses=st.sampled_from([(), (), (COMPLETED,), (PayoutStatus.FAILED, COMPLETED)]),
            card=st.sampled_from([None, None, "alice", "nobody"]),
            min_sats=st.sampled_from([None, None, 21]),
            starts_at=BOUNDS,
            ends_at=BOUNDS,
        )
    )
    before = range_before(wanted, ZoneInfo(shop.store.time_zone), NOON)

    found = await shop.container.figures.compare(shop.store, wanted)

    assert found.period == expected(town, wanted)
    assert found.before == (None if before is None else expected(town, wanted.between(*before)))
    stats = await shop.container.figures.stats(shop.store.id, wanted)
    assert found.period.by_status == stats.by_status


async def test_days_before_are_those_of_the_stores_zone(shop: Shop, beneath: Raw) -> None:
    store = await open_store(shop.container, name="Far away", time_zone="Europe/Berlin")
    midnight = NOON.replace(hour=23) - timedelta(days=1)
    for minutes in (-1, 0):
        payout = a_payout(store, created_at=midnight + timedelta(minutes=minutes))
        with beneath.transaction() as tx:
            bring(tx, payout, PayoutState.APPROVED)

    found = await shop.container.figures.compare(store, PayoutFilter(starts_at=midnight))

    assert found.before is not None
    assert (found.period.total.count, found.before.total.count) == (1, 0)
    assert found.before.ends_at == NOON - timedelta(days=1)


async def test_boltcards_before_are_those_of_the_thirty_days_before_the_last(
    shop: Shop, beneath: Raw
) -> None:
    pull = a_pull_payment(shop.store)
    with beneath.transaction() as tx:
        pull_payments.add_pull_payment(tx, pull)
        for days, is_verified in ((29, True), (30, False), (31, True), (60, True), (61, True)):
            card = a_card(shop.store, pull)
            cards.add_card(tx, card)
            at = NOON - timedelta(days=days)
            payout = a_payout(shop.store, card_id=card.id, card_verified=is_verified, created_at=at)
            payouts.create(tx, payout, SYSTEM)

    found = await shop.container.figures.compare(shop.store, PayoutFilter(card="nobody"))

    assert found.boltcards_before == 2
    stats = await shop.container.figures.stats(shop.store.id, PayoutFilter())
    assert stats.active_boltcards == 1


async def test_the_median_of_many_is_that_of_the_newest(
    shop: Shop, beneath: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_module, "MEDIAN_OF", 3)
    for number, seconds in enumerate([100, 100, 100, 4, 2, 3]):
        payout = a_payout(shop.store, created_at=NOON + timedelta(minutes=number - 10))
        took = payout.created_at + timedelta(seconds=seconds)
        with beneath.transaction() as tx:
            done = bring(tx, payout, PayoutState.COMPLETED)
            payouts.amend(tx, done, completed_at=took)

    found = await shop.container.figures.compare(shop.store, PayoutFilter())

    assert found.period.time_to_paid == TimeToPaid(timedelta(seconds=3), 3, is_sample=True)


async def test_the_audit_finds_a_fee_that_was_not_counted(shop: Shop, beneath: Raw) -> None:
    with beneath.transaction() as tx:
        done = bring(tx, a_payout(shop.store), PayoutState.COMPLETED)
        payouts.amend(tx, done, fee_msat=700)

    async def found() -> list[Finding]:
        audited = await shop.container.books.audit(shop.store.id)
        return [one for one in audited if one.invariant is Invariant.FEE_ROLLUPS]

    assert await found() == []

    beneath.run("UPDATE payouts SET fee_msat = 900")

    findings = await found()
    assert {finding.subject for finding in findings} == {"2026-11-20"}
    assert len(findings) == 2
