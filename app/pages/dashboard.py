"""The dashboard: one page, one filter that governs figures, charts and rows, all of it live."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nicegui import background_tasks, html, ui
from pydantic import ValidationError

from app.auth import Permission
from app.http.filters import FilterQuery, read_filter
from app.pages.dashboard_view import DashboardView
from app.pages.first_steps import FirstStepsView
from app.pages.payout_board import PayoutReader, Wanted
from app.pages.payout_detail import DetailOpener
from app.pages.standing_board import Standing
from app.pages.visit import Place, View, Visit
from components.budget_list import BudgetList
from components.filter_bar import FIELDS, FilterBar, Values
from components.needs_you import NeedsYou
from components.payout_table import PayoutTable
from components.period_strip import PeriodStrip
from components.summary_cards import SummaryCards
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from components.unit import SATS, unit_of
from components.wallet_panel import WalletPanel
from models.errors import InvalidField
from models.export import ExportFormat, ExportOrder
from models.payout_filter import PayoutFilter
from models.rollup import Ranking
from models.states import PayoutStatus

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
        self.view = self._build()
        self.look_at(values)

    def address(self) -> str:
        """Return the address of what is looked at."""
        values = self.values | ({} if self._unit == SATS else {"unit": self._unit.key})
        return f"/?{urlencode(values)}" if values else "/"

    def look_at(self, values: Values) -> None:
        """Take a filter as it stands in an address; what cannot be read is left out."""
        kept = {name: values[name] for name in FIELDS if values.get(name)}
        try:
            wanted = read_filter(FilterQuery.model_validate(kept), self._store)
        except (ValidationError, InvalidField):
            kept, wanted = {}, PayoutFilter()
        self.values = kept
        self._unit = unit_of(values.get("unit"), self._store.currency)
        self._wanted = Wanted(wanted, self._wanted.step, self._ranking)
        self._bar.show(kept)
        self.view.show_in(self._unit)

    async def connected(self) -> None:
        """Begin to follow the board, or begin anew after a gap."""
        self._is_connected = True
        await self._join()
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
        self._needs.show(standing.needs, standing.funds.as_of)
        self._wallet.show(standing.funds)
        self._budgets.show(standing.funds)

    async def _join(self) -> None:
        reader = PayoutReader(self._container, self._store, self._wanted)
        await self._visit.boards.join((self._store.id, self._wanted), reader.read, self.view)

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
                self._wanted.ranking,
            ),
            values,
        )

    async def _move(self, wanted: Wanted, values: Values) -> None:
        self._visit.boards.leave((self._store.id, self._wanted), self.view)
        self._wanted, self.values = wanted, values
        self._bar.show(values)
        self._visit.rewrite(self.address())
        if self._is_connected:
            await self._join()

    def _later(self, **changes: str) -> None:
        background_tasks.create(self._bar.set(**changes), name="filter by a click")

    def _cut(self, *_args: object) -> None:
        """Cut the charts another way."""
        wanted = Wanted(self._wanted.filter, self._trend.bucket, self._ranking)
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
        before = self.view.last_row
        if before is None:
            return
        page = await self._container.payouts.page(self._store.id, self._wanted.filter, 50, before)
        self.view.add_older(page)

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
        await self._visit.export.begin(order)

    async def _pause(self) -> None:
        self.view.pause()
        if not self.view.is_paused:
            await self._join()

    def _build(self) -> DashboardView:
        zone = ZoneInfo(self._store.time_zone)
        today = self._container.clock.utc_now().astimezone(zone).date()
        self._first_steps = FirstStepsView(self._visit)
        self._bar = FilterBar(today, self._filter)
        self._needs = NeedsYou(self._filter, self._store.time_zone)
        cards = SummaryCards(lambda status: self._later(status=status, state=""))
        strip = PeriodStrip(self._store.time_zone, self._store.currency, self._show_in, self._unit)
        with html.div().classes("fp-charts"):
            self._trend = TrendChart(self._pick_bucket, self._cut)
            self._top = TopCardsChart(lambda card_id: self._later(card=card_id), self._cut)
        with html.div().classes("fp-standing"):
            self._wallet = WalletPanel(self._store.time_zone)
            self._budgets = BudgetList(self._store.time_zone)
        table = PayoutTable(self.details.open, self._more, self._pause, self._export)
        return DashboardView(
            self._visit,
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
