"""The record: who did what, searched and read page by page."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from nicegui import ui

from app.http.record_file import FIELDS, read_wanted
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.record_list import RecordList
from models.errors import ServiceError
from models.permission import Permission
from models.record import Entry, EntryFilter

PAGE = 50
# Beyond this a filter finds more than further paging.
MOST = 1_000
ACTIONS_OF = timedelta(days=365)


class RecordPage:
    """The list; its filter stands in the address."""

    def __init__(self, visit: Visit, query: dict[str, str]) -> None:
        self._visit = visit
        self._values = {name: query[name] for name in FIELDS if query.get(name)}
        self._wanted = EntryFilter()
        self._entries: list[Entry] = []
        self._has_more = False
        self._list = RecordList(visit.store.time_zone, self._values, self._filter, self._more)

    async def connected(self) -> None:
        """Read the newest entries, and what can be chosen."""
        container, store_id = self._visit.container, self._visit.store.id
        record = container.doors.record
        try:
            await self._visit.need(Permission.AUDIT)
            actors = await record.actors(store_id)
            actions = await record.actions(store_id, container.clock.utc_now() - ACTIONS_OF)
        except ServiceError as error:
            self._warn(error)
            return
        with self._visit.client:
            self._list.offer(actors, actions)
        await self._filter(self._values)

    def gone(self) -> None:
        """Stop following: this page follows nothing."""

    def show_standing(self, standing: Standing) -> None:
        """Take how the store stands; this page has no use for it."""

    async def _filter(self, values: dict[str, str]) -> None:
        self._values = values
        try:
            self._wanted = read_wanted(values, self._visit.store)
        except ServiceError as error:
            self._list.say(error.message)
            return
        self._list.say("")
        self._entries = []
        query = urlencode(values)
        self._visit.rewrite(f"/record?{query}" if query else "/record")
        await self._more()

    async def _more(self) -> None:
        visit, record = self._visit, self._visit.container.doors.record
        before = self._entries[-1].number if self._entries else None
        try:
            await visit.need(Permission.AUDIT)
            found = await record.page(visit.store.id, self._wanted, PAGE + 1, before)
            self._entries += found[:PAGE]
            ids = {entry.actor_id or "" for entry in self._entries}
            ids |= {entry.subject_id or "" for entry in self._entries}
            names = await record.names(visit.store.id, ids)
        except ServiceError as error:
            self._warn(error)
            return
        query = urlencode(self._values)
        with visit.client:
            self._list.show(
                self._entries,
                names,
                has_more=len(found) > PAGE and len(self._entries) < MOST,
                is_filtered=bool(self._values),
                file_address=f"/record.csv?{query}" if query else "/record.csv",
            )

    def _warn(self, error: ServiceError) -> None:
        with self._visit.client:
            ui.notify(error.message, type="warning")


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    del names
    return RecordPage(visit, query)


RECORD = Place(
    paths=("/record",),
    title="Record",
    build=_build,
    permission=Permission.AUDIT,
    word="Record",
    icon="record",
)
