"""How an export runs: one moment of the database, a few at once, nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.errors import ExportCancelled, NotFoundError, RateLimited, UnavailableError
from models.export import ExportFormat, ExportOrder, ExportStage, Progress
from models.payout_filter import PayoutFilter
from models.states import PayoutStatus
from services.exports import AT_ONCE, file_name
from services.storage import export as export_storage
from services.storage.snapshot import snapshot
from tests.support.builders import a_payout, a_store
from tests.support.clock import NOON
from tests.support.databases import Raw
from tests.support.exported import json_object
from tests.support.exporting import EVERYTHING, exported, order, slots_are_free, taken
from tests.support.past import Past, plant_past
from tests.support.shop import ALICE, Shop

CSV, JSON, XLSX = ExportFormat


@pytest.fixture
async def past(shop: Shop) -> AsyncIterator[Past]:
    planted = await plant_past(shop)
    yield planted
    await slots_are_free(shop.container.exports)


async def test_what_happens_while_rows_are_read_is_not_in_the_file(past: Past) -> None:
    await past.grow(30)
    names = ("id", "state", "created_at")
    store = past.shop.store
    container = past.shop.container
    statement = export_storage.rows_statement(names, EVERYTHING, None)
    params = export_storage.rows_params(store.id, EVERYTHING, None)
    waiting = a_payout(store, created_at=NOON - timedelta(days=90))
    await past.add(waiting)
    before = {(payout.id, str(payout.state)) for payout in past.payouts}

    with snapshot(container.database.url) as view:
        pages = view.pages(statement, params, 4)
        read = next(pages)
        await past.add(a_payout(store, created_at=NOON - timedelta(days=60)))
        await container.payouts.cancel(store.id, waiting.id, ALICE)
        for page in pages:
            assert len(page) <= 4
            read += page

    assert len(read) == 31
    assert {(row[0], row[1]) for row in read} == before


async def test_a_busy_store_exports_each_payout_once(past: Past) -> None:
    await past.grow(300)
    old = {payout.id for payout in past.payouts}

    async def keep_adding() -> None:
        for _ in range(40):
            await past.add(a_payout(past.shop.store, created_at=NOON))

    file, _ = await asyncio.gather(exported(past, JSON), keep_adding())

    items = json_object(file)["items"]
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids)) == json_object(file)["totals"]["total"]["count"]
    assert old <= set(ids)


async def test_an_export_is_audited_before_its_first_byte(past: Past, beneath: Raw) -> None:
    await past.grow(7)
    card = past.uids[0]
    wanted = PayoutFilter(card=card, statuses=(PayoutStatus.FAILED,), min_sats=1)
    async with past.shop.container.exports.start(order(past, CSV, wanted)) as export:
        await export.prepare()

    (audited,) = beneath.rows("SELECT actor_id, after FROM audit WHERE action = 'payouts.exported'")
    assert audited[0] == ALICE.id
    after = json.loads(audited[1])
    filtered = {"card": past.cards[0].id, "min_sats": 1, "status": ["failed"]}
    assert after["filter"] == filtered
    assert (after["rows"], after["format"]) == (export.total.count, "csv")
    assert card not in audited[1]


async def test_progress_reaches_a_hundred_percent_and_never_goes_back(past: Past) -> None:
    await past.grow(450)
    seen: list[Progress] = []
    exports = past.shop.container.exports
    async with exports.start(order(past, XLSX), seen.append) as export:
        await taken(export)

    percents = [progress.percent for progress in seen]
    assert percents == sorted(percents)
    assert [seen[0].stage, seen[-1].stage] == [ExportStage.READING, ExportStage.DONE]
    assert (seen[0].rows_expected, seen[-1].rows_written) == (450, 450)


async def test_two_exports_run_at_once_and_no_more(past: Past) -> None:
    exports = past.shop.container.exports
    running = [exports.start(order(past, CSV)) for _ in range(AT_ONCE)]
    with pytest.raises(RateLimited) as refused:
        exports.start(order(past, CSV))

    assert refused.value.retry_after_s > 0
    for export in running:
        export.close()
    await slots_are_free(exports)
    assert await exported(past, CSV)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("form", ExportFormat)
async def test_an_export_that_is_left_leaves_nothing(
    past: Past, form: ExportFormat, tmp_path: Path
) -> None:
    await past.grow(450)
    seen: list[Progress] = []
    exports = past.shop.container.exports
    before = files_in(tmp_path)
    async with exports.start(order(past, form), seen.append) as export:
        await export.prepare()
        assert await anext(export.chunks())

    await slots_are_free(exports)
    assert files_in(tmp_path) == before
    assert seen[-1].stage is ExportStage.FAILED


async def test_whoever_waits_may_give_up_in_the_middle(past: Past) -> None:
    await past.grow(400)
    exports = past.shop.container.exports
    waiting = asyncio.create_task(exports.offer(order(past, XLSX)))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await slots_are_free(exports)


async def test_a_file_that_is_cancelled_never_passes_for_whole(past: Past) -> None:
    await past.grow(2_000, seed=2)
    exports, seen = past.shop.container.exports, list[Progress]()
    export = exports.start(order(past, CSV), seen.append)
    redeemed = exports.redeem(await exports.ticket_for(export), past.shop.store.id, ALICE.id)
    chunks = redeemed.chunks()
    assert await anext(chunks)

    export.cancel()

    with pytest.raises(ExportCancelled):
        async for _ in chunks:
            pass
    export.close()
    assert seen[-1].stage is ExportStage.FAILED


async def test_what_is_cancelled_before_anybody_takes_it_is_gone(past: Past) -> None:
    exports = past.shop.container.exports
    export = exports.start(order(past, CSV))
    ticket = await exports.ticket_for(export)

    export.cancel()

    with pytest.raises(NotFoundError):
        exports.redeem(ticket, past.shop.store.id, ALICE.id)
    await slots_are_free(exports)


async def test_a_ticket_is_good_once_and_for_its_owner(past: Past) -> None:
    exports, store = past.shop.container.exports, past.shop.store
    ticket = await exports.offer(order(past, CSV))

    for thief in ((store.id, "us_bob"), ("st_other", ALICE.id)):
        with pytest.raises(NotFoundError):
            exports.redeem(ticket, *thief)
    export = exports.redeem(ticket, store.id, ALICE.id)
    assert b"".join([chunk async for chunk in export.chunks()]).startswith(b"id,")
    export.close()
    with pytest.raises(NotFoundError):
        exports.redeem(ticket, store.id, ALICE.id)


async def test_a_ticket_that_nobody_uses_runs_out(past: Past) -> None:
    exports = past.shop.container.exports
    ticket = await exports.offer(order(past, CSV))

    exports._withdraw(ticket)
    exports._withdraw(ticket)

    await slots_are_free(exports)
    with pytest.raises(NotFoundError):
        exports.redeem(ticket, past.shop.store.id, ALICE.id)


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ("2026-10-31T23:00", "2026-11-20T23:00", "payouts-2026-11-01-to-2026-11-20.csv"),
        (None, "2026-11-20T23:00", "payouts-to-2026-11-20.csv"),
        ("2026-10-31T23:00", None, "payouts-2026-11-01-to-2026-11-21.csv"),
        (None, None, "payouts-to-2026-11-21.csv"),
        ("0001-01-01T00:00", None, "payouts-0001-01-01-to-2026-11-21.csv"),
        (None, "9999-12-31T23:59", "payouts-to-9999-12-31.csv"),
    ],
)
def test_a_file_is_named_after_the_days_of_the_store(
    start: str | None, end: str | None, name: str
) -> None:
    moments = [
        None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
        for text in (start, end)
    ]
    wanted = PayoutFilter(starts_at=moments[0], ends_at=moments[1])
    store = a_store(time_zone="Europe/Berlin")

    named = file_name(
        ExportOrder(store, wanted, CSV, ALICE), datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    )

    assert named == name


async def test_a_database_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "payouts.db").mkdir()

    with (
        pytest.raises(UnavailableError),
        snapshot(f"sqlite:///{tmp_path / 'payouts.db'}"),
    ):
        pass
