"""The dashboard: one page, one filter that governs figures, charts and rows, all of it live."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nicegui import background_tasks, html, ui

from app.http.filters import read_values
from app.pages.dashboard_view import DashboardView
from app.pages.filter_views import FilterViews
from app.pages.first_steps import FirstStepsView
from app.pages.new_payout import NewPayout
from app.pages.payout_board import ROWS, UNMOVED_BY, PayoutReader, Wanted
from app.pages.payout_detail import DetailOpener
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.budget_list import BudgetList
from components.figure_panel import FigurePanel
from components.filter_bar import FIELDS, FilterBar
from components.filter_chips import Values
from components.needs_you import NeedsYou
from components.payout_table import PayoutTable, TableActions
from components.period_strip import PeriodStrip
from components.summary_cards import SummaryCards
from components.text import Text
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from components.unit import SATS, unit_of
from components.wallet_panel import WalletPanel
from models.attention import Need, NeedKind
from models.errors import InvalidField, ServiceError
from models.export import ExportFormat, ExportOrder
from models.payout_filter import PayoutFilter
from models.payout_order import PayoutOrder
from models.permission import Permission
from models.rollup import Ranking
from models.states import PayoutStatus

# A page is not held back for longer than this by what it may show later.
EARLY_S = 0.2
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class Dashboard:
    """One open page: what it looks at, and what happens when that changes."""

    def __init__(self, visit: Visit, values: Values, payout_id: str | None) -> None:
        self._visit = visit
        self._container = visit.container
        self._store = visit.store
        self._client = visit.client
        self._caller = visit.caller
        self._wanted = Wanted(PayoutFilter())
        self._unit = unit_of(values.get("unit"), visit.store.currency)
        self._is_connected = False
        self._opens = payout_id
        self.values: Values = {}
        self.details = DetailOpener(visit, self.address)
        self._new = NewPayout(visit, self.details.open)
        self.view = self._build()
        self.look_at(values)

    def address(self) -> str:
        """Return the address of what is looked at."""
        values = self.values | ({} if self._unit == SATS else {"unit": self._unit.key})
        return f"/?{urlencode(values)}" if values else "/"

    def look_at(self, values: Values) -> None:
        """Take a filter as it stands in an address; what cannot be read is left out."""
        kept = {name: values[name] for name in FIELDS if values.get(name)}
        wrong = None
        while True:
            try:
                wanted, order = read_values(kept, self._store)
                break
            except InvalidField as error:
                wrong, kept = error, {name: kept[name] for name in kept if name != error.field}
        self.values = kept
        self._unit = unit_of(values.get("unit"), self._store.currency)
        self._wanted = Wanted(wanted, self._wanted.step, self._ranking, order)
        self._show_wanted({})
        if wrong is not None:
            self._bar.show_error(wrong.field, wrong.message)
        self.view.show_in(self._unit)

    async def show_early(self) -> None:
        """Show figures and rows in the page as it is loaded, unless they are searched for."""
        if self._wanted.filter.needs_rows:
            return
        snapshot = self._visit.boards.snapshot((self._store.id, self._wanted))
        try:
            if snapshot is None:
                async with asyncio.timeout(EARLY_S):
                    reader = PayoutReader(self._container, self._store, self._wanted)
                    snapshot = await reader.read(None)
        except (ServiceError, TimeoutError):
            return  # it is asked for again, and said why, when the browser is there
        self.view.show_early(snapshot)

    async def connected(self) -> None:
        """Begin to follow the board, or begin anew after a gap."""
        self._is_connected = True
        await self._join()
        if self._wanted.filter.card or self._wanted.filter.pull_payment_id:
            self._bar.name_chips(await self._names())
        await self._first_steps.connected()
        if self._opens is not None:
            opens, self._opens = self._opens, None
            await self.details.open(opens)

    def gone(self) -> None:
        """Stop following."""
        self._is_connected = False
        self._visit.boards.leave((self._store.id, self._wanted), self.view)
        self._first_steps.gone()

    def show_standing(self, standing: Standing) -> None:
        """Show what waits for a person."""
        own = (Need(NeedKind.ONE_FACTOR),) if self._visit.lacks_factor else ()
        self._needs.show((*standing.needs, *own), standing.funds.as_of)
        self._wallet.show(standing.funds, standing.prepared)
        self._budgets.show(standing.funds)

    async def _join(self) -> None:
        reader = PayoutReader(self._container, self._store, self._wanted)
        key = (self._store.id, self._wanted)
        try:
            await self._visit.boards.join(
                key, reader.read, self.view, UNMOVED_BY, reader.follow, reader.heed
            )
        except ServiceError as error:
            self.view.show_error(error.message)

    async def _filter(self, values: Values) -> None:
        """Look at something else, and say so in the address; or say what is wrong with it."""
        try:
            wanted, order = read_values(values, self._store)
        except InvalidField as error:
            self._bar.show_error(error.field, error.message)
            return
        await self._move(Wanted(wanted, self._wanted.step, self._wanted.ranking, order), values)

    async def _move(self, wanted: Wanted, values: Values) -> None:
        self._visit.boards.leave((self._store.id, self._wanted), self.view)
        self._wanted, self.values = wanted, values
        self._bar.expect(values)
        names = await self._names()
        if wanted is not self._wanted:
            return  # somebody changed more meanwhile, which shows all of it
        self._show_wanted(names)
        self._visit.rewrite(self.address())
        if self._is_connected:
            await self._join()

    def _show_wanted(self, names: dict[str, str]) -> None:
        self._bar.show(self.values, names)
        wanted = self._wanted
        self.view.look_at(wanted.filter, wanted.sort, is_narrowed=self._bar.is_narrowed)

    async def _names(self) -> dict[str, str]:
        return await self._container.choices.names(self._store.id, self._wanted.filter)

    async def _sort(self, order: PayoutOrder) -> None:
        await self._bar.set(sort="" if order is PayoutOrder.CREATED else str(order))

    def _later(self, **changes: str) -> None:
        background_tasks.create(self._bar.set(**changes), name="filter by a click")

    def _cut(self, *_args: object) -> None:
        """Cut the charts another way."""
        wanted = Wanted(self._wanted.filter, self._trend.bucket, self._ranking, self._wanted.sort)
        if wanted != self._wanted:
            background_tasks.create(self._move(wanted, self.values), name="cut charts")

    @property
    def _ranking(self) -> Ranking:
        if self._top.measure == "count":
            return Ranking.COUNT
        return Ranking.AMOUNT if self._unit == SATS else Ranking.VALUE

    def _show_in(self, key: str) -> None:
        """Show money in another unit, and say so in the address."""
        self._unit = unit_of(key, self._store.currency)
        self.view.show_in(self._unit)
        self._visit.rewrite(self.address())
        self._cut()

    def _pick_bucket(self, start: object, status: PayoutStatus) -> None:
        zone = ZoneInfo(self._store.time_zone)
        local = start.astimezone(zone)  # type: ignore[attr-defined]
        last = local + _STEPS[self._trend.bucket] - timedelta(seconds=1)
        days = {"from": local.date().isoformat(), "to": last.date().isoformat()}
        self._later(**days, status=str(status), state="")

    async def _more(self) -> None:
        """Add the next page of rows below, as one scrolls."""
        before, wanted = self.view.last_row, self._wanted
        if before is None:
            return
        page = await self._container.payouts.page(
            self._store.id, wanted.filter, ROWS, before, order=wanted.sort
        )
        # Somebody may have looked at something else meanwhile, or scrolled twice.
        if wanted == self._wanted and before == self.view.last_row:
            self.view.add_older(page)

    async def _export(self, form: str) -> None:
        """Make a file of exactly what is filtered, and hand it to the browser."""
        try:
            caller = await self._visit.need(Permission.EXPORT)
        except ServiceError as error:
            with self._client:
                ui.notify(error.message, type="warning")
            return
        order = ExportOrder(
            store=self._store,
            wanted=self._wanted.filter,
            format=ExportFormat(form),
            actor=caller.actor,
            shows_all=caller.may(Permission.SEE_UIDS),
            for_excel=form == ExportFormat.CSV,
        )
        await self._visit.export.begin(order)

    async def _pause(self) -> None:
        self.view.pause()
        if not self.view.is_paused:
            await self._join()

    def _build(self) -> DashboardView:
        zone = ZoneInfo(self._store.time_zone)
        today = self._container.clock.utc_now().astimezone(zone).date()
        self._first_steps = FirstStepsView(self._visit)
        views = FilterViews(self._visit, lambda: self.values, self._filter)
        self._bar = views.bar = FilterBar(today, self._filter, views.act, views.opened)
        with html.div().classes("fp-over"):
            self._needs = NeedsYou(self._filter, self._store.time_zone)
            if self._caller.may(Permission.CREATE):
                Text("button", "New payout").classes("fp-button primary").on("click", self._new.ask)
        with FigurePanel() as panel:
            cards = SummaryCards(lambda status: self._later(status=status, state=""))
            zone_name, currency = self._store.time_zone, self._store.currency
            strip = PeriodStrip(zone_name, currency, self._show_in, self._unit)
            with html.div().classes("fp-charts"):
                self._trend = TrendChart(self._pick_bucket, self._cut)
                self._top = TopCardsChart(lambda card_id: self._later(card=card_id), self._cut)
        actions = TableActions(
            open=self.details.open,
            more=self._more,
            pause=self._pause,
            export=self._export,
            sort=self._sort,
            widen=self._bar.widen,
            retry=self._join,
        )
        table = PayoutTable(actions, self._store.time_zone, self._store.currency)
        with html.div().classes("fp-standing"):
            self._wallet = WalletPanel(self._store.time_zone)
            self._budgets = BudgetList(self._store.time_zone)
        return DashboardView(
            self._visit,
            panel=panel,
            cards=cards,
            strip=strip,
            trend=self._trend,
            top=self._top,
            table=table,
            details=self.details,
        )


def _build(visit: Visit, names: dict[str, str], query: dict[str, str]) -> View:
    return Dashboard(visit, query, names.get("payout_id"))


DASHBOARD = Place(
    paths=("/", "/plugins/flash/payouts", "/plugins/flash/dashboard", "/payouts/{payout_id}"),
    title="Payouts",
    build=_build,
    word="Payouts",
    icon="payouts",
)
