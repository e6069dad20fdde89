"""What the filter bar makes of changes that follow each other closely."""

from __future__ import annotations

import asyncio
from datetime import date

from components.filter_bar import FilterBar
from components.filter_chips import Values
from tests.components.pages import paper


async def test_a_change_adds_to_the_one_before_it_that_is_not_shown_yet() -> None:
    asked: list[Values] = []
    shows = asyncio.Event()

    async def look_at(values: Values) -> None:
        asked.append(values)
        bar.expect(values)
        await shows.wait()
        bar.show(asked[-1])

    async def nothing(*_args: str) -> None: ...

    with paper():
        bar = FilterBar(date(2026, 11, 21), look_at, nothing, nothing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bar.set(status="failed"))
            tasks.create_task(bar.set(min_sats="500"))
            await asyncio.sleep(0)
            assert bar.props["values"] == {}
            shows.set()

        assert asked == [{"status": "failed"}, {"status": "failed", "min_sats": "500"}]
        assert bar.props["values"] == asked[-1]
