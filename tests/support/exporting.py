"""Makes exports as their callers do, for tests of what is in them and of how they run."""

from __future__ import annotations

import asyncio
from typing import Any

from models.export import ExportFormat, ExportOrder
from models.payout_filter import PayoutFilter
from services.exports import AT_ONCE, Export, Exports
from tests.support.past import Past
from tests.support.patience import PATIENCE_S
from tests.support.shop import ALICE

EVERYTHING = PayoutFilter()


async def slots_are_free(exports: Exports) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while exports._slots._value < AT_ONCE:
            await asyncio.sleep(0.005)


def order(
    past: Past, form: ExportFormat, wanted: PayoutFilter = EVERYTHING, **more: Any
) -> ExportOrder:
    return ExportOrder(past.shop.store, wanted, form, ALICE, **{"shows_all": True} | more)


async def exported(
    past: Past, form: ExportFormat, wanted: PayoutFilter = EVERYTHING, **more: Any
) -> bytes:
    async with past.shop.container.exports.start(order(past, form, wanted, **more)) as export:
        return await taken(export)


async def taken(export: Export) -> bytes:
    await export.prepare()
    return b"".join([chunk async for chunk in export.chunks()])
