"""How the demo's past is made: whole or not at all, the same by seed, and fit to be lived on."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.container import Container, build, running
from app.demo.history import Written
from app.demo.terms import Files
from app.sandbox.server import open_sandbox
from app.sandbox.settings import SandboxSettings
from app.settings import load_settings
from models.errors import UnavailableError
from models.payout_filter import PayoutFilter
from models.payout_view import PayoutView
from models.states import PayoutState
from models.store import DatabaseKind
from services import bolt11
from services.clock import SystemClock
from services.housekeeping import Housekeeping
from tests.app.demo.past import files_in, findings_in, rows, write
from tests.support.clock import HandClock
from tests.support.databases import PostgresPool
from tests.support.patience import PATIENCE_S
from tests.support.shop import ALICE


async def test_the_past_passes_the_audit_of_our_own_books(made: tuple[Files, Written]) -> None:
    files, written = made

    assert await findings_in(files, written.store_id) == []


@pytest.mark.postgresql
async def test_it_passes_the_same_audit_on_postgresql(
    postgres_pool: PostgresPool, tmp_path: Path
) -> None:
    with postgres_pool.lend() as url:
        files = files_in(tmp_path, url)
        written = await write(files, payouts=200)
        findings = await findings_in(files, written.store_id)

    assert written.payouts == 200
    assert findings == []


async def test_the_default_size_takes_less_than_ten_seconds(tmp_path: Path) -> None:
    started = time.process_time()

    await write(files_in(tmp_path), payouts=5_000)

    # Its own time, so that a busy machine does not fail it; it waits for nothing but the disk.
    assert time.process_time() - started < 10


async def test_sealed_destinations_open_to_invoices_that_say_the_same(
    made: tuple[Files, Written],
) -> None:
    files, written = made
    container = build(files.settings, DatabaseKind.DEMO)
    try:
        await container.stores.load_keys()
        page = await container.payouts.page(written.store_id, PayoutFilter(), 50)
    finally:
        await asyncio.to_thread(container.database.close)

    assert len(page.items) == 50
    for view in page.items:
        invoice = bolt11.decode(view.destination)
        assert invoice.payment_hash == view.payment_hash
        assert invoice.amount_msat == view.amount_msat
        assert invoice.description == view.memo


async def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    stories = []
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        files = files_in(tmp_path / name)
        await write(files, seed=seed)
        stories.append(story(files))

    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


async def test_several_processes_tell_the_same_as_one(tmp_path: Path) -> None:
    alone, together = files_in(tmp_path / "alone"), files_in(tmp_path / "together")

    await write(alone, payouts=1_200)
    await write(together, payouts=1_200, parallel_from=1_000)

    assert story(alone) == story(together)


def story(files: Files) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(str(files.path))) as opened:
        return rows(
            opened,
            "SELECT created_at, state, amount_msat, memo, payment_hash, completed_at FROM payouts "
            "ORDER BY created_at, payment_hash",
        )


async def test_no_history_is_written_over_another(made: tuple[Files, Written]) -> None:
    files, written = made

    with pytest.raises(UnavailableError, match="there already"):
        await write(files)
    assert await findings_in(files, written.store_id) == []


async def test_a_history_that_was_cut_off_leaves_nothing_that_counts(tmp_path: Path) -> None:
    files = files_in(tmp_path)

    def cut(_payouts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await write(files, progress=cut)
    was_complete = files.is_complete
    written = await write(files)

    assert not was_complete
    assert files.is_complete
    assert await findings_in(files, written.store_id) == []
    assert names_in(tmp_path) == ["demo-sandbox.db", "demo.db", "demo.key"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("payouts", [0, 1, 2, 5])
async def test_a_short_history_is_as_sound(tmp_path: Path, payouts: int) -> None:
    files = files_in(tmp_path)

    written = await write(files, payouts=payouts, days=1)

    assert written.payouts == payouts
    assert await findings_in(files, written.store_id) == []


async def test_what_still_waits_can_be_approved_and_is_paid(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    written = await write(files, payouts=20, clock=SystemClock())
    async with open_sandbox(SandboxSettings(ledger=files.ledger, pace=False)) as sandbox:
        merchant = sandbox.world.accounts.named("merchant")
        assert merchant is not None
        (token,) = sandbox.world.sessions.of_account(merchant.id, sandbox.world.clock.now_ms())
        flash = {"flash_api_url": sandbox.api_url, "flash_ws_url": sandbox.ws_url}
        settings = load_settings(**files.overrides(flash_token=token, **flash))
        container = build(settings, DatabaseKind.DEMO)
        async with running(container):
            waiting = await views(container, written, PayoutState.AWAITING_APPROVAL)
            for view in waiting:
                await container.payouts.approve(written.store_id, view.id, view.revision, ALICE)
            async with asyncio.timeout(PATIENCE_S):
                while await views(container, written, PayoutState.APPROVED, PayoutState.PROCESSING):
                    await asyncio.sleep(0.02)
            paid = {view.id for view in await views(container, written, PayoutState.COMPLETED)}

    assert len(waiting) == 3
    assert {view.id for view in waiting} <= paid
    assert await findings_in(files, written.store_id) == []


async def views(container: Container, written: Written, *states: PayoutState) -> list[PayoutView]:
    wanted = PayoutFilter(states=states)
    return (await container.payouts.page(written.store_id, wanted, 50)).items


async def test_housekeeping_finds_nothing_overdue(made: tuple[Files, Written]) -> None:
    files, written = made
    container = build(files.settings, DatabaseKind.DEMO, HandClock())
    try:
        await Housekeeping(container.database, container.clock).tidy()
    finally:
        await asyncio.to_thread(container.database.close)

    assert await findings_in(files, written.store_id) == []
