"""Audits that are kept: cut off and gone on with, found and raised, once a night in one place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.audit_run import Scope
from models.errors import UnavailableError
from models.instants import to_us
from models.invariant import Invariant
from models.states import PayoutState
from services import books as books_module
from services.audits import Audits
from services.night_watch import NightWatch, night
from services.storage import payout_slice
from tests.support.builders import a_payout, bring
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.shop import Shop, open_store

DAY = timedelta(days=1)


def planted(
    shop: Shop,
    beneath: Raw,
    count: int,
    age: timedelta = timedelta(0),
    state: PayoutState = PayoutState.AWAITING_APPROVAL,
) -> list[str]:
    """Make payouts in a state, and return their ids."""
    made = []
    for number in range(count):
        at = NOON - age - timedelta(seconds=number)
        with beneath.transaction() as tx:
            payout = a_payout(shop.store, created_at=at)
            made.append(bring(tx, payout, state).id)
    return made


async def test_a_finding_is_kept_raised_and_gone_with_the_next_clean_audit(
    shop: Shop, beneath: Raw
) -> None:
    (payout_id, *_) = planted(shop, beneath, 3)
    audits, figures = shop.container.engine.audits, shop.container.figures
    beneath.run(f"UPDATE payouts SET state = 'approved' WHERE id = '{payout_id}'")

    report = await audits.run(shop.store.id)

    assert (report.run.payouts, report.run.found) == (3, 1)
    (finding,) = report.findings
    assert (finding.invariant, finding.subject) == (Invariant.LAST_EVENT, payout_id)
    assert finding.detail == "It is approved, but its last event says awaiting_approval."
    assert (await figures.attention(shop.store.id)).contradictions == 1
    assert "audit_found" in await shop.alerts()

    beneath.run(f"UPDATE payouts SET state = 'awaiting_approval' WHERE id = '{payout_id}'")
    shop.clock.advance(minutes=1)
    recent = await audits.run(shop.store.id, Scope.RECENT)

    # What was found in everything stands until everything is clean.
    assert recent.run.is_clean
    assert (await figures.attention(shop.store.id)).contradictions == 1
    shop.clock.advance(minutes=1)
    assert (await audits.run(shop.store.id)).run.is_clean
    assert (await figures.attention(shop.store.id)).contradictions == 0
    (standing,) = await audits.standing(shop.store.id)
    assert standing.run.scope is Scope.ALL


async def test_what_is_recent_is_what_is_open_and_the_last_day(shop: Shop, beneath: Raw) -> None:
    planted(shop, beneath, 2)
    (open_and_old,) = planted(shop, beneath, 1, 40 * DAY)
    closed = planted(shop, beneath, 2, 40 * DAY, PayoutState.CANCELLED)
    beneath.run(f"UPDATE payouts SET submitted_at = created_at - {to_us(NOON) // 2}")

    recent = await shop.container.engine.audits.run(shop.store.id, Scope.RECENT)
    whole = await shop.container.engine.audits.run(shop.store.id, Scope.ALL)

    late = {each.subject for each in recent.findings if each.invariant is Invariant.TIMES}
    assert open_and_old in late
    assert not late & set(closed)
    late = {each.subject for each in whole.findings if each.invariant is Invariant.TIMES}
    assert set(closed) < late
    assert len(late) == 5


async def test_an_audit_that_was_cut_off_goes_on_where_it_was(
    shop: Shop, beneath: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(shop, beneath, 3)
    engine, books = shop.container.engine, shop.container.books
    looked: list[tuple[str, str]] = []
    look = books_module.Books.look

    async def cut_off(self: object, store_id: str, chapter: str, after: str) -> object:
        looked.append((chapter, after))
        if len(looked) == 4:
            raise UnavailableError("The database went away.")
        return await look(books, store_id, chapter, after)  # type: ignore[arg-type]

    monkeypatch.setattr(books_module.Books, "look", cut_off)
    with pytest.raises(UnavailableError):
        await engine.audits.run(shop.store.id)
    assert await engine.audits.standing(shop.store.id) == []
    again = Audits(shop.container.database, shop.clock, shop.container.ids, books)
    report = await again.run(shop.store.id)

    assert report.run.is_clean
    assert report.run.payouts == 3
    assert looked[4] == looked[3]
    assert beneath.value("SELECT count(*) FROM audit_runs") == 1


async def test_two_instances_at_one_audit_count_nothing_twice(shop: Shop, beneath: Raw) -> None:
    planted(shop, beneath, 2)
    engine = shop.container.engine
    going = await shop.container.database.write(engine.audits._begin, shop.store.id, Scope.ALL)
    found = await shop.container.books.look(shop.store.id, going.chapter, going.after)
    write = shop.container.database.write

    first = await write(engine.audits._advance, going, found)
    second = await write(engine.audits._advance, going, found)

    assert first is not None
    assert second is None
    assert (await engine.audits.run(shop.store.id)).run.payouts == 2


async def test_everything_is_audited_once_a_night_and_the_recent_at_each_start(
    shop: Shop, beneath: Raw
) -> None:
    store = await open_store(shop.container, name="Far away", time_zone="Asia/Tokyo")
    engine, clock = shop.container.engine, shop.clock

    def restarted() -> NightWatch:
        return NightWatch(
            shop.container.database, clock, engine.audits, engine.reconciliations, lambda _: None
        )

    async def runs(watch: NightWatch) -> list[tuple[str, int]]:
        await watch.audit_when_due(store)
        counted = "SELECT scope, count(*) FROM audit_runs GROUP BY scope ORDER BY scope"
        return beneath.rows(counted)

    watch = restarted()
    assert await runs(watch) == []
    clock.advance(minutes=2)
    assert await runs(watch) == [("recent", 1)]
    clock.advance(minutes=10)
    assert await runs(watch) == [("all", 1), ("recent", 1)]
    watch = restarted()
    clock.advance(minutes=15)
    assert await runs(watch) == [("all", 1), ("recent", 2)]
    # 12:27 UTC is half past nine in the evening; the next night begins at three.
    clock.advance(hours=5)
    assert await runs(watch) == [("all", 1), ("recent", 2)]
    clock.advance(hours=1)
    assert await runs(watch) == [("all", 2), ("recent", 2)]
    assert night(clock.utc_now(), store) > night(NOON, store)


async def test_a_long_walk_is_made_of_short_slices(shop: Shop, beneath: Raw) -> None:
    count = payout_slice.SLICE + 3
    with beneath.transaction() as tx:
        for number in range(count):
            at = NOON - timedelta(seconds=number)
            bring(tx, a_payout(shop.store, created_at=at), PayoutState.AWAITING_APPROVAL)
    shop.clock.advance(days=1, hours=1)

    whole = await shop.container.engine.audits.run(shop.store.id)
    opened = await shop.container.engine.audits.run(shop.store.id, Scope.RECENT)

    assert (whole.run.payouts, whole.run.found) == (count, 0)
    assert (opened.run.payouts, opened.run.found) == (count, 0)
