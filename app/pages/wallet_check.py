"""A check of the wallet that somebody asks for, and what they say of a difference it found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from app.pages.password_again import password_fields, take_password
from app.pages.people import errors_of
from app.pages.visit import Visit
from components.check_panel import CheckPanel, difference_line
from components.form_dialog import Field, FormDialog, Values
from models.errors import ServiceError
from models.permission import Permission
from models.reconciliation import Difference

TIMEOUT_S = 60.0
_HINT = (
    "Such as what this debit was for. It is kept in the record. The difference stays listed, and "
    "is an alarm again if it changes."
)
_REASON = Field("reason", "Reason", "textarea", hint=_HINT)
_ELSEWHERE = "Another instance works for this wallet; it compares every ten minutes."


class WalletCheck:
    """Checks when asked, and shows how far it is; `on_done` is told in the end."""

    def __init__(
        self, visit: Visit, panel: CheckPanel, on_done: Callable[[], Awaitable[None]]
    ) -> None:
        self._visit = visit
        self._panel = panel
        self._on_done = on_done
        self._difference: Difference | None = None
        self._seen = FormDialog("Why is this no matter?", "Keep it so", self._say_seen)

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

    async def ask_seen(self, difference: Difference) -> None:
        """Ask why somebody minds a difference no more."""
        self._difference = difference
        fields = await password_fields(self._visit)
        with self._visit.client:
            self._seen.open((_REASON, *fields), text=difference_line(difference))

    async def _say_seen(self, values: Values) -> bool:
        difference = self._difference
        if difference is None:
            return False
        try:
            await take_password(self._visit, Permission.RESOLVE, values)
            caller = await self._visit.need(Permission.RESOLVE)
            reason, see = values.get("reason", ""), self._visit.container.engine.reconciliations.see
            await see(caller.store_id, difference.key, reason, caller.actor)
        except ServiceError as error:
            self._seen.show_errors(errors_of(error))
            return False
        await self._on_done()
        return True

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
