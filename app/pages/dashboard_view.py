"""What the board's snapshots are shown with on one open dashboard."""

from __future__ import annotations

from datetime import datetime

from nicegui import Client, events

from app.live import Delta, Snapshot
from app.pages.payout_detail import DetailOpener
from components.frame import Frame
from components.needs_you import NeedsYou
from components.payout_table import PayoutTable, row_of
from components.summary_cards import SummaryCards
from components.top_cards_chart import TopCardsChart
from components.trend_chart import TrendChart
from models.payout_view import Page, PayoutView
from models.wallet import Gate


class DashboardView:
    """Hands what changed to the pieces of a page, and nothing to a page nobody sees."""

    def __init__(
        self,
        *,
        client: Client,
        zone_name: str,
        shell: Frame,
        needs: NeedsYou,
        cards: SummaryCards,
        trend: TrendChart,
        top: TopCardsChart,
        table: PayoutTable,
        details: DetailOpener,
    ) -> None:
        self.seen = 0
        self.is_paused = False
        self.last_row: tuple[datetime, str] | None = None
        self._client = client
        self._zone_name = zone_name
        self._shell = shell
        self._needs = needs
        self._cards = cards
        self._trend = trend
        self._top = top
        self._table = table
        self._details = details
        self._hidden = False
        self._has_older = False
        self._waiting = 0

    @property
    def is_watching(self) -> bool:
        """Tell whether the browser is connected and the tab in sight."""
        return self._client.has_socket_connection and not self._hidden

    def hidden_changed(self, event: events.GenericEventArguments) -> None:
        """Take that the tab went out of sight, or came back: then all is shown again."""
        self._hidden = bool(event.args)
        if not self._hidden:
            self.seen = 0

    def show(self, snapshot: Snapshot) -> None:
        """Show everything."""
        self._show_figures(snapshot, again=True)
        self._has_older = False
        self._waiting = 0
        self._table.show([row_of(view) for view in snapshot.rows])
        self._remember_last(snapshot.rows)

    def patch(self, snapshot: Snapshot, delta: Delta) -> None:
        """Show what changed; a paused table only counts what waits."""
        self._show_figures(snapshot, again=False)
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
            self._remember_last(snapshot.rows)

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
        self.last_row = (rows[-1].created_at, rows[-1].id) if rows else None

    def _show_figures(self, snapshot: Snapshot, *, again: bool) -> None:
        wallet = snapshot.wallet
        reason = None
        if wallet.gate is Gate.SHUT:
            reason = "The gate is shut: too much is unknown, so nothing new is sent."
        elif wallet.short_since is not None:
            reason = "The wallet holds less than the approved payouts need."
        self._shell.show_stopped(wallet.stopped_at is not None, reason)
        self._shell.badge.show(str(snapshot.socket), again=again)
        self._shell.show_wallet(wallet.balance_nanousd)
        self._shell.show_waiting(snapshot.attention.urgent)
        self._needs.show(snapshot.attention)
        self._cards.show(snapshot.stats)
        self._trend.show(snapshot.charts.trend, self._zone_name, self._trend.bucket)
        self._top.show(snapshot.charts.top_cards)
        total = snapshot.stats.total
        self._table.show_total(total.count, total.amount_sats)
