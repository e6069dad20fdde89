"""A check of the wallet that somebody asks for: open payouts, Flash's list, the comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from app.pages.visit import Visit
from components.check_panel import CheckPanel
from models.errors import ServiceError
from models.permission import Permission

TIMEOUT_S = 60.0
_ELSEWHERE = "Another instance works for this wallet; it compares every ten minutes."


class WalletCheck:
    """Checks when asked, and shows how far it is; `on_done` is told in the end."""

    def __init__(
        self, visit: Visit, panel: CheckPanel, on_done: Callable[[], Awaitable[None]]
    ) -> None:
        self._visit = visit
        self._panel = panel
        self._on_done = on_done

    async def now(self) -> None:
        """Look at everything open again, and compare the books with Flash's list."""
        container = self._visit.container
        try:
            caller = await self._visit.need(Permission.INTERVENE)
            self._say("Reading Flash's list and balance…")
            async with asyncio.timeout(TIMEOUT_S):
                await self._look_again(caller.store_id)
                if await container.engine.night_watch.compare_open(caller.store_id) is None:
                    self._warn(_ELSEWHERE)
        except TimeoutError:
            self._warn("Flash's list took too long; it goes on by itself.")
        except ServiceError as error:
            self._warn(error.message)
        finally:
            self._say("")
        await self._on_done()

    async def _look_again(self, store_id: str) -> None:
        connected = self._visit.container.connected.get(store_id)
        if connected is not None:
            await connected.worker.catch_up()

    def _warn(self, words: str) -> None:
        with self._visit.client:
            ui.notify(words, type="warning")

    def _say(self, words: str) -> None:
        if not self._visit.client.is_deleted:
            with self._visit.client:
                self._panel.show_progress(words)
