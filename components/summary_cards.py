"""The six figures at the top: counts, amounts, and how they changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.change import Better, Change, ChangeMark, change_of
from components.sheet import Piece, Sheet
from components.theme import GLYPHS
from components.unit import SATS, Unit
from models.period import Comparison
from models.rollup import Figure, Stats
from models.states import PayoutStatus

# What is open now has no counterpart: payouts of the period before have long moved on.
_COMPARED: dict[PayoutStatus, Better] = {
    PayoutStatus.COMPLETED: "more",
    PayoutStatus.FAILED: "less",
}


@dataclass(slots=True)
class _Card:
    count: Piece
    amount: Piece
    change: ChangeMark | None

    def show(self, count: str, amount: str, change: Change | None = None) -> None:
        if self.change is not None:
            self.change.show(change)
        self.count.set_text(count)
        self.amount.set_text(amount)


class SummaryCards:
    """Shows statistics; only what changed is sent to the browser."""

    def __init__(self, on_pick: Callable[[str], object]) -> None:
        self._on_pick = on_pick
        words = {"aria_label": "Summary", "aria_busy": "true"}
        self._section = Sheet("section", "fp-cards waiting", **words).root
        self._total = self._card("total", "Total Payouts", "")
        self._by_status = {
            status: self._card(str(status), str(status).capitalize(), str(status))
            for status in PayoutStatus
            if status is not PayoutStatus.CANCELLED
        }
        self._cards = self._card("cards", "Active Boltcards", None)

    def show(self, stats: Stats, comparison: Comparison | None = None, unit: Unit = SATS) -> None:
        """Show new figures beside those of the period before, if there is one."""
        before = None if comparison is None else comparison.before
        change = None if before is None else change_of(stats.total.count, before.total.count)
        self._total.show(*_texts(stats.total, unit), change)
        for status, card in self._by_status.items():
            figure, change = stats.by_status[status], None
            if before is not None and status in _COMPARED:
                then = before.by_status[status].count
                change = change_of(figure.count, then, _COMPARED[status])
            card.show(*_texts(figure, unit), change)
        cards, change = stats.active_boltcards, None
        if comparison is not None:
            then = comparison.boltcards_before
            change = change_of(cards, then, "more", than="the 30 days before")
        self._cards.show(f"{cards:,}", "last 30 days", change)
        self._section.mark("waiting", on=False)
        self._section.set("aria-busy", "false")

    def _card(self, testid: str, name: str, status: str | None) -> _Card:
        tag = "article" if status is None else "button"
        card = self._section.add(tag, "fp-card", data_testid=f"stat-{testid}")
        head = card.add("div", "name")
        if status:
            head.add("span", f"glyph is-{status}", GLYPHS[status], aria_hidden="true")
        head.add("span", "", name)
        change = ChangeMark(head) if not status or status in _COMPARED else None
        count, amount = card.add("span", "count"), card.add("span", "amount")
        if status is not None:
            card.on("click", lambda: self._on_pick(status))
        return _Card(count, amount, change)


def _texts(figure: Figure, unit: Unit) -> tuple[str, str]:
    return f"{figure.count:,}", unit.write(unit.of(figure))
