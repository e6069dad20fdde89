"""The six figures at the top: counts with their amounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import html

from components.text import Text
from components.theme import GLYPHS
from models.rollup import Figure, Stats
from models.states import PayoutStatus


@dataclass(slots=True)
class _Card:
    count: Text
    amount: Text
    shown: tuple[str, str] = ("", "")

    def show(self, count: str, amount: str) -> None:
        if (count, amount) == self.shown:
            return
        if count != self.shown[0]:
            self.count.set_text(count)
        if amount != self.shown[1]:
            self.amount.set_text(amount)
        self.shown = (count, amount)


class SummaryCards:
    """Shows statistics; only what changed is sent to the browser."""

    def __init__(self, on_pick: Callable[[str], object]) -> None:
        self._on_pick = on_pick
        with html.section().classes("fp-cards").props('aria-label="Summary"'):
            self._total = self._card("total", "Total Payouts", "")
            self._by_status = {
                status: self._card(str(status), str(status).capitalize(), str(status))
                for status in PayoutStatus
                if status is not PayoutStatus.CANCELLED
            }
            self._cards = self._card("cards", "Active Boltcards", None)

    def show(self, stats: Stats) -> None:
        """Show new figures."""
        self._total.show(*_texts(stats.total))
        for status, card in self._by_status.items():
            card.show(*_texts(stats.by_status[status]))
        self._cards.show(f"{stats.active_boltcards:,}", "last 30 days")

    def _card(self, testid: str, name: str, status: str | None) -> _Card:
        tag = html.article if status is None else html.button
        with tag().classes("fp-card").props(f"data-testid=stat-{testid}") as card:
            with html.div().classes("name"):
                if status:
                    glyph = html.span(GLYPHS[status]).classes(f"glyph is-{status}")
                    glyph.props("aria-hidden=true")
                html.span(name)
            count = Text("span", "–").classes("count")
            amount = Text("span").classes("amount")
        if status is not None:
            card.on("click", lambda: self._on_pick(status))
        return _Card(count, amount)


def _texts(figure: Figure) -> tuple[str, str]:
    return f"{figure.count:,}", f"{figure.amount_sats:,} sats"
