"""What the board's snapshots are shown with on one open dashboard."""

from __future__ import annotations

import json
from dataclasses import replace

from app.pages.older_rows import OlderRows
from app.pages.payout_board import ROWS, Snapshot
from app.pages.payout_detail import DetailOpener
from app.pages.row_changes import RowChanges, row_changes
from app.pages.visit import Visit
from components.figure_panel import FigurePanel
from components.payout_row import Row, row_of
from components.payout_table import PayoutTable
from components.period_strip import PeriodStrip
from components.prepared import Prepared
from components.summary_cards import SummaryCards
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from components.unit import SATS, Unit, unit_of
from models.payout_filter import PayoutFilter
from models.payout_order import Mark, PayoutOrder, mark_of
from models.payout_view import Page, PayoutView


class DashboardView:
    """Hands what changed to the pieces of a page, and nothing to a page nobody sees."""

    def __init__(
        self,
        visit: Visit,
        *,
        panel: FigurePanel,
        cards: SummaryCards,
        strip: PeriodStrip,
        trend: TrendChart,
        top: TopCardsChart,
        table: PayoutTable,
        details: DetailOpener,
    ) -> None:
        self.seen = 0
        self.is_paused = False
        self.is_narrowed = False
        self.order = PayoutOrder.CREATED
        self.last_row: Mark | None = None
        self._worth = unit_of("fiat", visit.store.currency)
        self._visit = visit
        self._panel = panel
        self._cards = cards
        self._strip = strip
        self._unit = SATS
        self._figures: Snapshot | None = None
        self._trend = trend
        self._top = top
        self._table = table
        self._details = details
        # The rows that the page was loaded with, until it is connected.
        self._early: list[PayoutView] | None = None
        self._has_older = False
        self._has_charts = False
        self._waiting = 0
        self._older = OlderRows(visit, self._show_older)

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected and the tab in sight."""
        return self._visit.is_watching

    def show_early(self, snapshot: Snapshot) -> None:
        """Show figures and rows in the page as it is loaded; charts come once they are drawn."""
        if not snapshot.rows:
            return
        self._early = snapshot.rows
        self._show_figures(replace(snapshot, charts=None, prepared=Prepared()))
        written = snapshot.prepared.once(
            ("written", self._worth), lambda: json.dumps(self._all_rows(snapshot))
        )
        self._table.show_early(written)

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        early, self._early = self._early, None
        self._show_figures(snapshot)
        self._has_older = False
        self._older.begin()
        self._waiting = 0
        if snapshot.rows != early:
            self._table.show(self._all_rows(snapshot))
        self._show_empty(snapshot)
        self._remember_last(snapshot.rows)

    def patch(self, before: Snapshot, now: Snapshot) -> None:
        """Show what changed; a paused table only counts what waits."""
        self._show_figures(now)
        self._older.touched(now.touched)
        self._details.payouts_changed(now.touched)
        if before.rows is now.rows:
            return
        found, inserted, changed = now.prepared.once(
            # The snapshot before is the same for all who are handed a patch of this one.
            (self.order, self._has_older, self._worth),
            lambda: self._changes(before, now),
        )
        self._details.payouts_changed({view.id for view in found.seen_again})
        if self.is_paused:
            self._waiting += found.fresh
            self._table.show_waiting(self._waiting)
            self._table.patch([], [], changed)
            return
        self._table.patch(found.dropped, inserted, changed)
        self._show_empty(now)
        if not self._has_older:
            self._remember_last(now.rows)
            return
        here = {view.id for view in now.rows}.union(found.dropped)
        self._older.add(view.id for view in before.rows if view.id not in here)

    def _show_older(self, dropped: list[str], views: list[PayoutView]) -> None:
        self._table.patch(dropped, [], [self._row(view) for view in views])

    def _changes(
        self, before: Snapshot, now: Snapshot
    ) -> tuple[RowChanges, list[tuple[int, Row]], list[Row]]:
        found = row_changes(before.rows, now.rows, self.order, ROWS, has_more=self._has_older)
        inserted = [
            (insertion.place, self._row(insertion.view, fresh=insertion.is_fresh))
            for insertion in found.inserted
        ]
        return found, inserted, [self._row(view) for view in found.changed]

    def look_at(self, wanted: PayoutFilter, order: PayoutOrder, *, is_narrowed: bool) -> None:
        """Take what is asked for, in which order rows come, and whether some are left out."""
        self.order, self.is_narrowed = order, is_narrowed
        self._older.look_at(wanted)
        self._table.show_order(order)

    def show_error(self, message: str) -> None:
        """Say why nothing can be shown."""
        self._table.show_error(message)

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
        self._table.append([self._row(view) for view in page.items])
        self._older.add(view.id for view in page.items)

    def _remember_last(self, rows: list[PayoutView]) -> None:
        self.last_row = mark_of(rows[-1], self.order) if len(rows) >= ROWS else None

    def _all_rows(self, snapshot: Snapshot) -> list[Row]:
        return snapshot.prepared.once(
            ("rows", self._worth), lambda: [self._row(view) for view in snapshot.rows]
        )

    def _row(self, view: PayoutView, *, fresh: bool = False) -> Row:
        return row_of(view, self._worth, fresh=fresh)

    def _show_empty(self, snapshot: Snapshot) -> None:
        self._table.show_empty(
            is_empty=not snapshot.rows,
            is_narrowed=self.is_narrowed,
            has_others=snapshot.stats is not None and snapshot.stats.total.count > 0,
        )

    def _show_figures(self, snapshot: Snapshot) -> None:
        self._figures = snapshot
        charts, stats, unit = snapshot.charts, snapshot.stats, self._unit
        if stats is not None:
            comparison = None if charts is None else charts.comparison
            self._cards.show(stats, comparison, unit, snapshot.prepared)
            total = snapshot.prepared.once("total", lambda: stats.total)
            self._table.show_total(total.count, unit.write(unit.of(total)))
        else:
            self._table.show_counting()
        if stats is None or charts is None:
            # Until the first have come there is nothing that could be taken for them.
            self._panel.show_stale(is_stale=self._has_charts)
            return
        self._has_charts = True
        self._panel.show_stale(is_stale=False)
        self._strip.show(stats, charts.comparison, unit)
        zone_name, made = self._visit.store.time_zone, charts.prepared
        self._trend.show(charts.trend, zone_name, self._trend.bucket, unit, made)
        self._top.show(charts.top_cards, unit, made)
