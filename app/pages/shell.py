"""The one page of a tab: a frame in which places follow each other without a reload."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from nicegui import Client, background_tasks, events, ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.container import Container
from app.http.form import show_words
from app.live import Boards
from app.pages.export_run import ExportRun
from app.pages.standing_board import Standing, StandingReader
from app.pages.store_choice import store_switch, stores_of
from app.pages.visit import EarlyView, Place, View, Visit
from app.sessions import caller_of_page
from components.dollars import dollars
from components.frame import frame
from components.gate_panel import shut_words
from components.moment import short_moment
from models.attention import NeedKind
from models.errors import ServiceError, UnavailableError
from models.events import CardChanged
from models.instants import EPOCH
from models.permission import Permission
from models.store import DatabaseKind
from models.wallet import Gate

ADDRESS_LIMIT = 2000
FIELD_LIMIT = 50
# What a tone is for: more of one of these is new work, while seconds of a pause are none.
CALLS = frozenset(NeedKind) - {NeedKind.PAUSED}
# Links between places, the browser's own back and forward, and whether the tab is in sight.
_SCRIPT = """
document.addEventListener('click', e => {
  const a = e.target.closest('a[data-go]');
  if (!a || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  a.closest('[popover]')?.hidePopover();
  history.pushState({}, '', a.href);
  emitEvent('fp-go', location.pathname + location.search);
});
window.addEventListener('popstate', () => emitEvent('fp-go', location.pathname + location.search));
document.addEventListener('visibilitychange', () => emitEvent('fp-hidden', document.hidden));
"""


class Shell:
    """One tab: its frame, the place that is shown in it, and how the store stands."""

    def __init__(self, visit: Visit, places: Sequence[Place]) -> None:
        self.seen = 0
        self._visit = visit
        self._places = places
        self._view: View | None = None
        self._standing: Standing | None = None
        self._is_connected = False
        self._key = (visit.store.id, "standing")
        self._reader = StandingReader(visit.container, visit.store)
        visit.go = self._link

    def build(self, address: str) -> None:
        """Build the frame, and the first place in it."""
        visit = self._visit
        entries = [
            place.entry
            for place in self._places
            if place.entry is not None and visit.caller.may(place.permission)
        ]
        with frame(
            visit.store.name,
            entries,
            is_demo=visit.container.kind is DatabaseKind.DEMO,
            on_stop=self._stop if visit.caller.may(Permission.STOP) else None,
            zone_name=visit.store.time_zone,
            switch=store_switch(visit),
        ) as visit.frame:
            self._place(address)
        visit.export = ExportRun(visit.container.exports, visit.client)
        visit.frame.health.on_open = self._show_health
        visit.frame.badge.watch_browser()
        ui.run_javascript(_SCRIPT)
        ui.on("fp-go", self._gone_to)
        ui.on("fp-hidden", self._hidden_changed)

    async def show_early(self) -> None:
        """Show what the first place can show in the page as it is loaded."""
        if isinstance(self._view, EarlyView):
            await self._view.show_early()

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected: a tab out of sight has a title, and sounds."""
        return self._visit.client.has_socket_connection

    async def connected(self) -> None:
        """Begin to follow, or begin anew after a gap."""
        self._is_connected = True
        self._visit.frame.preferences.show()
        try:
            await self._visit.boards.join(
                self._key, self._reader.read, self, unmoved_by=(CardChanged,)
            )
            if self._view is not None:
                await self._view.connected()
        except UnavailableError as error:
            # The boards go on trying, and show everything once they can read it.
            self._visit.frame.show_stopped(stopped=False, trouble=error.message)

    def gone(self) -> None:
        """Stop following."""
        self._is_connected = False
        self._visit.boards.leave(self._key, self)
        self._visit.export.leave()
        if self._view is not None:
            self._view.gone()

    def show(self, snapshot: Standing) -> None:
        """Show how the store stands."""
        self._standing = snapshot
        self._show_frame(snapshot, again=True)

    def patch(self, before: Standing, now: Standing) -> None:
        """Show what changed in how the store stands, and let it be heard."""
        self._standing = now
        if people_needed(now) > people_needed(before):
            self._visit.frame.preferences.chime("needs", self._visit.client.run_javascript)
        elif now.funds.completed > before.funds.completed:
            self._visit.frame.preferences.chime("done", self._visit.client.run_javascript)
        if self._visit.is_hidden:
            self._visit.frame.show_waiting(now.attention.urgent)
        else:
            self._show_frame(now, again=False)

    def _show_frame(self, standing: Standing, *, again: bool) -> None:
        shell, wallet = self._visit.frame, standing.wallet
        reason, trouble = None, standing.trouble
        if trouble is not None:
            read_at = short_moment(standing.funds.as_of, EPOCH, self._visit.store.time_zone)
            trouble = f"{trouble} What you see is of {read_at}."
        if wallet.gate is Gate.SHUT:
            reason = shut_words(wallet)
        elif wallet.short_since is not None:
            reason = "The wallet holds less than the approved payouts need."
            if standing.funds.short_nanousd:
                missing = dollars(standing.funds.short_nanousd, up=True)
                reason = f"The wallet covers {missing} less than what is waiting."
        shell.show_stopped(wallet.stopped_at is not None, reason, trouble)
        is_apart = standing.connection is None
        shell.badge.show(str(standing.socket), is_apart=is_apart, again=again)
        shell.show_wallet(wallet.balance_nanousd)
        shell.show_waiting(standing.attention.urgent)
        self._show_health()
        if self._view is not None:
            self._view.show_standing(standing)

    def _show_health(self) -> None:
        if self._standing is not None:
            now, standing = self._visit.container.clock.utc_now(), self._standing
            self._visit.frame.health.show(standing.connection, standing.wallet, now)

    def _link(self, address: str) -> None:
        """Go to another place, as a click on a link does."""
        with self._visit.client:
            ui.navigate.history.push(address)
        background_tasks.create(self._go(address), name="go to a place")

    async def _gone_to(self, event: events.GenericEventArguments) -> None:
        if isinstance(event.args, str):
            await self._go(event.args[:ADDRESS_LIMIT])

    async def _go(self, address: str) -> None:
        if self._view is not None:
            self._view.gone()
        content = self._visit.frame.content
        content.clear()
        with content:
            self._place(address)
        if self._view is not None and self._is_connected:
            await self._view.connected()
            if self._standing is not None:
                self._view.show_standing(self._standing)

    def _place(self, address: str) -> None:
        """Build the place an address names; one that names none leads to the first place."""
        place, names, query = self._find(address)
        self._visit.frame.show_place(place.paths[0], place.title)
        self._view = place.build(self._visit, names, query)

    def _find(self, address: str) -> tuple[Place, dict[str, str], dict[str, str]]:
        parts = urlsplit(address)
        try:
            query = dict(parse_qsl(parts.query, max_num_fields=FIELD_LIMIT))
        except ValueError:
            query = {}
        for place in self._places:
            if not self._visit.caller.may(place.permission):
                continue
            for path in place.paths:
                found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path), parts.path)
                if found:
                    return place, found.groupdict(), query
        return self._places[0], {}, {}

    async def _hidden_changed(self, event: events.GenericEventArguments) -> None:
        """Take that the tab went out of sight, or came back: then all is shown again."""
        self._visit.is_hidden = bool(event.args)
        if self._is_connected and not self._visit.is_hidden:
            await self.connected()

    async def _stop(self) -> None:
        visit = self._visit
        wallets = visit.container.wallets
        wallet = await wallets.read(visit.store.id)
        stopped = wallet.stopped_at is not None
        try:
            caller = await visit.need(Permission.RESUME if stopped else Permission.STOP)
            await (wallets.resume if stopped else wallets.stop)(caller.store_id, caller.actor)
        except ServiceError as error:
            ui.notify(error.message, type="warning")


def people_needed(standing: Standing) -> int:
    """Return how much a person should look at; when it grows, somebody is called."""
    counts = [max(1, need.count) for need in standing.needs if need.kind in CALLS]
    return sum(counts)


def register_shell(container: Container, boards: Boards, places: Sequence[Place]) -> None:
    """Have every place served at its addresses."""

    async def shell(request: Request, client: Client) -> Response | None:
        caller = await caller_of_page(request, container)
        if caller is None:
            return RedirectResponse("/login", status_code=303)
        refused = [place for place in places if not caller.may(place.permission)]
        if request.url.path in {path for place in refused for path in place.paths}:
            text = f"The role {caller.role} does not allow this page."
            return show_words("Not for you", text, 403)
        store = await container.stores.read(caller.store_id)
        assert store is not None
        ui.page_title(f"{store.name} · Flash Payouts")
        visit = Visit(container, boards, caller, store, client, _nowhere)
        visit.stores = await stores_of(visit)
        await visit.look_at_factor()
        tab = Shell(visit, places)
        query = f"?{request.url.query}" if request.url.query else ""
        tab.build(request.url.path + query)
        await tab.show_early()
        client.on_connect(tab.connected)
        client.on_delete(tab.gone)
        return None

    for place in places:
        for path in place.paths:
            ui.page(path)(shell)


def _nowhere(_address: str) -> None:
    """Stand in until the shell is built."""
