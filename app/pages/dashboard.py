"""The dashboard: one page, one filter that governs figures, charts and rows, all of it live."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nicegui import Client, background_tasks, html, ui
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.auth import Caller, Permission
from app.container import Container
from app.http.filters import FilterQuery, read_filter
from app.live import Boards, Wanted
from app.pages.dashboard_view import DashboardView
from app.pages.payout_detail import DetailOpener
from app.sessions import caller_of_page
from components.filter_bar import FIELDS, FilterBar, Values
from components.frame import frame
from components.needs_you import NeedsYou
from components.payout_table import PayoutTable
from components.summary_cards import SummaryCards
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from models.errors import InvalidField, ServiceError
from models.export import ExportFormat, ExportOrder, Progress
from models.payout_filter import PayoutFilter
from models.states import PayoutStatus
from models.store import DatabaseKind, Store

ADDRESSES = ("/", "/plugins/flash/payouts", "/plugins/flash/dashboard")
PAYOUT_ADDRESS = "/payouts/{payout_id}"
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class Dashboard:
    """One open page: what it looks at, and what happens when that changes."""

    def __init__(
        self, container: Container, boards: Boards, caller: Caller, store: Store, client: Client
    ) -> None:
        self._container = container
        self._boards = boards
        self._caller = caller
        self._store = store
        self._client = client
        self._wanted = Wanted(PayoutFilter())
        self._is_connected = False
        self.values: Values = {}
        self.details = DetailOpener(container, caller, store, client, self.address)
        self.view = self._build()

    def address(self) -> str:
        """Return the address of what is looked at."""
        return f"/?{urlencode(self.values)}" if self.values else "/"

    def look_at(self, values: Values) -> None:
        """Take a filter as it stands in an address; what cannot be read is left out."""
        kept = {name: values[name] for name in FIELDS if values.get(name)}
        try:
            wanted = read_filter(FilterQuery.model_validate(kept), self._store)
        except (ValidationError, InvalidField):
            kept, wanted = {}, PayoutFilter()
        self.values = kept
        self._wanted = Wanted(wanted, self._wanted.step, self._wanted.by_count)
        self._bar.show(kept)

    async def connected(self) -> None:
        """Begin to follow the board, or begin anew after a gap."""
        self._is_connected = True
        self.view.seen = 0
        await self._boards.join(self._store, self._wanted, self.view)

    def gone(self) -> None:
        """Stop following."""
        self._boards.leave(self._store, self._wanted, self.view)

    async def _filter(self, values: Values) -> None:
        """Look at something else, and say so in the address."""
        try:
            read_filter(FilterQuery.model_validate(values), self._store)
        except (ValidationError, InvalidField) as error:
            message = error.message if isinstance(error, InvalidField) else "Type a little more."
            with self._client:
                ui.notify(message, type="warning")
            return
        await self._move(
            Wanted(
                read_filter(FilterQuery.model_validate(values), self._store),
                self._wanted.step,
                self._wanted.by_count,
            ),
            values,
        )

    async def _move(self, wanted: Wanted, values: Values) -> None:
        self._boards.leave(self._store, self._wanted, self.view)
        self._wanted, self.values = wanted, values
        self._bar.show(values)
        with self._client:
            ui.navigate.history.replace(self.address())
        if self._is_connected:
            await self._boards.join(self._store, wanted, self.view)

    def _later(self, **changes: str) -> None:
        background_tasks.create(self._bar.set(**changes), name="filter by a click")

    def _cut(self, *_args: object) -> None:
        """Cut the charts another way."""
        wanted = Wanted(self._wanted.filter, self._trend.bucket, self._top.measure == "count")
        if wanted != self._wanted:
            background_tasks.create(self._move(wanted, self.values), name="cut charts")

    def _pick_bucket(self, start: object, status: PayoutStatus) -> None:
        zone = ZoneInfo(self._store.time_zone)
        local = start.astimezone(zone)  # type: ignore[attr-defined]
        last = local + _STEPS[self._trend.bucket] - timedelta(seconds=1)
        days = {"from": local.date().isoformat(), "to": last.date().isoformat()}
        self._later(**days, status=str(status), state="")

    async def _more(self) -> None:
        """Add the next page of rows below, as one scrolls."""
        before = self.view.last_row
        if before is None:
            return
        page = await self._container.payouts.page(self._store.id, self._wanted.filter, 50, before)
        self.view.add_older(page)

    async def _stop(self) -> None:
        wallet = await self._container.wallets.read(self._store.id)
        stopped = wallet.stopped_at is not None
        wallets, actor = self._container.wallets, self._caller.actor
        try:
            self._caller.need(Permission.RESUME if stopped else Permission.STOP)
            await (wallets.resume if stopped else wallets.stop)(self._store.id, actor)
        except ServiceError as error:
            ui.notify(error.message, type="warning")

    async def _export(self, form: str) -> None:
        """Make a file of exactly what is filtered, and hand it to the browser."""
        order = ExportOrder(
            store=self._store,
            wanted=self._wanted.filter,
            format=ExportFormat(form),
            actor=self._caller.actor,
            shows_all=self._caller.may(Permission.SEE_UIDS),
            for_excel=form == ExportFormat.CSV,
        )
        with self._client:
            note = ui.notification("Export: reading…", timeout=None, spinner=True)

        def progress(done: Progress) -> None:
            if not note.is_deleted:
                note.message = f"Export: {done.percent} %"

        try:
            ticket = await self._container.exports.offer(order, progress)
        except ServiceError as error:
            with self._client:
                ui.notify(error.message, type="warning")
        else:
            self._client.download(f"/exports/{ticket}")
        note.dismiss()

    async def _pause(self) -> None:
        self.view.pause()
        if not self.view.is_paused:
            await self._boards.join(self._store, self._wanted, self.view)

    def _build(self) -> DashboardView:
        container, store = self._container, self._store
        on_stop = self._stop if self._caller.may(Permission.STOP) else None
        is_demo = container.kind is DatabaseKind.DEMO
        today = container.clock.utc_now().astimezone(ZoneInfo(store.time_zone)).date()
        with frame(store.name, is_demo=is_demo, on_stop=on_stop) as shell:
            self._bar = FilterBar(today, self._filter)
            needs = NeedsYou(self._filter)
            cards = SummaryCards(lambda status: self._later(status=status, state=""))
            with html.div().classes("fp-charts"):
                self._trend = TrendChart(self._pick_bucket, self._cut)
                self._top = TopCardsChart(lambda card_id: self._later(card=card_id), self._cut)
            table = PayoutTable(self.details.open, self._more, self._pause, self._export)
        shell.badge.watch_browser()
        return DashboardView(
            client=self._client,
            zone_name=store.time_zone,
            shell=shell,
            needs=needs,
            cards=cards,
            trend=self._trend,
            top=self._top,
            table=table,
            details=self.details,
        )


def register_dashboard(container: Container, boards: Boards) -> None:
    """Have the dashboard served at its addresses."""

    async def dashboard(
        request: Request, client: Client, payout_id: str | None = None
    ) -> Response | None:
        caller = await caller_of_page(request, container)
        if caller is None:
            return RedirectResponse("/login", status_code=303)
        store = await container.stores.read(caller.store_id)
        assert store is not None
        ui.page_title(f"{store.name} · Flash Payouts")
        page = Dashboard(container, boards, caller, store, client)
        page.look_at(dict(request.query_params))

        async def connected() -> None:
            await page.connected()
            if payout_id is not None:
                await page.details.open(payout_id)

        ui.on("fp-hidden", page.view.hidden_changed)
        ui.run_javascript(
            "document.addEventListener('visibilitychange',"
            " () => emitEvent('fp-hidden', document.hidden))"
        )
        client.on_connect(connected)
        client.on_delete(page.gone)
        return None

    async def front(request: Request, client: Client) -> Response | None:
        return await dashboard(request, client)

    for address in ADDRESSES:
        ui.page(address)(front)
    ui.page(PAYOUT_ADDRESS)(dashboard)
