"""What the board's snapshots are shown with on one open dashboard."""

from __future__ import annotations

from app.pages.payout_board import Snapshot, difference
from app.pages.payout_detail import DetailOpener
from app.pages.visit import Visit
from components.payout_table import PayoutTable, row_of
from components.period_strip import PeriodStrip
from components.summary_cards import SummaryCards
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from components.unit import SATS, Unit
from models.payout_order import Mark, PayoutOrder, mark_of
from models.payout_view import Page, PayoutView


class DashboardView:
    """Hands what changed to the pieces of a page, and nothing to a page nobody sees."""

    def __init__(
        self,
        visit: Visit,
        *,
        cards: SummaryCards,
        strip: PeriodStrip,
        trend: TrendChart,
        top: TopCardsChart,
        table: PayoutTable,
        details: DetailOpener,
    ) -> None:
        self.seen = 0
        self.is_paused = False
        self.last_row: Mark | None = None
        self._visit = visit
        self._cards = cards
        self._strip = strip
        self._unit = SATS
        self._figures: Snapshot | None = None
        self._trend = trend
        self._top = top
        self._table = table
        self._details = details
        self._has_older = False
        self._waiting = 0

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected and the tab in sight."""
        return self._visit.is_watching

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        self._show_figures(snapshot)
        self._has_older = False
        self._waiting = 0
        self._table.show([row_of(view) for view in snapshot.rows])
        self._remember_last(snapshot.rows)

    def patch(self, before: Snapshot, now: Snapshot) -> None:
        """Show what changed; a paused table only counts what waits."""
        self._show_figures(now)
        delta = difference(before.rows, now.rows)
        self._details.payouts_changed({view.id for view in delta.changed})
        changed = [row_of(view) for view in delta.changed]
        if self.is_paused:
            self._waiting += len(delta.added)
            self._table.show_waiting(self._waiting)
            self._table.patch([], changed, [])
            return
        added = [row_of(view, fresh=True) for view in delta.added]
        # Once somebody scrolled on, what falls off the newest fifty is still wanted further down.
        self._table.patch(added, changed, [] if self._has_older else delta.removed)
        if not self._has_older:
            self._remember_last(now.rows)

    def show_in(self, unit: Unit) -> None:
        """Show money in a unit."""
        self._unit = unit
        if self._figures is not None:
            self._show_figures(self._figures)

    def pause(self) -> None:
        """Hold the rows still, or let them run again."""
        self.is_paused = not self.is_paused
        self._waiting = 0
        self._table.show_paused(self.is_paused)

    def add_older(self, page: Page) -> None:
        """Add rows below."""
        self._has_older = True
        self.last_row = page.next_before
        self._table.append([row_of(view) for view in page.items])

    def _remember_last(self, rows: list[PayoutView]) -> None:
        self.last_row = mark_of(rows[-1], PayoutOrder.CREATED) if rows else None

    def _show_figures(self, snapshot: Snapshot) -> None:
        self._figures = snapshot
        charts, stats, unit = snapshot.charts, snapshot.stats, self._unit
        self._cards.show(stats, charts.comparison, unit)
        self._strip.show(stats, charts.comparison, unit)
        self._trend.show(charts.trend, self._visit.store.time_zone, self._trend.bucket, unit)
        self._top.show(charts.top_cards, unit)
        self._table.show_total(stats.total.count, unit.write(unit.of(stats.total)))
