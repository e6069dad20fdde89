"""Open tabs: each belongs to one session, and is cut when that ends or its role changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog
from nicegui import Client, core

from app.auth import Caller
from app.container import Container
from models.errors import ServiceError

_log = structlog.get_logger(__name__)

# Another instance may have ended a session, and time ends them too.
LOOK_S = 2.0
TAB_LIMIT = 5_000
# One session must not take the tabs of all others.
SESSION_TABS = 500


@dataclass(slots=True)
class _Tab:
    caller: Caller
    is_used: bool = field(default=False)


class Tabs:
    """Knows whose tab each client is; `run` cuts those that lost their right."""

    def __init__(self, container: Container) -> None:
        self._sessions = container.doors.sessions
        self._tabs: dict[str, _Tab] = {}
        self._changed = asyncio.Event()
        self._sessions.listen(self._changed.set)

    def __len__(self) -> int:
        return len(self._tabs)

    def open(self, client: Client, session_id: str) -> bool:
        """Let a socket in to its page; False if the page is another session's."""
        caller = getattr(client.request.state, "caller", None)
        if not isinstance(caller, Caller) or caller.session_id != session_id:
            return False
        if client.id not in self._tabs:
            own = sum(tab.caller.session_id == session_id for tab in self._tabs.values())
            if len(self._tabs) >= TAB_LIMIT or own >= SESSION_TABS:
                return False
            self._tabs[client.id] = _Tab(caller)
            client.on_delete(self._gone)
        return True

    def use(self, client_id: str) -> None:
        """Remember that somebody did something in a tab: that keeps a session alive."""
        tab = self._tabs.get(client_id)
        if tab is not None:
            tab.is_used = True

    async def run(self) -> None:
        """Look at all tabs after each change, and now and then."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            try:
                await self.look()
            except ServiceError as error:
                _log.warning("tabs.not_read", code=error.code)

    async def look(self) -> None:
        """Cut every tab whose session is over, or whose role or store is another now."""
        if not self._tabs:
            return
        tabs = dict(self._tabs)
        used = {tab.caller.session_id for tab in tabs.values() if tab.is_used}
        wanted = {tab.caller.session_id for tab in tabs.values() if tab.caller.session_id}
        found = await self._sessions.standing(wanted)
        for session_id in used & set(found):
            await self._sessions.touch(found[session_id or ""].session)
        for client_id, tab in tabs.items():
            tab.is_used = False
            standing = found.get(tab.caller.session_id or "")
            is_same = standing is not None and (
                (standing.role, standing.session.store_id) == (tab.caller.role, tab.caller.store_id)
            )
            if not is_same:
                await self._cut(client_id, to="/login" if standing is None else "/")

    async def _cut(self, client_id: str, *, to: str) -> None:
        self._tabs.pop(client_id, None)
        client = Client.instances.get(client_id)
        if client is None:
            return
        _log.info("tab.cut")
        sids = [sid for sid, _ in core.sio.manager.get_participants("/", client_id)]
        # Past the outbox, which ends with the client.
        await core.sio.emit("open", {"path": to, "new_tab": False}, room=client_id)
        if client_id in Client.instances:
            client.delete()
        for sid in sids:
            await core.sio.disconnect(sid)

    def _gone(self, client: Any) -> None:
        self._tabs.pop(client.id, None)
