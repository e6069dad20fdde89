"""A board shows what is quick to read first, and what is dear after that."""

from __future__ import annotations

import asyncio

from app.live import Board, Boards
from services.hub import Hub
from tests.support.patience import PATIENCE_S


class Page:
    def __init__(self) -> None:
        self.seen = 0
        self.is_watching = True
        self.shown: list[str] = []

    def show(self, snapshot: str) -> None:
        self.shown.append(snapshot)

    def patch(self, before: str, now: str) -> None:
        self.shown.append(f"{before} > {now}")


async def test_what_is_dear_to_read_follows_when_the_rest_is_shown() -> None:
    page = Page()
    shown_before: list[str] = []

    async def read(before: str | None) -> str:
        return "rows" if before is None else "new rows"

    async def follow(_snapshot: str) -> str | None:
        shown_before.extend(page.shown)
        return None if len(page.shown) > 2 else "new charts"

    board = Board(Hub(), "st_1", read, follow=follow)
    await board.join(page)
    for _ in range(2):
        await board._flush()
        await board._flush_dear()
    assert shown_before[:2] == ["rows", "rows > new rows"]
    assert page.shown[2:] == ["new rows > new charts", "new charts > new rows"]


async def test_what_is_dear_follows_the_first_look_without_anything_happening() -> None:
    page = Page()

    async def read(_before: str | None) -> str:
        return "rows"

    async def follow(_snapshot: str) -> str | None:
        return "charts" if len(page.shown) == 1 else None

    boards = Boards(Hub())
    await boards.join(("st_1", "all"), read, page, follow=follow)
    async with asyncio.timeout(PATIENCE_S):
        while len(page.shown) < 2:
            await asyncio.sleep(0)
    boards.close()

    assert page.shown == ["rows", "rows > charts"]
