"""The six figures at the top: counts with their amounts."""

from __future__ import annotations

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

    def __init__(self) -> None:
        with html.section().classes("fp-cards").props('aria-label="Summary"'):
            self._total = _card("total", "Total Payouts")
            self._by_status = {
                status: _card(str(status), str(status).capitalize(), str(status))
                for status in PayoutStatus
                if status is not PayoutStatus.CANCELLED
            }
            self._cards = _card("cards", "Active Boltcards")

    def show(self, stats: Stats) -> None:
        """Show new figures."""
        self._total.show(*_texts(stats.total))
        for status, card in self._by_status.items():
            card.show(*_texts(stats.by_status[status]))
        self._cards.show(f"{stats.active_boltcards:,}", "last 30 days")


def _texts(figure: Figure) -> tuple[str, str]:
    return f"{figure.count:,}", f"{figure.amount_sats:,} sats"


def _card(testid: str, name: str, status: str | None = None) -> _Card:
    with html.article().classes("fp-card").props(f"data-testid=stat-{testid}"):
        with html.div().classes("name"):
            if status is not None:
                html.span(GLYPHS[status]).classes(f"glyph is-{status}").props("aria-hidden=true")
            html.span(name)
        count = Text("span", "–").classes("count")
        amount = Text("span").classes("amount")
    return _Card(count, amount)
