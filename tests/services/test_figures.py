"""Figures agree with the payouts they stand for, whatever is asked; trends follow the zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.payout_filter import PayoutFilter
from models.payout_order import PayoutOrder, mark_of
from models.rollup import Figure, Ranking
from models.states import PayoutState, PayoutStatus
from models.store import SYSTEM
from services.figures import bucket_starts
from services.storage import card as cards
from services.storage import payout as payouts
from services.storage import pull_payment as pull_payments
from services.storage.payout_page import page
from tests.support.builders import a_card, a_payout, a_pull_payment
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store
from tests.support.town import Town, populate

MINUTES = st.integers(-60 * 49, 60 * 49)
BOUNDS = st.none() | st.one_of(
    MINUTES.map(lambda n: NOON + timedelta(minutes=15 * n // 15)),
    st.integers(-3, 3).map(lambda n: NOON.replace(hour=0) + timedelta(days=n)),
    MINUTES.map(lambda n: NOON + timedelta(minutes=n, microseconds=1)),
)
QUARTER = timedelta(minutes=15)
SATS = st.none() | st.sampled_from([0, 1, 21, 22, 999, 1_000, 5_000, 5_001])
ON_ONE_DATABASE = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def some(words: type[PayoutStatus | PayoutState]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(list(words)), max_size=3, unique=True).map(tuple)


def filters(town: Town) -> st.SearchStrategy[PayoutFilter]:
    first = town.payouts[0]
    assert first.payment_hash is not None
    return st.builds(
        PayoutFilter,
        statuses=some(PayoutStatus),
        states=st.just(()) | some(PayoutState),
        card=st.sampled_from([None, None, "alice", " ALICE ", town.cards[1].id, "nobody"]),
        pull_payment_id=st.sampled_from([None, None, town.pull_payments[0].id, "pp_nobody"]),
        min_sats=st.just(None) | SATS,
        max_sats=st.just(None) | SATS,
        q=st.sampled_from(
            [
                None,
                None,
                "LUNCH",
                "caf",
                "471",
                first.id,
                first.payment_hash[:9],
                "bob",
                "ali",
                "%_",
            ]
        ),
        starts_at=BOUNDS,
        ends_at=BOUNDS,
    )


def named(town: Town, card: str | None) -> str | None:
    """Return the id of the card that a text names."""
    if card is None:
        return None
    ids = {card.alias.casefold(): card.id for card in town.cards}
    return ids.get(card.strip().casefold(), card)


@pytest.fixture
def town(shop: Shop, beneath: Raw) -> Town:
    return populate(beneath, shop.store)


@ON_ONE_DATABASE
@given(data=st.data())
async def test_the_sums_are_those_of_the_payouts_for_every_filter(
    shop: Shop, town: Town, data: st.DataObject
) -> None:
    wanted = data.draw(filters(town))

    stats = await shop.container.figures.stats(shop.store.id, wanted)

    assert stats.by_status == town.figures(wanted)
    assert stats.total == sum(town.figures(wanted).values(), Figure())


@ON_ONE_DATABASE
@given(data=st.data(), size=st.integers(1, 9))
async def test_pages_show_every_payout_that_fits_exactly_once_in_order(
    shop: Shop, town: Town, data: st.DataObject, size: int
) -> None:
    wanted = data.draw(filters(town))
    seen: list[str] = []
    newest, before = PayoutOrder.CREATED, None
    for _ in range(100):
        found = await shop.container.database.read(
            page, shop.store.id, wanted, named(town, wanted.card), size, newest, before
        )
        seen += [payout.id for payout in found.payouts]
        if len(found.payouts) < size:
            break
        before = mark_of(found.payouts[-1], newest)

    assert seen == [payout.id for payout in town.chosen(wanted)]


@ON_ONE_DATABASE
@given(
    days=st.integers(1, 5),
    bucket=st.sampled_from(["hour", "day", "week"]),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
)
async def test_a_trend_adds_up_to_the_sums_of_its_stretch(
    shop: Shop, town: Town, days: int, bucket: str, zone: str
) -> None:
    store = replace(shop.store, time_zone=zone)
    buckets = await shop.container.figures.timeline(store, days, bucket)
    starts = [found.start for found in buckets]
    length = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    for found in buckets:
        stretch = PayoutFilter(starts_at=found.start, ends_at=found.start + length[bucket])
        assert found.by_status == town.figures(stretch)
    assert starts == sorted(set(starts))
    assert starts[0].astimezone(ZoneInfo(zone)).hour == 0
    assert starts[0] <= NOON - timedelta(days=days - 1)


@pytest.mark.parametrize("by", Ranking)
async def test_cards_are_ranked_by_what_they_collected(shop: Shop, town: Town, by: Ranking) -> None:
    since = NOON.replace(hour=0) - timedelta(days=1)
    expected = []
    for card in town.cards:
        wanted = PayoutFilter(statuses=(PayoutStatus.COMPLETED,), card=card.id, starts_at=since)
        figure = town.figures(wanted)[PayoutStatus.COMPLETED]
        expected.append((card.id, figure.count, figure.amount_sats, figure.value_cents))
    place = {Ranking.COUNT: 1, Ranking.AMOUNT: 2, Ranking.VALUE: 3}[by]
    expected.sort(key=lambda row: (-row[place], row[0]))
    shop.clock.set(NOON + timedelta(days=3))

    ranked = await shop.container.figures.top_cards(shop.store, 5, 10, by)

    assert [(card.card_id, card.count, card.amount_sats, card.value_cents) for card in ranked] == [
        row for row in expected if row[1]
    ]


@pytest.mark.parametrize(("late", "active"), [(timedelta(), 1), (timedelta(seconds=1), 0)])
async def test_a_card_is_active_for_thirty_days_after_a_verified_payout(
    shop: Shop, beneath: Raw, late: timedelta, active: int
) -> None:
    pull = a_pull_payment(shop.store)
    tapped, hinted = a_card(shop.store, pull), a_card(shop.store, pull)
    with beneath.transaction() as tx:
        pull_payments.add_pull_payment(tx, pull)
        for card in (tapped, hinted):
            cards.add_card(tx, card)
            is_tapped = card is tapped
            payout = a_payout(shop.store, card_id=card.id, card_verified=is_tapped)
            payouts.create(tx, payout, SYSTEM)
    shop.clock.set(NOON + timedelta(days=30) + late)

    stats = await shop.container.figures.stats(shop.store.id, PayoutFilter())

    assert stats.active_boltcards == active


async def test_another_stores_payouts_are_not_counted(shop: Shop, town: Town, beneath: Raw) -> None:
    other = await open_store(shop.container, name="Next door")
    populate(beneath, other, count=12, seed=2)

    stats = await shop.container.figures.stats(shop.store.id, PayoutFilter())

    assert stats.total.count == len(town.payouts)
    theirs = await shop.container.database.read(
        page, other.id, PayoutFilter(), None, 100, PayoutOrder.CREATED, None
    )
    assert {payout.store_id for payout in theirs.payouts} == {other.id}


@pytest.mark.parametrize(
    ("now", "zone", "days", "bucket", "count", "first", "last"),
    [
        ("2026-11-20T12:00Z", "UTC", 1, "day", 1, "2026-11-20T00:00Z", "2026-11-21T00:00Z"),
        ("2026-11-20T23:30Z", "Europe/Berlin", 1, "day", 1, "2026-11-20T23:00Z", None),
        ("2026-11-20T12:00Z", "UTC", 1, "hour", 24, "2026-11-20T00:00Z", "2026-11-21T00:00Z"),
        ("2026-03-29T12:00Z", "Europe/Berlin", 1, "hour", 23, "2026-03-28T23:00Z", None),
        ("2026-10-25T12:00Z", "Europe/Berlin", 1, "hour", 25, "2026-10-24T22:00Z", None),
        ("2026-11-20T12:00Z", "UTC", 1, "week", 1, "2026-11-16T00:00Z", "2026-11-23T00:00Z"),
        ("2026-11-20T12:00Z", "UTC", 30, "day", 30, "2026-10-22T00:00Z", "2026-11-21T00:00Z"),
    ],
)
def test_buckets_begin_where_the_zones_days_do(
    now: str, zone: str, days: int, bucket: str, count: int, first: str, last: str | None
) -> None:
    starts = bucket_starts(datetime.fromisoformat(now), ZoneInfo(zone), days, bucket)

    assert len(starts) - 1 == count
    assert starts[0] == datetime.fromisoformat(first)
    assert last is None or starts[-1] == datetime.fromisoformat(last)


ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]


@given(
    st.integers(0, 366 * 24 * 4).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * QUARTER),
    st.sampled_from(ZONES),
    st.integers(1, 400),
    st.sampled_from(["hour", "day", "week"]),
)
# On Lord Howe the clocks go by half an hour: this day has twenty-four hours and a half.
@example(datetime.fromisoformat("2026-04-05T13:15Z"), "Australia/Lord_Howe", 1, "hour")
def test_every_moment_up_to_now_falls_into_a_bucket(
    now: datetime, zone: str, days: int, bucket: str
) -> None:
    starts = bucket_starts(now, ZoneInfo(zone), days, bucket)

    assert starts == sorted(set(starts))
    assert starts[0] <= now < starts[-1]
    assert all(start.minute % 15 == 0 and start.second == 0 for start in starts)
    local = starts[0].astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute) in {(0, 0), (1, 0)}
