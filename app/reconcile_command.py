"""What `flash-payouts reconcile` does: our ledger beside Flash's list and balance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from app.commands import opened
from app.container import Container
from app.settings import load_settings
from models.checked import Checked
from models.errors import InvalidField, UnavailableError
from models.instants import iso, parse_moment
from models.reconciliation import Reconciliation, Span
from models.store import DatabaseKind, Store
from services.bookkeeper import Bookkeeper
from services.flash.client import FlashClient
from services.flash.pace import Pace


async def reconcile(
    store_id: str | None, since: str | None, until: str | None
) -> tuple[Reconciliation, Checked]:
    """Read Flash's list if there is a connection, and compare; beside it, what audits found.

    Without dates it is the comparison of each night, which is kept and shown on the wallet's page.

    Raises:
        InvalidField: A store or date that cannot be.
        UnavailableError: The server is not the kind that this database belongs to.
        GatewayError: Flash gave no list.
    """
    async with opened(load_settings()) as container:
        store = await _store(container, store_id)
        zone = ZoneInfo(store.time_zone)
        try:
            first = None if since is None else parse_moment(since, zone)
            last = None if until is None else parse_moment(until, zone, end=True)
        except (ValueError, OverflowError):
            raise InvalidField("from", "give dates such as 2026-11-20") from None
        async with _bookkeeper(container, store) as bookkeeper:
            engine = container.engine.reconciliations
            if first is None and last is None:
                found = await engine.check(store.id, Span.MONTH, bookkeeper)
            else:
                found = await engine.reconcile(store.id, bookkeeper, first, last)
        return found, await container.engine.night_watch.checked(store.id)


@asynccontextmanager
async def _bookkeeper(container: Container, store: Store) -> AsyncIterator[Bookkeeper | None]:
    """Open the wallet's statement, where the environment's connection is this store's."""
    settings = container.settings
    wanted = settings.flash_store
    is_operators = store.id == wanted if wanted else store.is_first
    if settings.flash is None or not is_operators:
        yield None
        return
    client = FlashClient(settings.flash)
    await client.open()
    try:
        await client.fetch_wallet()
        if client.is_sandbox is not (container.kind is DatabaseKind.DEMO):
            raise UnavailableError("This server is not the kind that this database pays through.")
        loop = asyncio.get_running_loop()
        pace = Pace(settings.flash_requests_per_minute, loop.time)
        yield container.engine.bookkeeper(
            container.database, container.clock, client, pace, container.tracking
        )
    finally:
        await client.close()


async def _store(container: Container, store_id: str | None) -> Store:
    stores = await container.stores.all()
    found = [store for store in stores if store_id in {None, store.id}]
    if len(found) != 1:
        raise InvalidField("store", "say which store, by its id")
    return found[0]


def plain(found: Reconciliation, checked: Checked) -> dict[str, Any]:
    """Return what was found as JSON has it."""
    return {
        "since": iso(found.since),
        "until": iso(found.until),
        "is_whole": found.is_whole,
        "matched": found.matched,
        "waiting": found.waiting,
        "balance_difference_nanousd": found.balance_difference_nanousd,
        "differences": [asdict(each) | {"at": iso(each.at)} for each in found.differences],
        "findings": [asdict(each) for each in checked.findings],
    }


def sentences(found: Reconciliation, checked: Checked) -> list[str]:
    """Return what was found as a person reads it."""
    lines = [f"matched {found.matched}, waiting {found.waiting}"]
    lines += [
        f"{each.kind} {each.payout_id or each.row_id} at {iso(each.at)}: "
        f"expected {each.expected_nanousd}, found {each.found_nanousd} nano-dollars"
        for each in found.differences
    ]
    if found.balance_difference_nanousd:
        lines.append(f"the balance is off by {found.balance_difference_nanousd} nano-dollars")
    if not found.is_whole:
        lines.append("Flash's list was not read, or not whole")
    for report in checked.audits:
        run = report.run
        lines.append(f"audit of {run.payouts} payouts at {iso(run.started_at)}: {run.found} found")
    lines += [f"{each.subject}: {each.detail} {each.next_step}" for each in checked.findings]
    return lines
